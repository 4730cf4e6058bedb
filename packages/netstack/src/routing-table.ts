import { Address, hashAddress, isMapped, Prefix, wordMask } from "./address.ts";
import type { NetworkInterface } from "./interface.ts";

/** What a route does with packets. `blackhole` drops them, `reject` answers "host unreachable". */
export type RouteKind = "unicast" | "local" | "blackhole" | "reject";

export interface RouteSpecification {
  /** "10.1.0.0/16", "default" (IPv4), "::/0". Host bits are ignored. */
  readonly destination: Prefix | string;
  /** Next hop; null or absent: the destination is on the link. */
  readonly gateway?: Address | string | null;
  /** May be left out where a route to the gateway stands already. */
  readonly interface?: NetworkInterface;
  readonly kind?: RouteKind;
  /** Source address to prefer for packets that take this route. */
  readonly source?: Address | null;
}

/** One entry of the table. */
export class RoutingEntry {
  readonly destination: Prefix;
  readonly gateway: Address | null;
  readonly interface: NetworkInterface;
  readonly kind: RouteKind;
  readonly source: Address | null;

  constructor(
    destination: Prefix,
    gateway: Address | null,
    through: NetworkInterface,
    kind: RouteKind,
    source: Address | null,
  ) {
    this.destination = destination.network;
    this.gateway = gateway;
    this.interface = through;
    this.kind = kind;
    this.source = source;
  }
}

/** Entries of one prefix length, by the hash of their network. */
interface Level {
  readonly bits: number;
  readonly entries: Map<number, RoutingEntry[]>;
}

/**
 * Longest prefix match for both families: IPv4 prefixes are mapped ones of 96 bits more. One hash table per prefix length that is in use, tried
 * from the longest. Connections cache what they found and compare `generation`, so that this is not on the path of every packet.
 */
export class RoutingTable {
  /** Changes with every change of routes, addresses, interfaces or their state. */
  generation = 1;
  readonly #levels: Level[] = [];
  readonly #seed: number;

  constructor(seed = 0) {
    this.#seed = seed;
  }

  /**
   * Of several routes for one prefix the first whose interface is up is taken. Throws a RangeError if the very same route stands already, or
   * if nothing says through which interface it goes.
   */
  add(specification: RouteSpecification): RoutingEntry {
    const destination =
      typeof specification.destination === "string"
        ? Prefix.parse(specification.destination)
        : specification.destination;
    const given = specification.gateway ?? null;
    const gateway = typeof given === "string" ? Address.parse(given) : given;
    if (gateway !== null && gateway.family !== destination.family) {
      throw new RangeError(`gateway ${gateway} and destination ${destination} differ in family`);
    }
    const through = specification.interface ?? this.#interfaceTowards(gateway);
    const { kind = "unicast", source = null } = specification;
    const entry = new RoutingEntry(destination, gateway, through, kind, source);
    const level = this.#level(entry.destination.bits);
    const hash = this.#hash(entry.destination.address);
    const bucket = level.entries.get(hash) ?? [];
    if (bucket.some((other) => isSame(other, entry))) {
      throw new RangeError(`a route to ${entry.destination} by the same way stands already`);
    }
    bucket.push(entry);
    level.entries.set(hash, bucket);
    this.generation++;
    return entry;
  }

  /** Returns false if the entry was not in the table. */
  remove(entry: RoutingEntry): boolean {
    const index = this.#levels.findIndex((level) => level.bits === entry.destination.bits);
    const level = this.#levels[index];
    const hash = this.#hash(entry.destination.address);
    const bucket = level?.entries.get(hash);
    const position = bucket?.indexOf(entry) ?? -1;
    if (level === undefined || bucket === undefined || position < 0) return false;
    bucket.splice(position, 1);
    if (bucket.length === 0) level.entries.delete(hash);
    if (level.entries.size === 0) this.#levels.splice(index, 1);
    this.generation++;
    return true;
  }

  /** The best entry for a destination, or null. With `through`, only routes of that interface. */
  lookup(w0: number, w1: number, w2: number, w3: number, through: NetworkInterface | null = null): RoutingEntry | null {
    const mapped = isMapped(w0, w1, w2);
    for (const level of this.#levels) {
      // IPv6's short prefixes (::/0) cover the mapped form of IPv4 addresses but do not route them.
      if (mapped && level.bits < 96) return null;
      const m0 = (w0 & wordMask(level.bits, 0)) >>> 0;
      const m1 = (w1 & wordMask(level.bits, 1)) >>> 0;
      const m2 = (w2 & wordMask(level.bits, 2)) >>> 0;
      const m3 = (w3 & wordMask(level.bits, 3)) >>> 0;
      const bucket = level.entries.get(hashAddress(this.#seed, m0, m1, m2, m3));
      if (bucket === undefined) continue;
      let down: RoutingEntry | null = null;
      for (const entry of bucket) {
        if (!entry.destination.address.is(m0, m1, m2, m3)) continue;
        if (through !== null && entry.interface !== through) continue;
        if (entry.interface.up) return entry;
        down ??= entry;
      }
      if (down !== null) return down;
    }
    return null;
  }

  /** Every entry, longest prefixes first. */
  *[Symbol.iterator](): IterableIterator<RoutingEntry> {
    for (const level of this.#levels) for (const bucket of level.entries.values()) yield* bucket;
  }

  #interfaceTowards(gateway: Address | null): NetworkInterface {
    if (gateway === null) throw new RangeError("a route without a gateway needs an interface");
    const entry = this.lookup(gateway.w0, gateway.w1, gateway.w2, gateway.w3);
    if (entry === null || entry.gateway !== null) throw new RangeError(`gateway ${gateway} is on no link of ours`);
    return entry.interface;
  }

  #level(bits: number): Level {
    let at = 0;
    for (; at < this.#levels.length; at++) {
      const level = this.#levels[at] as Level;
      if (level.bits === bits) return level;
      if (level.bits < bits) break;
    }
    const level: Level = { bits, entries: new Map() };
    this.#levels.splice(at, 0, level);
    return level;
  }

  #hash(address: Address): number {
    return hashAddress(this.#seed, address.w0, address.w1, address.w2, address.w3);
  }
}

function isSame(a: RoutingEntry, b: RoutingEntry): boolean {
  if (!a.destination.equals(b.destination) || a.interface !== b.interface || a.kind !== b.kind) return false;
  return a.gateway === null ? b.gateway === null : b.gateway !== null && a.gateway.equals(b.gateway);
}

import type { Callout } from "@nfs4/timecounter";
import { hashEnd, hashWord } from "../address.ts";
import { AddressMap } from "../address-map.ts";
import type { InboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { Sysctl } from "../sysctl.ts";
import { type Fragment, PartialDatagram } from "./partial-datagram.ts";

/** ECN field values (RFC 3168 §5). */
const NOT_ECT = 0;
const CE = 3;

export interface ReassemblyLimits {
  /** Datagrams under reassembly. */
  readonly packets: Sysctl<number>;
  /** Fragments of one datagram. */
  readonly fragmentsPerPacket: Sysctl<number>;
  /** Datagrams of one source. */
  readonly packetsPerSource: Sysctl<number>;
  /** Bytes in all, bookkeeping included. */
  readonly bytes: Sysctl<number>;
  /** µs after the first fragment. */
  readonly lifetime: () => number;
}

/** What became of a fragment. */
export type ReassemblyResult = "kept" | "duplicate" | "overlap" | "limit" | "complete";

/**
 * Puts fragments of one family together (RFC 791 §3.2, RFC 815, RFC 8200 §4.5). Overlaps end the datagram (RFC 5722); an exact duplicate is
 * ignored. Everything is bounded: over a limit the oldest datagrams go, and one source has only so many.
 */
export class Reassembly {
  readonly #stack: Stack;
  readonly #limits: ReassemblyLimits;
  readonly #keyedByProtocol: boolean;
  readonly #onTimeout: (datagram: PartialDatagram) => void;
  readonly #onEvict: (fragments: number) => void;
  readonly #seed: number;
  readonly #heads = new Map<number, PartialDatagram>();
  /** Oldest first. */
  readonly #byAge = new Set<PartialDatagram>();
  readonly #perSource: AddressMap<number>;
  readonly #callout: Callout;
  #bytes = 0;
  /** After `add` returned "complete". */
  completed: PartialDatagram | null = null;

  constructor(
    stack: Stack,
    limits: ReassemblyLimits,
    keyedByProtocol: boolean,
    onTimeout: (datagram: PartialDatagram) => void,
    onEvict: (fragments: number) => void,
  ) {
    this.#stack = stack;
    this.#limits = limits;
    this.#keyedByProtocol = keyedByProtocol;
    this.#onTimeout = onTimeout;
    this.#onEvict = onEvict;
    this.#seed = stack.random.uint32();
    this.#perSource = new AddressMap(this.#seed);
    this.#callout = stack.clock.callout(() => this.#expire());
  }

  get packets(): number {
    return this.#byAge.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a fragment: payload bytes `[from, to)` of the datagram stand in the packet's slab at `transportOffset … end`, and its header (to be used if
   * `from` is 0) at `ipOffset`, `headerLength` long. Copies what it keeps. The caller has checked that it does not reach beyond the longest packet.
   */
  add(packet: InboundPacket, id: number, from: number, more: boolean, headerLength: number): ReassemblyResult {
    const length = packet.end - packet.transportOffset;
    const to = from + length;
    const datagram = this.#find(packet, id) ?? this.#begin(packet, id);
    if (datagram === null) return "limit";
    datagram.arrived++;
    if (datagram.poisoned) return "overlap";
    const at = placeOf(datagram.fragments, from);
    const before = datagram.fragments[at - 1];
    const after = datagram.fragments[at];
    if (before !== undefined && before.from === from && before.to === to && sameBytes(before.bytes, packet))
      return "duplicate";
    const beyondEnd = datagram.end >= 0 && (to > datagram.end || (!more && to !== datagram.end));
    const endTooEarly = !more && (datagram.fragments.at(-1)?.to ?? 0) > to;
    const overlaps = (before !== undefined && before.to > from) || (after !== undefined && after.from < to);
    if (overlaps || beyondEnd || endTooEarly) {
      this.#poison(datagram);
      return "overlap";
    }
    if (datagram.fragments.length >= this.#limits.fragmentsPerPacket.value) {
      this.#poison(datagram);
      return "limit";
    }
    this.#bytes -= datagram.cost;
    datagram.fragments.splice(at, 0, { from, to, bytes: packet.slab.slice(packet.transportOffset, packet.end) });
    datagram.received += length;
    this.#bytes += datagram.cost;
    if (!more) datagram.end = to;
    if (from === 0) {
      datagram.header = packet.slab.slice(packet.ipOffset, packet.ipOffset + headerLength);
      datagram.trafficClass = packet.trafficClass;
      datagram.protocol = packet.protocol;
    }
    const ecn = packet.trafficClass & 3;
    if (ecn === CE) datagram.sawCe = true;
    if (ecn === NOT_ECT) datagram.sawNotEct = true;
    if (datagram.end < 0 || datagram.received !== datagram.end || datagram.header === null) {
      this.#makeRoom(datagram);
      return "kept";
    }
    this.#remove(datagram);
    // RFC 3168 §5.3: CE on a fragment beside one that is not ECN-capable is a contradiction.
    if (datagram.sawCe && datagram.sawNotEct) return "overlap";
    if (datagram.sawCe) datagram.trafficClass |= CE;
    this.completed = datagram;
    return "complete";
  }

  close(): void {
    this.#callout.cancel();
    this.#heads.clear();
    this.#byAge.clear();
    this.#perSource.clear();
    this.#bytes = 0;
  }

  #hash(packet: InboundPacket, id: number): number {
    let hash = hashWord(this.#seed, packet.src3);
    hash = hashWord(hash, packet.dst3);
    hash = hashWord(hash, id);
    if (packet.family === 6) {
      hash = hashWord(hashWord(hash, packet.src0), packet.src1);
      hash = hashWord(hashWord(hash, packet.src2), packet.dst0);
    }
    return hashEnd(hash);
  }

  #find(packet: InboundPacket, id: number): PartialDatagram | null {
    let datagram = this.#heads.get(this.#hash(packet, id)) ?? null;
    while (datagram !== null && !datagram.isOf(packet, id, this.#keyedByProtocol)) datagram = datagram.next;
    return datagram;
  }

  #begin(packet: InboundPacket, id: number): PartialDatagram | null {
    const limits = this.#limits;
    const ofSource = this.#perSource.get(packet.src0, packet.src1, packet.src2, packet.src3) ?? 0;
    if (limits.packets.value === 0 || ofSource >= limits.packetsPerSource.value) return null;
    if (this.#byAge.size >= limits.packets.value) this.#evictOldest(null);
    const hash = this.#hash(packet, id);
    const datagram = new PartialDatagram(packet, id, hash, this.#stack.clock.coarse() + limits.lifetime());
    datagram.next = this.#heads.get(hash) ?? null;
    this.#heads.set(hash, datagram);
    this.#byAge.add(datagram);
    this.#perSource.set(packet.src0, packet.src1, packet.src2, packet.src3, ofSource + 1);
    this.#bytes += datagram.cost;
    if (!this.#callout.armed) this.#callout.schedule(datagram.deadline);
    return datagram;
  }

  #poison(datagram: PartialDatagram): void {
    this.#bytes -= datagram.cost;
    datagram.poisoned = true;
    datagram.fragments.length = 0;
    datagram.received = 0;
    datagram.header = null;
    this.#bytes += datagram.cost;
    this.#onEvict(datagram.arrived - 1);
    datagram.arrived = 0;
  }

  #makeRoom(newest: PartialDatagram): void {
    while (this.#bytes > this.#limits.bytes.value && this.#byAge.size > 1) this.#evictOldest(newest);
    if (this.#bytes > this.#limits.bytes.value) this.#evictOldest(null);
  }

  #evictOldest(except: PartialDatagram | null): void {
    for (const datagram of this.#byAge) {
      if (datagram === except) continue;
      this.#remove(datagram);
      this.#onEvict(datagram.arrived);
      return;
    }
  }

  #remove(datagram: PartialDatagram): void {
    this.#byAge.delete(datagram);
    this.#bytes -= datagram.cost;
    const head = this.#heads.get(datagram.hash) ?? null;
    if (head === datagram) {
      if (datagram.next === null) this.#heads.delete(datagram.hash);
      else this.#heads.set(datagram.hash, datagram.next);
    } else {
      for (let other = head; other !== null; other = other.next) {
        if (other.next !== datagram) continue;
        other.next = datagram.next;
        break;
      }
    }
    const { s0, s1, s2, s3 } = datagram;
    const left = (this.#perSource.get(s0, s1, s2, s3) ?? 1) - 1;
    if (left === 0) this.#perSource.delete(s0, s1, s2, s3);
    else this.#perSource.set(s0, s1, s2, s3, left);
  }

  #expire(): void {
    const now = this.#stack.clock.coarse();
    this.#stack.enter();
    for (const datagram of this.#byAge) {
      if (datagram.deadline > now) {
        this.#callout.schedule(datagram.deadline);
        break;
      }
      this.#remove(datagram);
      this.#onTimeout(datagram);
    }
    this.#stack.leave();
  }
}

/** Index of the first fragment that begins after `from`. */
function placeOf(fragments: readonly Fragment[], from: number): number {
  let at = fragments.length;
  while (at > 0 && (fragments[at - 1] as Fragment).from > from) at--;
  return at;
}

function sameBytes(bytes: Uint8Array, packet: InboundPacket): boolean {
  const { slab, transportOffset } = packet;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== slab[transportOffset + i]) return false;
  return true;
}

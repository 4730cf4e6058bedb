import { AddressMap } from "../address-map.ts";
import { NO_BUFFERS, OUTPUT_OK, type OutputResult } from "../ip/protocol.ts";
import type { OutboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import { HeldPacket } from "./held-packet.ts";
import { DEAD, DELAY, INCOMPLETE, Neighbor, PERMANENT, PROBE, REACHABLE, STALE } from "./neighbor.ts";

/** Times are µs. */
export interface NeighborTiming {
  /** How long an answer is good. */
  readonly reachable: () => number;
  /** Between solicitations. */
  readonly retransmit: () => number;
  /** From the first use of a stale address to its verification (RFC 4861 §10). */
  readonly delayFirstProbe: number;
  /** Solicitations to everybody before giving up, and to the known address. */
  readonly multicastTries: () => number;
  readonly unicastTries: number;
  /** A stale entry that nobody uses goes after so long. */
  readonly garbage: number;
}

/** What ARP and neighbour discovery each do for the cache. */
export interface NeighborProtocol {
  readonly timing: NeighborTiming;
  /** Packets held per neighbour, and neighbours. */
  readonly maxHeld: () => number;
  readonly maxEntries: number;
  readonly statistics: { dropped: number; timeouts: number };
  /** Asks who has the address: everybody, or only the one that last had it. */
  solicit(neighbor: Neighbor, unicast: boolean): void;
  /** Nobody answered: these packets (of us or of others) are undeliverable. */
  unreachable(neighbor: Neighbor, held: readonly HeldPacket[]): void;
  /** Sends a packet to a neighbour whose address is now known. */
  transmit(packet: OutboundPacket, neighbor: Neighbor): void;
}

/** Bytes held for all neighbours of a cache. */
const MAX_HELD_BYTES = 1 << 20;

/** Next hops of one link and family, with neighbour unreachability detection (RFC 4861 §7.3), for ARP as well (RFC 1122 §2.3.2.1). */
export class NeighborCache {
  readonly #stack: Stack;
  readonly #protocol: NeighborProtocol;
  readonly #entries: AddressMap<Neighbor>;
  readonly #makeCallout = (neighbor: Neighbor) => this.#stack.clock.callout(() => this.#due(neighbor));
  #heldBytes = 0;

  constructor(stack: Stack, protocol: NeighborProtocol) {
    this.#stack = stack;
    this.#protocol = protocol;
    this.#entries = new AddressMap(stack.random.uint32());
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Every neighbour, for display. */
  values(): IterableIterator<Neighbor> {
    return this.#entries.values();
  }

  find(w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    return this.#entries.get(w0, w1, w2, w3) ?? null;
  }

  /** The neighbour, made (INCOMPLETE, nothing sent) if it is not known. */
  findOrMake(w0: number, w1: number, w2: number, w3: number): Neighbor {
    const known = this.#entries.get(w0, w1, w2, w3);
    if (known !== undefined) return known;
    if (this.#entries.size >= this.#protocol.maxEntries) this.#evict();
    const neighbor = new Neighbor(w0, w1, w2, w3, this.#makeCallout);
    this.#entries.set(w0, w1, w2, w3, neighbor);
    return neighbor;
  }

  /** Configures an address that is never asked for. */
  setPermanent(w0: number, w1: number, w2: number, w3: number, macHigh: number, macLow: number): void {
    const neighbor = this.findOrMake(w0, w1, w2, w3);
    neighbor.callout.cancel();
    neighbor.macHigh = macHigh;
    neighbor.macLow = macLow;
    neighbor.state = PERMANENT;
    this.#release(neighbor);
  }

  /** Called when a packet is sent to a stale address: starts to verify it. */
  touch(neighbor: Neighbor): void {
    neighbor.state = DELAY;
    neighbor.callout.scheduleAfter(this.#protocol.timing.delayFirstProbe);
  }

  /** Holds a copy of the packet (owns it) until the address is known, and asks for it. */
  hold(neighbor: Neighbor, packet: OutboundPacket): OutputResult {
    const copy = new HeldPacket(packet);
    this.#stack.releaseOutbound(packet);
    while (neighbor.held.length >= this.#protocol.maxHeld()) this.#dropOldest(neighbor);
    if (this.#heldBytes + copy.bytes.length > MAX_HELD_BYTES) {
      this.#protocol.statistics.dropped++;
      return NO_BUFFERS;
    }
    neighbor.held.push(copy);
    this.#heldBytes += copy.bytes.length;
    // Requests are limited to one per retransmission time, however many packets come.
    if (!neighbor.callout.armed) this.#ask(neighbor);
    return OUTPUT_OK;
  }

  /** The address is this, and the neighbour has just shown that it hears us (`reachable`) or not (then it is verified on use). */
  update(neighbor: Neighbor, macHigh: number, macLow: number, reachable: boolean): void {
    if (neighbor.state === PERMANENT || neighbor.state === DEAD) return;
    neighbor.macHigh = macHigh;
    neighbor.macLow = macLow;
    if (reachable) {
      this.confirm(neighbor);
    } else {
      neighbor.state = STALE;
      neighbor.callout.scheduleAfter(this.#protocol.timing.garbage);
    }
    this.#release(neighbor);
  }

  /** The neighbour answered, or an upper layer makes progress with it (RFC 4861 §7.3.1). Its address must be known. */
  confirm(neighbor: Neighbor): void {
    if (neighbor.state === PERMANENT || neighbor.state === DEAD) return;
    neighbor.state = REACHABLE;
    neighbor.asked = 0;
    neighbor.callout.scheduleAfter(this.#protocol.timing.reachable());
  }

  /** An upper layer doubts that the neighbour hears us: asks it at once, while packets go on. */
  suspect(neighbor: Neighbor): void {
    if (neighbor.state !== REACHABLE && neighbor.state !== STALE && neighbor.state !== DELAY) return;
    neighbor.state = PROBE;
    neighbor.asked = 0;
    this.#ask(neighbor);
  }

  delete(neighbor: Neighbor): void {
    neighbor.state = DEAD;
    neighbor.callout.cancel();
    this.#entries.delete(neighbor.w0, neighbor.w1, neighbor.w2, neighbor.w3);
    while (neighbor.held.length > 0) this.#dropOldest(neighbor);
  }

  clear(): void {
    for (const neighbor of [...this.#entries.values()]) this.delete(neighbor);
  }

  #ask(neighbor: Neighbor): void {
    const { timing } = this.#protocol;
    neighbor.asked++;
    neighbor.callout.scheduleAfter(timing.retransmit());
    this.#protocol.solicit(neighbor, neighbor.state === PROBE);
  }

  #due(neighbor: Neighbor): void {
    const { timing } = this.#protocol;
    this.#stack.enter();
    switch (neighbor.state) {
      case INCOMPLETE:
        if (neighbor.asked < timing.multicastTries()) this.#ask(neighbor);
        else this.#fail(neighbor);
        break;
      case REACHABLE:
        neighbor.state = STALE;
        neighbor.callout.scheduleAfter(timing.garbage);
        break;
      case STALE:
        this.#protocol.statistics.timeouts++;
        this.delete(neighbor);
        break;
      case DELAY:
        neighbor.state = PROBE;
        neighbor.asked = 0;
        this.#ask(neighbor);
        break;
      case PROBE:
        if (neighbor.asked < timing.unicastTries) this.#ask(neighbor);
        else this.#fail(neighbor);
        break;
    }
    this.#stack.leave();
  }

  #fail(neighbor: Neighbor): void {
    const held = neighbor.held.splice(0);
    for (const packet of held) this.#heldBytes -= packet.bytes.length;
    this.#protocol.statistics.timeouts++;
    this.#protocol.statistics.dropped += held.length;
    this.delete(neighbor);
    this.#protocol.unreachable(neighbor, held);
  }

  /** Sends what waited. */
  #release(neighbor: Neighbor): void {
    if (neighbor.held.length > 0 && neighbor.state === STALE) this.touch(neighbor);
    for (const held of neighbor.held.splice(0)) {
      this.#heldBytes -= held.bytes.length;
      const packet = this.#stack.acquireOutbound();
      held.restore(packet);
      this.#protocol.transmit(packet, neighbor);
    }
  }

  #dropOldest(neighbor: Neighbor): void {
    const dropped = neighbor.held.shift();
    if (dropped === undefined) return;
    this.#heldBytes -= dropped.bytes.length;
    this.#protocol.statistics.dropped++;
  }

  /** Makes room: a stale one if there is any among the oldest, else the oldest that is not configured. */
  #evict(): void {
    let choice: Neighbor | null = null;
    let seen = 0;
    for (const neighbor of this.#entries.values()) {
      if (neighbor.state === PERMANENT) continue;
      choice ??= neighbor;
      if (neighbor.state === STALE || neighbor.state === INCOMPLETE) {
        choice = neighbor;
        break;
      }
      if (++seen >= 64) break;
    }
    if (choice !== null) this.delete(choice);
  }
}

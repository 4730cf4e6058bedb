import type { Callout, Clock } from "@nfs4/timecounter";
import type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "../driver.ts";
import {
  CHECKSUM_GOOD,
  CHECKSUM_PARTIAL,
  CHECKSUM_UNKNOWN,
  type ChecksumState,
  type OutboundPacket,
} from "../packet.ts";
import { emptyDriverStatistics } from "./driver-statistics.ts";
import { gather } from "./gather.ts";
import { markCe } from "./mark-ce.ts";
import { PacketRing } from "./packet-ring.ts";

const BATCH = 32;
const LONGEST = 65535 + 14;

/** What one direction of the link does to packets. Probabilities are 0 … 1; times are µs. */
export interface Impairments {
  /** Bits per second; Infinity (the default) takes no time. */
  readonly bandwidth?: number;
  /** One-way. Default 0. */
  readonly delay?: number;
  /** Up to so much more delay, uniformly. It does not reorder. Default 0. */
  readonly jitter?: number;
  readonly loss?: number;
  readonly duplicate?: number;
  /** Such packets are held back by `reorderDelay` (default: 1 ms) and overtaken. */
  readonly reorder?: number;
  readonly reorderDelay?: number;
  /** Such packets have one random bit turned. Their checksum state becomes unknown (or, if it was partial, they are lost). */
  readonly corrupt?: number;
  /** ECN: packets that would wait longer than so many µs for the bandwidth are marked CE, if they say ECT. Default: none. */
  readonly markDelay?: number;
  /** IP packets that are longer vanish, and nobody is told: a path MTU black hole. Default: none do. */
  readonly pathMtu?: number;
  /** Packets that wait for the bandwidth, or are on their way. Default 10,000. */
  readonly queueLimit?: number;
}

export interface MemoryLinkOptions extends Impairments {
  readonly seed?: number;
  readonly medium?: "ip" | "ethernet";
  /** Default 1500. */
  readonly mtu?: number;
  /** Super-segments up to 64 KiB cross whole and checksums are left out, as with virtio. Default false. */
  readonly offload?: boolean;
  /** Overrides for the direction from b to a. */
  readonly back?: Impairments;
}

/** Two drivers joined by a wire in the clock's time. The same seed gives the same fates. */
export class MemoryLink {
  readonly a: MemoryLinkEnd;
  readonly b: MemoryLinkEnd;

  constructor(clock: Clock, options: MemoryLinkOptions = {}) {
    const medium = options.medium ?? "ip";
    const offload = options.offload ?? false;
    const capabilities = (last: number): DriverCapabilities => ({
      medium,
      mtu: options.mtu ?? 1500,
      macAddress: medium === "ethernet" ? Uint8Array.of(0x02, 0, 0, 0, 0, last) : null,
      transmitChecksum: offload,
      segmentation4: offload ? 65535 : 0,
      segmentation6: offload ? 65535 : 0,
    });
    const { seed = 1 } = options;
    const linkHeader = medium === "ethernet" ? 14 : 0;
    this.a = new MemoryLinkEnd("a", capabilities(1), new Wire(clock, options, seed * 2 + 1, linkHeader));
    this.b = new MemoryLinkEnd(
      "b",
      capabilities(2),
      new Wire(clock, { ...options, ...options.back }, seed * 2 + 2, linkHeader),
    );
    this.a.wire.to = this.b;
    this.b.wire.to = this.a;
  }

  /** Changes what both directions do from now on (say `{ loss: 1 }` for a partition). */
  impair(impairments: Impairments): void {
    this.a.wire.impair(impairments);
    this.b.wire.impair(impairments);
  }

  /** Takes both ends down or up. Packets on their way arrive. */
  setLink(up: boolean): void {
    this.a.setLink(up);
    this.b.setLink(up);
  }
}

/** A packet on its way. */
interface Flight {
  bytes: Uint8Array;
  length: number;
  arrives: number;
  checksum: ChecksumState;
  segmentSize: number;
}

/** One direction: fates, queue and clock. */
class Wire {
  to!: MemoryLinkEnd;
  dropped = 0;
  readonly #clock: Clock;
  readonly #callout: Callout;
  #impairments: Impairments;
  #random: number;
  /** Bytes before the IP header. */
  readonly #linkHeader: number;
  /** By arrival, first first; `#first` is the first that has not arrived. */
  #flights: Flight[] = [];
  #first = 0;
  /** When the transmitter has sent everything so far, and when the last in-order packet arrives. */
  #busyUntil = 0;
  #lastArrival = 0;
  readonly #spare: Uint8Array[] = [];

  constructor(clock: Clock, impairments: Impairments, seed: number, linkHeader: number) {
    this.#linkHeader = linkHeader;
    this.#clock = clock;
    this.#impairments = impairments;
    this.#random = seed | 0;
    this.#callout = clock.callout(() => this.#arrive());
  }

  impair(impairments: Impairments): void {
    this.#impairments = { ...this.#impairments, ...impairments };
  }

  send(packet: OutboundPacket): boolean {
    const { loss = 0, duplicate = 0, queueLimit = 10_000 } = this.#impairments;
    if (this.#flights.length - this.#first >= queueLimit) {
      this.dropped++;
      return false;
    }
    const length = packet.headerLength + packet.payloadLength;
    const marked = this.backlogUs > (this.#impairments.markDelay ?? Number.POSITIVE_INFINITY);
    const sent = this.#transmitted(length);
    if (this.#chance(loss) || this.#isSwallowed(packet, length)) return true;
    const copies = this.#chance(duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) this.#launch(packet, length, sent, marked);
    return true;
  }

  #isSwallowed({ headerLength, segmentSize }: OutboundPacket, length: number): boolean {
    const { pathMtu = Number.POSITIVE_INFINITY } = this.#impairments;
    return (segmentSize === 0 ? length : headerLength + segmentSize) - this.#linkHeader > pathMtu;
  }

  /** How long a packet sent now would wait for the bandwidth, µs. */
  get backlogUs(): number {
    return Math.max(0, this.#busyUntil - this.#clock.coarse());
  }

  close(): void {
    this.#callout.cancel();
    this.#flights = [];
    this.#first = 0;
  }

  /** When the last bit has left. */
  #transmitted(length: number): number {
    const { bandwidth = Number.POSITIVE_INFINITY } = this.#impairments;
    const start = Math.max(this.#clock.coarse(), this.#busyUntil);
    this.#busyUntil = start + (length * 8e6) / bandwidth;
    return this.#busyUntil;
  }

  #launch(packet: OutboundPacket, length: number, sent: number, marked: boolean): void {
    const { delay = 0, jitter = 0, reorder = 0, reorderDelay = 1000, corrupt = 0 } = this.#impairments;
    let checksum: ChecksumState = CHECKSUM_UNKNOWN;
    if (packet.checksumOffset >= 0) checksum = CHECKSUM_PARTIAL;
    else if (packet.segmentSize !== 0) checksum = CHECKSUM_GOOD;
    const bytes = this.#buffer(length);
    gather(packet, bytes, 0);
    if (marked) markCe(bytes, this.#linkHeader);
    if (this.#chance(corrupt)) {
      if (checksum !== CHECKSUM_UNKNOWN) return;
      const bit = this.#below(length * 8);
      bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
    }
    let arrives = sent + delay + (jitter > 0 ? this.#below(jitter + 1) : 0);
    if (this.#chance(reorder)) {
      arrives += reorderDelay;
    } else {
      arrives = Math.max(arrives, this.#lastArrival);
      this.#lastArrival = arrives;
    }
    this.#insert({ bytes, length, arrives, checksum, segmentSize: packet.segmentSize });
  }

  #insert(flight: Flight): void {
    const flights = this.#flights;
    let at = flights.length;
    while (at > this.#first && (flights[at - 1] as Flight).arrives > flight.arrives) at--;
    if (at === flights.length) flights.push(flight);
    else flights.splice(at, 0, flight);
    if (at === this.#first) this.#callout.schedule(flight.arrives);
  }

  #arrive(): void {
    const now = this.#clock.coarse();
    const flights = this.#flights;
    while (this.#first < flights.length && (flights[this.#first] as Flight).arrives <= now) {
      const flight = flights[this.#first++] as Flight;
      this.to.receive(flight.bytes, flight.length, flight.checksum, flight.segmentSize);
      this.#spare.push(flight.bytes);
    }
    if (this.#first === flights.length) {
      flights.length = 0;
      this.#first = 0;
    } else {
      if (this.#first > 1024) {
        flights.splice(0, this.#first);
        this.#first = 0;
      }
      this.#callout.schedule((flights[this.#first] as Flight).arrives);
    }
    this.to.announce();
  }

  #buffer(length: number): Uint8Array {
    const spare = this.#spare.pop();
    if (spare !== undefined && spare.length >= length) return spare;
    return new Uint8Array(length <= 2048 ? 2048 : LONGEST);
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#below(0x100000000) < probability * 0x100000000;
  }

  /** Uniform in 0 … bound − 1: a 32-bit mixing generator (splitmix). */
  #below(bound: number): number {
    this.#random = (this.#random + 0x9e3779b9) | 0;
    let z = this.#random;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return Math.floor((((z ^ (z >>> 16)) >>> 0) / 0x100000000) * bound);
  }
}

/** One end of a memory link. */
export class MemoryLinkEnd implements Driver {
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  readonly statistics: DriverStatistics = emptyDriverStatistics();
  /** The way to the other end. */
  readonly wire: Wire;
  #linkUp = true;
  #events: DriverEvents | null = null;
  #wanted = true;
  #ring: PacketRing | null = null;

  constructor(name: string, capabilities: DriverCapabilities, wire: Wire) {
    this.name = name;
    this.capabilities = capabilities;
    this.wire = wire;
  }

  get linkUp(): boolean {
    return this.#linkUp;
  }

  get batch(): ReceiveBatch {
    return this.#waiting();
  }

  start(events: DriverEvents): void {
    this.#events = events;
    this.#wanted = true;
    this.announce();
  }

  setLink(up: boolean): void {
    if (this.#linkUp === up) return;
    this.#linkUp = up;
    this.#events?.linkChanged(up);
  }

  /** A packet has come over the wire. */
  receive(bytes: Uint8Array, length: number, checksum: ChecksumState, segmentSize: number): void {
    const at = this.#linkUp && this.#events !== null ? this.#waiting().put(length, checksum, segmentSize) : -1;
    if (at < 0) {
      this.statistics.receiveErrors++;
      return;
    }
    this.#waiting().slab.set(length === bytes.length ? bytes : bytes.subarray(0, length), at);
  }

  /** Tells the stack, if it wants to know and anything waits. */
  announce(): void {
    if (!this.#wanted || this.#events === null || this.#ring === null || this.#ring.waiting === 0) return;
    this.#wanted = false;
    this.#events.ready();
  }

  poll(budget: number): number {
    this.statistics.polls++;
    const ring = this.#waiting();
    const count = ring.take(budget);
    if (count === budget) this.statistics.pollsExhausted++;
    this.statistics.packetsReceived += count;
    for (let i = 0; i < count; i++) this.statistics.bytesReceived += ring.lengths[i] as number;
    return count;
  }

  wake(): void {
    this.#wanted = true;
    this.announce();
  }

  transmit(packets: readonly OutboundPacket[], count: number): void {
    for (let i = 0; i < count; i++) {
      const packet = packets[i] as OutboundPacket;
      if (!this.#linkUp || !this.wire.send(packet)) {
        this.statistics.transmitDrops++;
        continue;
      }
      this.statistics.packetsSent++;
      this.statistics.bytesSent += packet.headerLength + packet.payloadLength;
    }
  }

  async close(): Promise<void> {
    this.#events = null;
    this.wire.close();
  }

  #waiting(): PacketRing {
    this.#ring ??= new PacketRing(this.capabilities.segmentation4 > 0 ? 8 << 20 : 2 << 20, 4096, BATCH);
    return this.#ring;
  }
}

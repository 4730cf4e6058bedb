import type { Callout, Clock } from "@nfs4/timecounter";
import { readCapture } from "../capture-reader.ts";
import type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "../driver.ts";
import { CHECKSUM_UNKNOWN, type OutboundPacket } from "../packet.ts";
import { LINKTYPE_ETHERNET } from "../pcapng.ts";
import { emptyDriverStatistics } from "./driver-statistics.ts";
import { gather } from "./gather.ts";
import { PacketRing } from "./packet-ring.ts";
import type { SentPacket } from "./script-driver.ts";

/** Raw IP under the numbers that it has been given. */
const RAW_LINKTYPES: readonly number[] = [101, 12, 14, 228, 229];
const BATCH = 32;

export interface ReplayOptions {
  /** Gives only such packets to the stack: those that came *to* it when they were captured. Default: all. */
  readonly select?: (bytes: Uint8Array, index: number) => boolean;
  /** 2 plays twice as fast; Infinity all at once. Default 1. */
  readonly speed?: number;
  readonly macAddress?: Uint8Array;
  readonly mtu?: number;
  /** Called after the last packet. */
  readonly onEnd?: () => void;
}

/** Plays a capture (pcap or pcapng, Ethernet or raw IP) to a stack at the pace at which it was taken, in the clock's time, and keeps what the stack sends. */
export class ReplayDriver implements Driver {
  readonly name = "replay";
  readonly linkUp = true;
  readonly capabilities: DriverCapabilities;
  readonly statistics: DriverStatistics = emptyDriverStatistics();
  /** What the stack has sent. */
  readonly sent: SentPacket[] = [];
  readonly #clock: Clock;
  readonly #callout: Callout;
  readonly #options: ReplayOptions;
  readonly #packets: { readonly time: number; readonly bytes: Uint8Array }[] = [];
  readonly #ring = new PacketRing(4 << 20, 1024, BATCH);
  #next = 0;
  #started = 0;
  #events: DriverEvents | null = null;
  #wanted = true;

  /** Throws CaptureError if the capture is malformed, a RangeError if it mixes link types or has one that is neither Ethernet nor raw IP. */
  constructor(clock: Clock, file: Uint8Array, options: ReplayOptions = {}) {
    this.#clock = clock;
    this.#options = options;
    this.#callout = clock.callout(() => this.#play());
    let linkType = -1;
    let index = 0;
    let longest = 0;
    for (const { time, bytes, linkType: type } of readCapture(file)) {
      if (type !== LINKTYPE_ETHERNET && !RAW_LINKTYPES.includes(type))
        throw new RangeError(`link type ${type} cannot be replayed`);
      if (linkType >= 0 && type !== linkType)
        throw new RangeError("a capture of several link types cannot be replayed");
      linkType = type;
      longest = Math.max(longest, bytes.length);
      if (options.select?.(bytes, index++) ?? true) this.#packets.push({ time, bytes });
    }
    const isEthernet = linkType === LINKTYPE_ETHERNET;
    this.capabilities = {
      medium: isEthernet ? "ethernet" : "ip",
      mtu: options.mtu ?? Math.max(1500, longest - (isEthernet ? 14 : 0)),
      macAddress: isEthernet ? (options.macAddress ?? null) : null,
      transmitChecksum: false,
      segmentation4: 0,
      segmentation6: 0,
    };
  }

  get batch(): ReceiveBatch {
    return this.#ring;
  }

  /** Packets that the stack has not been given yet. */
  get remaining(): number {
    return this.#packets.length - this.#next;
  }

  start(events: DriverEvents): void {
    this.#events = events;
    this.#started = this.#clock.coarse();
    this.#callout.schedule(this.#started);
  }

  poll(budget: number): number {
    this.statistics.polls++;
    const count = this.#ring.take(budget);
    if (count === budget) this.statistics.pollsExhausted++;
    this.statistics.packetsReceived += count;
    return count;
  }

  wake(): void {
    this.#wanted = true;
    this.#announce();
  }

  transmit(packets: readonly OutboundPacket[], count: number): void {
    for (let i = 0; i < count; i++) {
      const packet = packets[i] as OutboundPacket;
      const bytes = new Uint8Array(packet.headerLength + packet.payloadLength);
      gather(packet, bytes, 0);
      this.sent.push({ bytes, segmentSize: 0, checksumPartial: false });
      this.statistics.packetsSent++;
      this.statistics.bytesSent += bytes.length;
    }
  }

  async close(): Promise<void> {
    this.#events = null;
    this.#callout.cancel();
  }

  #play(): void {
    const now = this.#clock.coarse();
    while (this.#next < this.#packets.length && this.#due(this.#next) <= now) {
      const { bytes } = this.#packets[this.#next] as { bytes: Uint8Array };
      const at = this.#ring.put(bytes.length, CHECKSUM_UNKNOWN, 0);
      if (at < 0) break;
      this.#ring.slab.set(bytes, at);
      this.statistics.bytesReceived += bytes.length;
      this.#next++;
    }
    this.#announce();
    if (this.#next < this.#packets.length) this.#callout.schedule(Math.max(now, this.#due(this.#next)));
    else this.#options.onEnd?.();
  }

  /** µs of uptime. */
  #due(index: number): number {
    const first = (this.#packets[0] as { time: number }).time;
    const { time } = this.#packets[index] as { time: number };
    return this.#started + (time - first) / (this.#options.speed ?? 1);
  }

  #announce(): void {
    if (!this.#wanted || this.#events === null || this.#ring.waiting === 0) return;
    this.#wanted = false;
    this.#events.ready();
  }
}

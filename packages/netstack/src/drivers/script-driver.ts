import type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "../driver.ts";
import { CHECKSUM_UNKNOWN, type ChecksumState, type OutboundPacket } from "../packet.ts";
import { emptyDriverStatistics } from "./driver-statistics.ts";
import { gather } from "./gather.ts";
import { PacketRing } from "./packet-ring.ts";

const BATCH = 32;

/** What the stack gave to a script driver: link header first. */
export interface SentPacket {
  readonly bytes: Uint8Array;
  /** Not 0: a super-segment that the device would cut. */
  readonly segmentSize: number;
  /** True: the checksum field holds the pseudo-header sum only. */
  readonly checksumPartial: boolean;
}

export interface InjectOptions {
  readonly checksum?: ChecksumState;
  readonly segmentSize?: number;
}

export const PLAIN_CAPABILITIES: DriverCapabilities = {
  medium: "ip",
  mtu: 1500,
  macAddress: null,
  transmitChecksum: false,
  segmentation4: 0,
  segmentation6: 0,
};

/** A device whose other end is a test: it injects packets, and reads what the stack sent. */
export class ScriptDriver implements Driver {
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  readonly statistics: DriverStatistics = emptyDriverStatistics();
  /** Called for each packet that the stack sends, instead of collecting it. Copy nothing: the bytes are the callee's. */
  onSent: ((packet: SentPacket) => void) | null = null;
  #linkUp = true;
  #events: DriverEvents | null = null;
  #wanted = true;
  readonly #ring = new PacketRing(1 << 18, 1024, BATCH);
  #sent: SentPacket[] = [];

  constructor(capabilities: Partial<DriverCapabilities> = {}, name = "script") {
    this.name = name;
    this.capabilities = { ...PLAIN_CAPABILITIES, ...capabilities };
  }

  get linkUp(): boolean {
    return this.#linkUp;
  }

  get batch(): ReceiveBatch {
    return this.#ring;
  }

  start(events: DriverEvents): void {
    this.#events = events;
  }

  /** Gives packets to the stack in one batch (the stack has handled them when this returns, unless it is called from inside the stack). */
  inject(packets: Uint8Array | readonly Uint8Array[], options: InjectOptions = {}): void {
    for (const bytes of packets instanceof Uint8Array ? [packets] : packets) {
      const at = this.#ring.put(bytes.length, options.checksum ?? CHECKSUM_UNKNOWN, options.segmentSize ?? 0);
      if (at < 0) this.statistics.receiveErrors++;
      else this.#ring.slab.set(bytes, at);
    }
    this.#announce();
  }

  /** Takes what was sent since the last call. */
  take(): SentPacket[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  setLink(up: boolean): void {
    this.#linkUp = up;
    this.#events?.linkChanged(up);
  }

  poll(budget: number): number {
    this.statistics.polls++;
    const count = this.#ring.take(budget);
    if (count === budget) this.statistics.pollsExhausted++;
    this.statistics.packetsReceived += count;
    for (let i = 0; i < count; i++) this.statistics.bytesReceived += this.#ring.lengths[i] as number;
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
      this.statistics.packetsSent++;
      this.statistics.bytesSent += bytes.length;
      const sent = { bytes, segmentSize: packet.segmentSize, checksumPartial: packet.checksumOffset >= 0 };
      if (this.onSent !== null) this.onSent(sent);
      else this.#sent.push(sent);
    }
  }

  async close(): Promise<void> {
    this.#events = null;
  }

  #announce(): void {
    if (!this.#wanted || this.#ring.waiting === 0 || this.#events === null) return;
    this.#wanted = false;
    this.#events.ready();
  }
}

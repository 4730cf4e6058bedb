import type { Clock } from "@nfs4/timecounter";
import type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "../driver.ts";
import { HEADROOM, OutboundPacket } from "../packet.ts";
import { type Impairments, MemoryLink, type MemoryLinkEnd } from "./memory-link.ts";

const BATCH = 32;
/** So much of a packet goes into the header slab, the rest by reference. */
const HEADER = 64;

export interface ImpairedDriverOptions extends Impairments {
  readonly seed?: number;
  /** Overrides for what comes in. */
  readonly back?: Impairments;
}

/**
 * A device at the far end of a bad cable: what is sent and received through it is lost, delayed, reordered, duplicated and corrupted as the options say, in
 * the clock's time. It owns the device, which must have no offloads: what others are to finish cannot be corrupted.
 */
export class ImpairedDriver implements Driver {
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  readonly #device: Driver;
  readonly #near: MemoryLinkEnd;
  readonly #far: MemoryLinkEnd;
  readonly #packet: OutboundPacket;

  /** Throws a RangeError for a device with offloads. */
  constructor(device: Driver, clock: Clock, options: ImpairedDriverOptions) {
    const { medium, mtu, transmitChecksum, segmentation4, segmentation6 } = device.capabilities;
    if (transmitChecksum || segmentation4 > 0 || segmentation6 > 0) {
      throw new RangeError(`${device.name} has offloads: open it without`);
    }
    const link = new MemoryLink(clock, { ...options, medium, mtu });
    this.name = device.name;
    this.capabilities = device.capabilities;
    this.#device = device;
    this.#near = link.a;
    this.#far = link.b;
    const slab = new Uint8Array(HEADROOM + HEADER);
    this.#packet = new OutboundPacket(slab, new DataView(slab.buffer), 0);
  }

  get linkUp(): boolean {
    return this.#device.linkUp;
  }

  get statistics(): DriverStatistics {
    return this.#near.statistics;
  }

  get batch(): ReceiveBatch {
    return this.#near.batch;
  }

  start(events: DriverEvents): void {
    const { slab } = this.#packet;
    this.#device.start(
      {
        ready: () => this.#move(this.#device, this.#far),
        linkChanged: (up) => this.#near.setLink(up),
      },
      slab,
    );
    this.#far.start({ ready: () => this.#move(this.#far, this.#device), linkChanged: () => {} });
    this.#near.start(events);
  }

  poll(budget: number): number {
    return this.#near.poll(budget);
  }

  wake(): void {
    this.#near.wake();
  }

  transmit(packets: readonly OutboundPacket[], count: number): void {
    this.#near.transmit(packets, count);
  }

  async close(): Promise<void> {
    await this.#near.close();
    await this.#far.close();
    await this.#device.close();
  }

  #move(from: Driver, to: Driver): void {
    for (;;) {
      const count = from.poll(BATCH);
      const { slab, offsets, lengths } = from.batch;
      for (let i = 0; i < count; i++) to.transmit([this.#copyOf(slab, offsets[i]!, lengths[i]!)], 1);
      if (count < BATCH) break;
    }
    from.wake();
  }

  #copyOf(slab: Uint8Array, offset: number, length: number): OutboundPacket {
    const packet = this.#packet;
    packet.recycle();
    packet.headerOffset = packet.transportOffset;
    packet.headerLength = Math.min(HEADER, length);
    packet.slab.set(slab.subarray(offset, offset + packet.headerLength), packet.headerOffset);
    if (length > HEADER) packet.addSlice(slab, offset + HEADER, length - HEADER);
    return packet;
  }
}

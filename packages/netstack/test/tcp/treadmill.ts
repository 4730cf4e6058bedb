import type { ByteStream } from "@nfs4/bytestream";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { Address } from "../../src/address.ts";
import { createStack, type HostStack } from "../../src/create-stack.ts";
import type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "../../src/driver.ts";
import { emptyDriverStatistics } from "../../src/drivers/driver-statistics.ts";
import { CHECKSUM_GOOD, type OutboundPacket } from "../../src/packet.ts";
import { encodeSegment } from "./segment-codec.ts";

const BATCH = 32;
export const STRIDE = 1536;
export const SIZE = 1000;
export const HEADERS = 40;
const [OURS, PEERS] = [Address.parse("10.0.0.1"), Address.parse("10.0.0.2")];

/** A device that gives segment after segment out of one slab, and looks at what it is given without keeping it. */
export class Treadmill implements Driver, ReceiveBatch {
  readonly name = "treadmill";
  readonly linkUp = true;
  readonly statistics: DriverStatistics = emptyDriverStatistics();
  readonly capabilities: DriverCapabilities = {
    medium: "ip",
    mtu: 1500,
    macAddress: null,
    transmitChecksum: true,
    segmentation4: 65535,
    segmentation6: 65535,
  };
  readonly slab: Uint8Array = new Uint8Array(BATCH * STRIDE);
  readonly view: DataView = new DataView(this.slab.buffer);
  readonly offsets: Int32Array = new Int32Array(BATCH);
  readonly lengths: Int32Array = new Int32Array(BATCH);
  readonly checksums: Uint8Array = new Uint8Array(BATCH).fill(CHECKSUM_GOOD);
  readonly segmentSizes: Int32Array = new Int32Array(BATCH);
  readonly batch: ReceiveBatch = this;
  events!: DriverEvents;
  /** How many more data segments it has, and the sequence number of the next. */
  remaining = 0;
  seq = 0;
  /** Of the last packet sent. */
  sentSeq = 0;
  sentAck = 0;
  sent = 0;
  firstSlice: Uint8Array | null = null;
  #special: Uint8Array | null = null;

  start(events: DriverEvents): void {
    this.events = events;
  }

  poll(budget: number): number {
    if (this.#special !== null) {
      this.slab.set(this.#special);
      this.lengths[0] = this.#special.length;
      this.offsets[0] = 0;
      this.#special = null;
      return 1;
    }
    const count = Math.min(budget, BATCH, this.remaining);
    this.remaining -= count;
    for (let i = 0; i < count; i++) {
      this.offsets[i] = i * STRIDE;
      this.lengths[i] = HEADERS + SIZE;
      this.view.setUint32(i * STRIDE + 24, this.seq);
      this.view.setUint32(i * STRIDE + 28, this.sentSeq);
      this.seq = (this.seq + SIZE) >>> 0;
    }
    return count;
  }

  wake(): void {}

  transmit(packets: readonly OutboundPacket[], count: number): void {
    for (let i = 0; i < count; i++) {
      const { view, transportOffset: at, payloadLength, slices } = packets[i]!;
      this.sentSeq = (view.getUint32(at + 4) + payloadLength) >>> 0;
      this.sentAck = view.getUint32(at + 8);
      if (payloadLength > 0) this.firstSlice ??= slices[0]!;
      this.sent++;
    }
  }

  async close(): Promise<void> {}

  /** One packet of its own making. */
  inject(packet: Uint8Array): void {
    this.#special = packet;
    this.events.ready();
  }

  /** So many data segments, in turns of fewer than the stack takes at once. */
  run(segments: number): void {
    for (let left = segments; left > 0; left -= 255) {
      this.remaining = Math.min(left, 255);
      this.events.ready();
    }
  }
}

export function established(): { driver: Treadmill; stack: HostStack; stream: ByteStream; clock: VirtualClock } {
  const clock = new VirtualClock();
  const stack = createStack({ name: "hot", clock, random: new SeededRandom(1) });
  const driver = new Treadmill();
  stack.addInterface({ name: "net0", driver }).addAddress("10.0.0.1/24");
  let stream: ByteStream | null = null;
  stack.tcp.listen({ port: 9 }).accept((accepted) => {
    stream = accepted;
  });
  const ports = { sourcePort: 1234, destinationPort: 9, window: 65_535 };
  driver.inject(encodeSegment(PEERS, OURS, { ...ports, flags: "S", seq: 99, mss: 1460 }));
  driver.sentSeq = (driver.sentSeq + 1) >>> 0;
  driver.inject(encodeSegment(PEERS, OURS, { ...ports, seq: 100, ack: driver.sentSeq }));
  const data = encodeSegment(PEERS, OURS, { ...ports, seq: 100, ack: driver.sentSeq, payload: new Uint8Array(SIZE) });
  for (let i = 0; i < BATCH; i++) driver.slab.set(data, i * STRIDE);
  driver.seq = 100;
  if (stream === null) throw new Error("no connection was accepted");
  return { driver, stack, stream, clock };
}

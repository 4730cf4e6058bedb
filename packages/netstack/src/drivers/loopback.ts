import type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "../driver.ts";
import { CHECKSUM_GOOD, CHECKSUM_PARTIAL, type OutboundPacket } from "../packet.ts";
import { emptyDriverStatistics } from "./driver-statistics.ts";
import { gather } from "./gather.ts";
import { PacketRing } from "./packet-ring.ts";

const BATCH = 32;
const PACKETS = 1024;
const BYTES = 4 << 20;
/** As on FreeBSD. */
const MTU = 16384;

/** lo0: gives the stack back what it sends, in a later turn. Checksums are left out, super-segments stay whole. */
export class LoopbackDriver implements Driver {
  readonly name = "lo0";
  readonly linkUp = true;
  readonly statistics: DriverStatistics = emptyDriverStatistics();
  readonly capabilities: DriverCapabilities = {
    medium: "ip",
    mtu: MTU,
    macAddress: null,
    transmitChecksum: true,
    segmentation4: 65535,
    segmentation6: 65535,
  };
  #ring: PacketRing | null = null;
  #events: DriverEvents | null = null;
  #wanted = true;

  start(events: DriverEvents): void {
    this.#events = events;
  }

  get batch(): ReceiveBatch {
    this.#ring ??= new PacketRing(BYTES, PACKETS, BATCH);
    return this.#ring;
  }

  poll(budget: number): number {
    this.statistics.polls++;
    const count = this.#ring?.take(budget) ?? 0;
    if (count === budget) this.statistics.pollsExhausted++;
    this.statistics.packetsReceived += count;
    return count;
  }

  wake(): void {
    this.#wanted = true;
    if ((this.#ring?.waiting ?? 0) > 0) this.#announce();
  }

  transmit(packets: readonly OutboundPacket[], count: number): void {
    this.#ring ??= new PacketRing(BYTES, PACKETS, BATCH);
    for (let i = 0; i < count; i++) {
      const packet = packets[i] as OutboundPacket;
      const length = packet.headerLength + packet.payloadLength;
      const at = this.#ring.put(
        length,
        packet.checksumOffset >= 0 ? CHECKSUM_PARTIAL : CHECKSUM_GOOD,
        packet.segmentSize,
      );
      if (at < 0) {
        this.statistics.transmitDrops++;
        continue;
      }
      gather(packet, this.#ring.slab, at);
      this.statistics.packetsSent++;
      this.statistics.bytesSent += length;
      this.statistics.bytesReceived += length;
    }
    if (this.#wanted && this.#ring.waiting > 0) this.#announce();
  }

  async close(): Promise<void> {
    this.#events = null;
  }

  #announce(): void {
    this.#wanted = false;
    this.#events?.ready();
  }
}

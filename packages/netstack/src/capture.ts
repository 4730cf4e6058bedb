import type { Timespec } from "@nfs4/timecounter";
import { gather } from "./drivers/gather.ts";
import type { NetworkInterface, PacketTap } from "./interface.ts";
import { CHECKSUM_PARTIAL, type ChecksumState, type OutboundPacket } from "./packet.ts";
import { type CaptureSink, LINKTYPE_ETHERNET, LINKTYPE_RAW, type PacketDirection, PcapngWriter } from "./pcapng.ts";
import { cutSegments, finishTransportChecksum } from "./segmentation.ts";

export interface CaptureOptions {
  /** Cut super-segments into the segments that they stand for. Default false: they are written as they are, as Linux does. */
  readonly cutSegments?: boolean;
  /** Longest packet written. Default: whole packets. */
  readonly snapLength?: number;
}

/** Writes what an interface receives and sends to a pcapng capture, until it is stopped. */
export class Capture implements PacketTap, Disposable {
  readonly writer: PcapngWriter;
  readonly #iface: NetworkInterface;
  readonly #interfaceId: number;
  readonly #cut: boolean;
  readonly #linkHeader: number;
  #scratch: Uint8Array = new Uint8Array(2048);

  constructor(iface: NetworkInterface, writer: PcapngWriter, options: CaptureOptions = {}) {
    const isEthernet = iface.capabilities.medium === "ethernet";
    this.writer = writer;
    this.#iface = iface;
    this.#cut = options.cutSegments ?? false;
    this.#linkHeader = isEthernet ? 14 : 0;
    this.#interfaceId = writer.addInterface({
      name: iface.name,
      linkType: isEthernet ? LINKTYPE_ETHERNET : LINKTYPE_RAW,
      macAddress: iface.macAddress,
      ...(options.snapLength === undefined ? {} : { snapLength: options.snapLength }),
    });
    iface.addTap(this);
  }

  /** Idempotent. */
  stop(): void {
    this.#iface.removeTap(this);
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  received(
    _iface: NetworkInterface,
    slab: Uint8Array,
    offset: number,
    length: number,
    checksum: ChecksumState,
    segmentSize: number,
  ): void {
    const bytes = this.#room(length);
    bytes.set(slab.subarray(offset, offset + length));
    this.#packet(bytes.subarray(0, length), checksum === CHECKSUM_PARTIAL, segmentSize, "in");
  }

  transmitted(_iface: NetworkInterface, packet: OutboundPacket): void {
    const length = packet.headerLength + packet.payloadLength;
    const bytes = this.#room(length);
    gather(packet, bytes, 0);
    this.#packet(bytes.subarray(0, length), packet.checksumOffset >= 0, packet.segmentSize, "out");
  }

  /** `bytes` are ours to change: a checksum that was left to a device is finished first. */
  #packet(bytes: Uint8Array, isPartial: boolean, segmentSize: number, direction: PacketDirection): void {
    const time = this.#iface.stack.clock.wall();
    const link = this.#linkHeader;
    const ip = bytes.subarray(link);
    if (this.#cut && segmentSize !== 0) {
      for (const segment of cutSegments(bytes, link, ip.length, segmentSize)) {
        const frame = new Uint8Array(link + segment.length);
        frame.set(bytes.subarray(0, link));
        frame.set(segment, link);
        this.#write(time, frame, direction);
      }
      return;
    }
    if ((isPartial || segmentSize !== 0) && ip.length >= 20) {
      const isIpv4 = (ip[0] as number) >>> 4 === 4;
      finishTransportChecksum(ip, isIpv4 ? ((ip[0] as number) & 15) * 4 : 40);
    }
    this.#write(time, bytes, direction);
  }

  #write(time: Timespec, bytes: Uint8Array, direction: PacketDirection): void {
    this.writer.packet(this.#interfaceId, time, bytes, direction);
  }

  #room(length: number): Uint8Array {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(Math.max(length, 65536 + 14));
    return this.#scratch;
  }
}

/** Captures one interface, both ways, to a sink of its own. */
export function captureInterface(iface: NetworkInterface, sink: CaptureSink, options: CaptureOptions = {}): Capture {
  return new Capture(iface, new PcapngWriter(sink, `nfs4 netstack, ${iface.stack.name}`), options);
}

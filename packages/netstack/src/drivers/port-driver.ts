import { errno, PacketPort, type PacketPortKind, READABLE, RECEIVE_MORE, WRITABLE } from "@nfs4/native";
import type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "../driver.ts";
import { CHECKSUM_UNKNOWN, MAX_SLICES, type OutboundPacket } from "../packet.ts";
import { emptyDriverStatistics } from "./driver-statistics.ts";
import { gather } from "./gather.ts";
import { readVirtioHeader, VIRTIO_HEADER, type VirtioMeaning, writeVirtioHeader } from "./virtio-header.ts";

/** Most packets of a poll, and of a call that sends. */
const BATCH = 64;
const SLAB = (1 << 20) + (1 << 17);
const EAGAIN = -(errno["EAGAIN"] as number);
const EPIPE = -(errno["EPIPE"] as number);
/** Errors of a receive after which the next may succeed. After any other (EPIPE, EPROTO, a TUN that was deleted …) nothing comes any more. */
const PASSING: readonly number[] = ["ECONNREFUSED", "ENOBUFS", "ENOMEM"].map((name) => -(errno[name] as number));
/** Bytes kept for a peer that does not read as fast as we send. */
const BACKLOG = 1 << 20;

export interface PortDriverOptions {
  readonly name: string;
  /** Non-blocking; the driver owns it. */
  readonly fd: number;
  readonly kind: PacketPortKind;
  readonly capabilities: DriverCapabilities;
  readonly virtio: boolean;
  /** Whether the process stays alive for it. Default true. */
  readonly keepAlive?: boolean;
  /** The peer hung up, its stream makes no sense, or the device is gone: the link is down for good. */
  readonly onHangUp?: () => void;
}

/**
 * What all drivers over a descriptor share: TUN, TAP, and frames over sockets. Packets are received in batches into one slab, and sent gathered
 * from the stack's header slab and the payload where it lies. Needs `@nfs4/native`.
 */
export class PortDriver implements Driver, ReceiveBatch {
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  readonly statistics: DriverStatistics = emptyDriverStatistics();
  readonly slab: Uint8Array = new Uint8Array(SLAB);
  readonly view: DataView = new DataView(this.slab.buffer);
  readonly offsets: Int32Array = new Int32Array(BATCH);
  readonly lengths: Int32Array = new Int32Array(BATCH);
  readonly checksums: Uint8Array = new Uint8Array(BATCH);
  readonly segmentSizes: Int32Array = new Int32Array(BATCH);
  readonly #options: PortDriverOptions;
  readonly #packets = new Int32Array(2 * BATCH);
  readonly #descriptors = new Int32Array(BATCH * (3 + 3 * MAX_SLICES));
  /** Where each packet's descriptor begins, and the one after the last. */
  readonly #starts = new Int32Array(BATCH + 1);
  readonly #slices: Uint8Array[] = [];
  readonly #meaning: VirtioMeaning = { checksum: CHECKSUM_UNKNOWN, segmentSize: 0 };
  readonly #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  #port: PacketPort | null = null;
  #events: DriverEvents | null = null;
  #linkUp = true;

  constructor(options: PortDriverOptions) {
    this.name = options.name;
    this.capabilities = options.capabilities;
    this.#options = options;
  }

  get linkUp(): boolean {
    return this.#linkUp;
  }

  get batch(): ReceiveBatch {
    return this;
  }

  start(events: DriverEvents, headerSlab: Uint8Array): void {
    const { fd, kind, virtio, capabilities, keepAlive = true } = this.#options;
    const link = capabilities.medium === "ethernet" ? 14 : 0;
    const head = link + (virtio ? VIRTIO_HEADER : 0);
    this.#events = events;
    this.#port = new PacketPort({
      fd,
      kind,
      slab: this.slab,
      packets: this.#packets,
      headers: headerSlab,
      descriptors: this.#descriptors,
      // The IP header on a multiple of 16.
      alignment: (16 - (head % 16)) % 16,
      // Frames of a link without offloads may carry a VLAN tag that we shall not take, and no more.
      maxPacket: virtio ? head + 65535 + 4 : head + Math.max(capabilities.mtu, 1500) + 4,
      onReady: (ready) => this.#ready(ready),
    });
    this.#port.setReferenced(keepAlive);
    this.#port.arm(READABLE);
  }

  poll(budget: number): number {
    const { statistics } = this;
    statistics.polls++;
    const result = this.#port?.receive(Math.min(budget, BATCH)) ?? 0;
    if (result < 0) {
      if (PASSING.includes(result)) statistics.receiveErrors++;
      else this.#hangUp();
      return 0;
    }
    const received = result & (RECEIVE_MORE - 1);
    if (received === budget) statistics.pollsExhausted++;
    statistics.packetsReceived += received;
    return this.#options.virtio ? this.#takeVirtio(received) : this.#take(received);
  }

  wake(): void {
    if (this.#linkUp) this.#port?.arm(READABLE);
  }

  transmit(packets: readonly OutboundPacket[], count: number): void {
    for (let from = 0; from < count; from += BATCH) this.#transmitSome(packets, from, Math.min(count, from + BATCH));
  }

  /** Sends one frame as it lies in memory: for a switch that hands frames from port to port. */
  sendFrame(slab: Uint8Array, offset: number, length: number): void {
    if (this.#port === null) return;
    if (this.#backlog.length === 0) {
      this.#descriptors.set([0, 0, 1, 0, offset, length]);
      const sent = this.#port.send(0, 1, [slab]);
      if (sent > 0) {
        this.statistics.packetsSent++;
        this.statistics.bytesSent += length;
        this.#flush();
        return;
      }
      if (sent !== EAGAIN) {
        this.statistics.transmitDrops++;
        if (sent === EPIPE) this.#hangUp();
        return;
      }
      this.#port.arm(WRITABLE);
    }
    this.#append(slab.slice(offset, offset + length));
  }

  async close(): Promise<void> {
    this.#events = null;
    this.#linkUp = false;
    this.#port?.close();
    this.#port = null;
    this.#backlog.length = 0;
    this.#backlogBytes = 0;
  }

  #take(received: number): number {
    const packets = this.#packets;
    for (let i = 0; i < received; i++) {
      this.offsets[i] = packets[2 * i] as number;
      const length = packets[2 * i + 1] as number;
      this.lengths[i] = length;
      this.statistics.bytesReceived += length;
    }
    return received;
  }

  #takeVirtio(received: number): number {
    const packets = this.#packets;
    const meaning = this.#meaning;
    let count = 0;
    for (let i = 0; i < received; i++) {
      const offset = packets[2 * i] as number;
      const length = packets[2 * i + 1] as number;
      this.statistics.bytesReceived += length;
      if (!readVirtioHeader(this.view, offset, length, meaning)) {
        this.statistics.receiveErrors++;
        continue;
      }
      this.offsets[count] = offset + VIRTIO_HEADER;
      this.lengths[count] = length - VIRTIO_HEADER;
      this.checksums[count] = meaning.checksum;
      this.segmentSizes[count] = meaning.segmentSize;
      count++;
    }
    return count;
  }

  #transmitSome(packets: readonly OutboundPacket[], from: number, to: number): void {
    const { virtio } = this.#options;
    const descriptors = this.#descriptors;
    const slices = this.#slices;
    let at = 0;
    slices.length = 0;
    for (let i = from; i < to; i++) {
      const packet = packets[i] as OutboundPacket;
      this.#starts[i - from] = at;
      if (virtio) writeVirtioHeader(packet);
      const extra = virtio ? VIRTIO_HEADER : 0;
      descriptors[at++] = packet.headerOffset - extra;
      descriptors[at++] = packet.headerLength + extra;
      descriptors[at++] = packet.sliceCount;
      for (let s = 0; s < packet.sliceCount; s++) {
        descriptors[at++] = slices.length;
        descriptors[at++] = packet.sliceOffsets[s] as number;
        descriptors[at++] = packet.sliceLengths[s] as number;
        slices.push(packet.slices[s] as Uint8Array);
      }
      this.statistics.bytesSent += packet.headerLength + packet.payloadLength;
    }
    this.#send(packets, from, to);
    slices.length = 0;
  }

  #send(packets: readonly OutboundPacket[], from: number, to: number): void {
    let next = from;
    while (next < to && this.#port !== null) {
      if (this.#backlog.length > 0) {
        this.#keep(packets[next++] as OutboundPacket);
        continue;
      }
      const sent = this.#port.send(this.#starts[next - from] as number, to - next, this.#slices);
      if (sent > 0) {
        next += sent;
        this.statistics.packetsSent += sent;
      } else if (sent === EAGAIN) {
        this.#keep(packets[next++] as OutboundPacket);
        this.#port.arm(WRITABLE);
      } else {
        this.#drop(packets[next++] as OutboundPacket);
        if (sent === EPIPE) this.#hangUp();
      }
    }
    while (next < to) this.#drop(packets[next++] as OutboundPacket);
    this.#flush();
  }

  /** The rest of a frame that a stream took in part must not wait for the next one. */
  #flush(): void {
    if (this.#options.kind === "stream" && this.#port?.flush() === EAGAIN) this.#port.arm(WRITABLE);
  }

  #drop(packet: OutboundPacket): void {
    this.statistics.transmitDrops++;
    this.statistics.bytesSent -= packet.headerLength + packet.payloadLength;
  }

  /** Copies a packet that the socket would not take; it goes when the socket is writable. */
  #keep(packet: OutboundPacket): void {
    const extra = this.#options.virtio ? VIRTIO_HEADER : 0;
    const copy = new Uint8Array(extra + packet.headerLength + packet.payloadLength);
    copy.set(packet.slab.subarray(packet.headerOffset - extra, packet.headerOffset));
    gather(packet, copy, extra);
    if (!this.#append(copy)) this.statistics.bytesSent -= copy.length - extra;
  }

  #append(copy: Uint8Array): boolean {
    if (this.#backlogBytes + copy.length > BACKLOG) {
      this.statistics.transmitDrops++;
      return false;
    }
    this.#backlog.push(copy);
    this.#backlogBytes += copy.length;
    return true;
  }

  #sendBacklog(): void {
    const backlog = this.#backlog;
    while (backlog.length > 0 && this.#port !== null) {
      const packet = backlog[0] as Uint8Array;
      this.#descriptors.set([0, 0, 1, 0, 0, packet.length]);
      const sent = this.#port.send(0, 1, [packet]);
      if (sent === EAGAIN || sent === 0) {
        this.#port.arm(WRITABLE);
        return;
      }
      backlog.shift();
      this.#backlogBytes -= packet.length;
      if (sent > 0) this.statistics.packetsSent++;
      else this.statistics.transmitDrops++;
      if (sent === EPIPE) this.#hangUp();
    }
    this.#flush();
  }

  #ready(ready: number): void {
    if ((ready & WRITABLE) !== 0) this.#sendBacklog();
    if ((ready & ~WRITABLE) !== 0) this.#events?.ready();
  }

  #hangUp(): void {
    if (!this.#linkUp) return;
    this.#linkUp = false;
    this.#port?.disarm();
    this.#events?.linkChanged(false);
    this.#options.onHangUp?.();
  }
}

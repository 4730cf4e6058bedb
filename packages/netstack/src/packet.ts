/**
 * The two shapes in which packets travel through the stack. Both are pooled or reused objects of one shape:
 * nothing on the packet path is allocated per packet (docs/architecture.md, "Bytes").
 *
 * Addresses are four unsigned 32-bit words in network order of meaning (word 0 first). IPv4 stands mapped: 0, 0, 0x0000ffff, a.b.c.d.
 */
import type { NetworkInterface } from "./interface.ts";

/** What is known of the transport checksum of a packet that came in. */
export const CHECKSUM_UNKNOWN = 0;
/** The driver's other end has not finished the checksum (virtio NEEDS_CSUM): local traffic, trusted, never verified. */
export const CHECKSUM_PARTIAL = 1;
/** The device verified it. */
export const CHECKSUM_GOOD = 2;
export type ChecksumState = typeof CHECKSUM_UNKNOWN | typeof CHECKSUM_PARTIAL | typeof CHECKSUM_GOOD;

/**
 * A packet on its way up. One object is reused for every packet of a batch: it, and the slab under it, are lent for the length
 * of an input call. Whoever keeps bytes copies them.
 */
export class InboundPacket {
  /** Where it came in. */
  iface!: NetworkInterface;
  slab!: Uint8Array;
  /** Over the whole of `slab` (offsets below are offsets in both). */
  view!: DataView;
  /** First byte of the IP header, and the end of the IP packet (link padding already cut off). */
  ipOffset = 0;
  end = 0;
  family: 4 | 6 = 4;
  /** First byte after the IP header and extension headers. */
  transportOffset = 0;
  /** IP protocol / final next header. */
  protocol = 0;
  /** TOS or traffic class, ECN bits included. */
  trafficClass = 0;
  hopLimit = 0;
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  checksum: ChecksumState = CHECKSUM_UNKNOWN;
  /** Not 0: the driver handed over a coalesced super-segment made of segments of so many payload bytes. */
  segmentSize = 0;
  /** True for broadcast or multicast at the link or IP layer: never answered by TCP, ICMP errors. */
  multicast = false;
}

/** Room in front of the transport header for IPv6 (40), Ethernet (14) and a virtio-net header (12), aligned. */
export const HEADROOM = 80;
/** Bytes of header slab each outbound packet owns: headroom, 60 bytes of TCP header, small inline payloads. */
export const HEADER_REGION = 256;
/** At most so many payload slices a packet (writev's limit is 1024; more gains nothing). */
export const MAX_SLICES = 120;

/**
 * A packet on its way down. Acquired from `stack.acquireOutbound()`, filled by a transport, given away with `stack.ip.output(packet)`:
 * from then on the stack owns it and puts it back into the pool after the driver's `transmit`. Payload slices are borrowed until the flush at the
 * end of the current stack entry (`stack.leave()`), which is before any acknowledgement could release them.
 */
export class OutboundPacket {
  /** The stack-wide header slab; drivers register it once. */
  readonly slab: Uint8Array;
  readonly view: DataView;
  /** Where this packet's region begins in the slab. */
  readonly regionOffset: number;
  /** Where the transport header goes: `regionOffset + HEADROOM`. The transport writes it there. */
  readonly transportOffset: number;
  /** Bytes of transport header (and inline payload right behind it) that the transport wrote. */
  transportLength = 0;
  /** First header byte and their number, link header included: moved down as each layer prepends. */
  headerOffset = 0;
  headerLength = 0;

  family: 4 | 6 = 4;
  protocol = 0;
  trafficClass = 0;
  /** 0 means the stack's default. */
  hopLimit = 0;
  dontFragment = true;
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;

  /** Payload by reference, `sliceCount` entries: `slices[i][sliceOffsets[i] … + sliceLengths[i])`. */
  readonly slices: Uint8Array[] = [];
  readonly sliceOffsets: Int32Array = new Int32Array(MAX_SLICES);
  readonly sliceLengths: Int32Array = new Int32Array(MAX_SLICES);
  sliceCount = 0;
  /** Sum of `sliceLengths`. */
  payloadLength = 0;

  /**
   * Offset of the 16-bit checksum in the transport header (16 TCP, 6 UDP), or −1: the transport has finished it itself.
   * IP computes the checksum or leaves the folded pseudo-header sum for the driver, as the interface's capabilities say.
   */
  checksumOffset = -1;
  /** Not 0: one super-segment; the driver cuts it into segments of so many payload bytes. Only up to `route`'s interface's capability. */
  segmentSize = 0;

  constructor(slab: Uint8Array, view: DataView, regionOffset: number) {
    this.slab = slab;
    this.view = view;
    this.regionOffset = regionOffset;
    this.transportOffset = regionOffset + HEADROOM;
  }

  /** Adds payload by reference. */
  addSlice(bytes: Uint8Array, offset: number, length: number): void {
    const index = this.sliceCount++;
    this.slices[index] = bytes;
    this.sliceOffsets[index] = offset;
    this.sliceLengths[index] = length;
    this.payloadLength += length;
  }

  /** Makes it ready for its next user; drops references to payload. */
  recycle(): void {
    for (let i = 0; i < this.sliceCount; i++) this.slices[i] = EMPTY;
    this.sliceCount = 0;
    this.payloadLength = 0;
    this.transportLength = 0;
    this.headerLength = 0;
    this.trafficClass = 0;
    this.hopLimit = 0;
    this.dontFragment = true;
    this.checksumOffset = -1;
    this.segmentSize = 0;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

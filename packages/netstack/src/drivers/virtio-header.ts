import {
  CHECKSUM_GOOD,
  CHECKSUM_PARTIAL,
  CHECKSUM_UNKNOWN,
  type ChecksumState,
  type OutboundPacket,
} from "../packet.ts";

/**
 * The 10-byte little-endian virtio-net header (virtio 1.2 §5.1.6) that a TUN or TAP puts before each packet: what is left undone in it.
 * flags, gso_type, hdr_len, gso_size, csum_start, csum_offset.
 */
export const VIRTIO_HEADER = 10;

const NEEDS_CSUM = 1;
const DATA_VALID = 2;
const GSO_NONE = 0;
const GSO_TCPV4 = 1;
const GSO_TCPV6 = 4;
/** Set beside a TCP type where the segments carry ECN's CWR. */
const GSO_ECN = 0x80;
/** Where the flags of a TCP header are, and CWR. */
const TCP_FLAGS = 13;
const CWR = 0x80;

/** What a header said. One object is reused. */
export interface VirtioMeaning {
  checksum: ChecksumState;
  segmentSize: number;
}

/**
 * Reads the header at `offset` of a packet of `length` bytes (header included) into `meaning`. Returns false if it contradicts the packet or
 * itself: such a packet must not go further.
 */
export function readVirtioHeader(view: DataView, offset: number, length: number, meaning: VirtioMeaning): boolean {
  if (length < VIRTIO_HEADER) return false;
  const payload = length - VIRTIO_HEADER;
  const flags = view.getUint8(offset);
  const type = view.getUint8(offset + 1) & ~GSO_ECN;
  meaning.segmentSize = 0;
  meaning.checksum = CHECKSUM_UNKNOWN;
  if ((flags & NEEDS_CSUM) !== 0) {
    const start = view.getUint16(offset + 6, true);
    const field = start + view.getUint16(offset + 8, true);
    if (field + 2 > payload) return false;
    meaning.checksum = CHECKSUM_PARTIAL;
  } else if ((flags & DATA_VALID) !== 0) {
    meaning.checksum = CHECKSUM_GOOD;
  }
  if (type === GSO_NONE) return true;
  if (type !== GSO_TCPV4 && type !== GSO_TCPV6) return false;
  const size = view.getUint16(offset + 4, true);
  if (size === 0) return false;
  // Longer than one segment only: a single segment is an ordinary packet.
  if (size < payload) meaning.segmentSize = size;
  if (meaning.checksum === CHECKSUM_UNKNOWN) meaning.checksum = CHECKSUM_GOOD;
  return true;
}

/** Writes the header right in front of the packet's own. `linkLength` is 0 or 14. */
export function writeVirtioHeader(packet: OutboundPacket): void {
  const { view } = packet;
  const at = packet.headerOffset - VIRTIO_HEADER;
  const hasChecksum = packet.checksumOffset >= 0;
  const { segmentSize } = packet;
  const headerLength = packet.headerLength;
  view.setUint8(at, hasChecksum ? NEEDS_CSUM : 0);
  let type = GSO_NONE;
  if (segmentSize !== 0) {
    type = packet.family === 4 ? GSO_TCPV4 : GSO_TCPV6;
    if ((view.getUint8(packet.transportOffset + TCP_FLAGS) & CWR) !== 0) type |= GSO_ECN;
  }
  view.setUint8(at + 1, type);
  view.setUint16(at + 2, segmentSize === 0 ? 0 : headerLength, true);
  view.setUint16(at + 4, segmentSize, true);
  view.setUint16(at + 6, hasChecksum ? packet.transportOffset - packet.headerOffset : 0, true);
  view.setUint16(at + 8, hasChecksum ? packet.checksumOffset : 0, true);
}

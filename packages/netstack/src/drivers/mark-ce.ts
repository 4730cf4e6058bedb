import { updateChecksum } from "../checksum.ts";

/** The two bits of ECN (RFC 3168 §5). */
const ECN = 0x03;

/** Does to an IP packet of either family that begins at `at` what a congested router does (RFC 3168 §5): CE, if it says ECT. */
export function markCe(bytes: Uint8Array, at: number): void {
  const version = bytes[at]! >>> 4;
  if (version === 6) {
    const ecn = (bytes[at + 1]! >>> 4) & ECN;
    if (ecn !== 0) bytes[at + 1]! |= ECN << 4;
    return;
  }
  const ecn = bytes[at + 1]! & ECN;
  if (version !== 4 || ecn === 0 || ecn === ECN) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const before = view.getUint16(0);
  view.setUint16(0, before | ECN);
  view.setUint16(10, updateChecksum(view.getUint16(10), before, before | ECN));
}

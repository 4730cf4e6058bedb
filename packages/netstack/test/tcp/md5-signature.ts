import { createHash } from "node:crypto";

/** The signature that RFC 2385 §2 asks for of a whole IP packet: written from the text alone, to judge the stack by. */
export function md5Signature(packet: Uint8Array, key: string): Uint8Array {
  const isIpv4 = packet[0]! >>> 4 === 4;
  const at = isIpv4 ? (packet[0]! & 15) * 4 : 40;
  const length = packet.length - at;
  const addresses = isIpv4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  const rest = isIpv4 ? [0, 6, length >>> 8, length & 255] : [0, 0, length >>> 8, length & 255, 0, 0, 0, 6];
  const header = Uint8Array.from(packet.subarray(at, at + 20));
  header.fill(0, 16, 18);
  const payload = packet.subarray(at + (packet[at + 12]! >>> 4) * 4);
  const hash = createHash("md5");
  for (const piece of [addresses, Uint8Array.from(rest), header, payload, key]) hash.update(piece);
  return hash.digest();
}

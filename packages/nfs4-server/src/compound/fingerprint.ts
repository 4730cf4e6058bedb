/** Tells a true retry from a false one (RFC 8881 §2.10.6.1.3.1): FNV-1a over the start of a request and its length. Never 0. */
const COVERED = 256;

export function requestFingerprint(request: Uint8Array): number {
  let hash = 0x811c9dc5 ^ request.length;
  const end = Math.min(request.length, COVERED);
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ (request[i] ?? 0), 0x01000193);
  return hash >>> 0 || 1;
}

/**
 * Tells a true retry from a false one (RFC 8881 §2.10.6.1.3.1): FNV-1a over the start of a request, its length and the user that sends it. Never 0.
 */
import type { Credential } from "@nfs4/rpc";

const COVERED = 256;

export function requestFingerprint(request: Uint8Array, credential: Credential): number {
  let hash = Math.imul(0x811c9dc5 ^ request.length, 0x01000193);
  hash = Math.imul(hash ^ (credential.flavor === 1 ? credential.uid : -credential.flavor), 0x01000193);
  const end = Math.min(request.length, COVERED);
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ (request[i] ?? 0), 0x01000193);
  return hash >>> 0 || 1;
}

import { createHmac, createSecretKey } from "node:crypto";
import { AesCmac } from "./aes-cmac.ts";

/** The MAC algorithms of RFC 5926 §3.2; each has its key derivation function. */
export type AoAlgorithm = "hmac-sha-1-96" | "aes-128-cmac-96";

/** Computes a MAC with a key that it holds; the result is 12 bytes or more, of which TCP-AO uses the first 12. */
export type Mac = (message: Uint8Array) => Uint8Array;

const LABEL: Uint8Array = new TextEncoder().encode("TCP-AO");
/** Both keys are as long as one output of their pseudorandom function, so its counter stays at 1. */
const COUNTER = 1;

/** Traffic_Key = KDF(Master_Key, Context, Output_Length) (RFC 5926 §3.1.1), in bytes. */
export function trafficKey(algorithm: AoAlgorithm, master: Uint8Array, context: Uint8Array): Uint8Array {
  const bits = algorithm === "hmac-sha-1-96" ? 160 : 128;
  const input = new Uint8Array(1 + LABEL.length + context.length + 2);
  input[0] = COUNTER;
  input.set(LABEL, 1);
  input.set(context, 1 + LABEL.length);
  input[input.length - 1] = bits;
  return algorithm === "hmac-sha-1-96" ? hmacSha1(master)(input) : aesPrf(master, input);
}

/** The MAC under a traffic key (RFC 5926 §3.2). */
export function macOf(algorithm: AoAlgorithm, key: Uint8Array): Mac {
  if (algorithm === "hmac-sha-1-96") return hmacSha1(key);
  const cmac = new AesCmac(key);
  return (message) => cmac.mac(message);
}

function hmacSha1(key: Uint8Array): Mac {
  const secret = createSecretKey(key);
  return (message) => createHmac("sha1", secret).update(message).digest();
}

/** §3.1.1.2: a master key that is not of 128 bits is first made one. */
function aesPrf(master: Uint8Array, input: Uint8Array): Uint8Array {
  const key = master.length === 16 ? master : new AesCmac(new Uint8Array(16)).mac(master);
  return new AesCmac(key).mac(input);
}

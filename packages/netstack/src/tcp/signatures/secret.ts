/** As FreeBSD and Linux (TCP_MD5SIG_MAXKEYLEN); RFC 2385 §4.5 asks for 80 at least. */
const LONGEST_SECRET = 80;

/** A copy of a secret that a user gave, as bytes or as text in UTF-8. Throws a RangeError if it is empty or longer than 80 bytes; the message does not tell it. */
export function secretBytes(secret: string | Uint8Array): Uint8Array {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : Uint8Array.from(secret);
  if (bytes.length === 0 || bytes.length > LONGEST_SECRET) {
    throw new RangeError(`a key has 1 to ${LONGEST_SECRET} bytes, not ${bytes.length}`);
  }
  return bytes;
}

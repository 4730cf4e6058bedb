/*
 * Names cross the wire as bytes that ought to be UTF-8, and file systems hold names that are not (RFC 8881 §14.4, RFC 7530 §12.7).
 * As strings they must survive the way there and back, so a byte that is not part of well-formed UTF-8 becomes a lone low surrogate,
 * 0x80 to U+DC80 and so on to U+DCFF (Python's PEP 383 does the same). Well-formed UTF-8 never yields these.
 */

const ESCAPE_BASE = 0xdc00;
const FIRST_ESCAPE = 0xdc80;
const LAST_ESCAPE = 0xdcff;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The string for a name of any bytes. Different bytes give different strings. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

/**
 * The bytes of a name: the inverse of `decodeName`, and UTF-8 for any other well-formed string. The result is the caller's.
 * A lone surrogate that stands for no byte is a RangeError.
 */
export function encodeName(name: string): Uint8Array {
  const units = name.length;
  const bytes = new Uint8Array(units);
  for (let i = 0; i < units; i++) {
    const unit = name.charCodeAt(i);
    if (unit >= 0x80) return encodeEscaping(name);
    bytes[i] = unit;
  }
  return bytes;
}

/** Whether a name decoded from the wire was well-formed UTF-8. */
export function isUtf8Name(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const point = name.codePointAt(i)!;
    if (point > 0xffff) i++;
    else if (point >= 0xd800 && point <= 0xdfff) return false;
  }
  return true;
}

function decodeEscaping(bytes: Uint8Array): string {
  let name = "";
  let start = 0;
  while (start < bytes.length) {
    const length = sequenceLength(bytes, start);
    if (length === 0) {
      name += String.fromCharCode(ESCAPE_BASE + bytes[start]!);
      start += 1;
      continue;
    }
    let end = start + length;
    for (let next = sequenceLength(bytes, end); next > 0; next = sequenceLength(bytes, end)) end += next;
    name += utf8.decode(bytes.subarray(start, end));
    start = end;
  }
  return name;
}

/** Bytes of the well-formed UTF-8 sequence at `at` (Unicode, table 3-7), or 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  if (at >= bytes.length) return 0;
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  // The second byte's range shuts out overlong forms, surrogates and what lies beyond U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1];
  if (second === undefined || second < low || second > high) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let i = 2; i < length; i++) {
    const byte = bytes[at + i];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return 0;
  }
  return length;
}

function encodeEscaping(name: string): Uint8Array {
  // A UTF-16 unit takes at most three bytes.
  const bytes = new Uint8Array(name.length * 3);
  let at = 0;
  for (let i = 0; i < name.length; i++) {
    const point = name.codePointAt(i)!;
    if (point < 0x80) {
      bytes[at++] = point;
    } else if (point < 0x800) {
      bytes[at++] = 0xc0 | (point >> 6);
      bytes[at++] = 0x80 | (point & 0x3f);
    } else if (point >= FIRST_ESCAPE && point <= LAST_ESCAPE) {
      bytes[at++] = point - ESCAPE_BASE;
    } else if (point >= 0xd800 && point <= 0xdfff) {
      throw new RangeError(`the surrogate U+${point.toString(16).toUpperCase()} at ${i} stands for no byte`);
    } else if (point <= 0xffff) {
      bytes[at++] = 0xe0 | (point >> 12);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
    } else {
      i += 1;
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
    }
  }
  return bytes.subarray(0, at);
}

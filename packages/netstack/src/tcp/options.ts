import { MAX_WINDOW_SHIFT, OPTION_AO, OPTION_MD5, USER_TIMEOUT_OPTION } from "./constants.ts";

/** Kinds of options (IANA's registry, those that mean something here). */
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_WINDOW_SCALE = 3;
const OPTION_SACK_PERMITTED = 4;
const OPTION_SACK = 5;
const OPTION_TIMESTAMPS = 8;
const OPTION_USER_TIMEOUT = 28;
/** RFC 7413 §4.1.1. */
const OPTION_FAST_OPEN = 34;
const MOST_COOKIE = 16;
const FEWEST_COOKIE = 4;

/** The largest number in a user timeout option, which counts seconds or, with the bit beside it, minutes (RFC 5482 §3.3). */
const MOST_UNITS = 0x7fff;
const MINUTES = 0x8000;
/** Seconds. */
export const LONGEST_USER_TIMEOUT: number = MOST_UNITS * 60;

/** Room for four SACK blocks: more do not fit in a header. */
const MAX_SACK_BLOCKS = 4;
/** NOP, NOP, Timestamps, length 10: how nearly every segment's options begin (RFC 7323 appendix A). */
const TIMESTAMP_PREFIX = 0x0101080a;

/** The options of one segment. One object is reused for every segment that comes in. */
export class TcpOptions {
  /** 0: not given. */
  mss = 0;
  /** −1: not given. Values above 14 were cut to 14 (RFC 7323 §2.3). */
  windowShift = -1;
  sackPermitted = false;
  hasTimestamps = false;
  tsVal = 0;
  tsEcr = 0;
  /** Blocks in the order of the wire; `sackStart[i]` and `sackEnd[i]` for `i < sackCount`. */
  sackCount = 0;
  readonly sackStart: Uint32Array = new Uint32Array(MAX_SACK_BLOCKS);
  readonly sackEnd: Uint32Array = new Uint32Array(MAX_SACK_BLOCKS);
  /** The last signature (19: MD5, 29: TCP-AO; 0: none), how many there are, and where its option begins in the packet's slab. */
  signatureKind = 0;
  signatureCount = 0;
  signatureOffset = 0;
  signatureLength = 0;
  /** Length of the Fast Open cookie in `fastOpenCookie`; 0: empty, a request; −1: not given. */
  fastOpenLength = -1;
  readonly fastOpenCookie: Uint8Array = new Uint8Array(MOST_COOKIE);
  /** Seconds (RFC 5482); 0: not given. */
  userTimeout = 0;
  /** Options nobody here understands: skipped by their length (MUST-6). */
  unknown = 0;
  /** An option's length was impossible: what stood before it holds, the rest was not looked at (MUST-7). */
  malformed = false;

  reset(): void {
    this.mss = 0;
    this.windowShift = -1;
    this.sackPermitted = false;
    this.hasTimestamps = false;
    this.tsVal = 0;
    this.tsEcr = 0;
    this.sackCount = 0;
    this.signatureKind = 0;
    this.signatureCount = 0;
    this.fastOpenLength = -1;
    this.userTimeout = 0;
    this.unknown = 0;
    this.malformed = false;
  }

  /**
   * Reads the options `view[offset … end)`. `syn`: MSS, window scale and SACK-permitted count only there (RFC 9293 §3.2, RFC 7323 §2.2,
   * RFC 2018 §2) and are skipped elsewhere.
   */
  parse(view: DataView, offset: number, end: number, syn: boolean): void {
    this.reset();
    if (end - offset === 12 && view.getUint32(offset) === TIMESTAMP_PREFIX) {
      this.hasTimestamps = true;
      this.tsVal = view.getUint32(offset + 4);
      this.tsEcr = view.getUint32(offset + 8);
      return;
    }
    let at = offset;
    while (at < end) {
      const kind = view.getUint8(at);
      if (kind === OPTION_END) return;
      if (kind === OPTION_NOP) {
        at++;
        continue;
      }
      const length = at + 1 < end ? view.getUint8(at + 1) : 0;
      if (length < 2 || at + length > end) {
        this.malformed = true;
        return;
      }
      this.#read(view, kind, at, length, syn);
      at += length;
    }
  }

  #read(view: DataView, kind: number, at: number, length: number, syn: boolean): void {
    switch (kind) {
      case OPTION_MSS:
        if (length !== 4) this.malformed = true;
        else if (syn) this.mss = view.getUint16(at + 2);
        return;
      case OPTION_WINDOW_SCALE:
        if (length !== 3) this.malformed = true;
        else if (syn) this.windowShift = Math.min(view.getUint8(at + 2), MAX_WINDOW_SHIFT);
        return;
      case OPTION_SACK_PERMITTED:
        if (length !== 2) this.malformed = true;
        else if (syn) this.sackPermitted = true;
        return;
      case OPTION_TIMESTAMPS:
        if (length !== 10) {
          this.malformed = true;
          return;
        }
        this.hasTimestamps = true;
        this.tsVal = view.getUint32(at + 2);
        this.tsEcr = view.getUint32(at + 6);
        return;
      case OPTION_SACK:
        this.#readSack(view, at, length);
        return;
      case OPTION_MD5:
      case OPTION_AO:
        this.signatureKind = kind;
        this.signatureCount++;
        this.signatureOffset = at;
        this.signatureLength = length;
        return;
      case OPTION_USER_TIMEOUT:
        if (length !== 4) this.malformed = true;
        else this.userTimeout = decodeUserTimeout(view.getUint16(at + 2));
        return;
      case OPTION_FAST_OPEN:
        if (syn) this.#readFastOpen(view, at, length);
        return;
      default:
        this.unknown++;
    }
  }

  /** Invalid lengths are ignored (RFC 7413 §4.1.1). */
  #readFastOpen(view: DataView, at: number, length: number): void {
    const cookie = length - 2;
    if (cookie !== 0 && (cookie < FEWEST_COOKIE || cookie > MOST_COOKIE || cookie % 2 !== 0)) return;
    this.fastOpenLength = cookie;
    for (let i = 0; i < cookie; i++) this.fastOpenCookie[i] = view.getUint8(at + 2 + i);
  }

  #readSack(view: DataView, at: number, length: number): void {
    if (length < 10 || (length - 2) % 8 !== 0) {
      this.malformed = true;
      return;
    }
    const count = Math.min((length - 2) / 8, MAX_SACK_BLOCKS);
    this.sackCount = count;
    for (let i = 0; i < count; i++) {
      this.sackStart[i] = view.getUint32(at + 2 + 8 * i);
      this.sackEnd[i] = view.getUint32(at + 6 + 8 * i);
    }
  }
}

/**
 * The options of a SYN or SYN,ACK in FreeBSD's order: MSS, NOP, window scale, SACK permitted, timestamps. `finishOptions`
 * pads them. `windowShift` −1, `tsVal` −1 and `sackPermitted` false leave theirs out. Returns the number of bytes written.
 */
export function writeSynOptions(
  view: DataView,
  offset: number,
  mss: number,
  windowShift: number,
  sackPermitted: boolean,
  tsVal: number,
  tsEcr: number,
): number {
  let at = offset;
  view.setUint32(at, (OPTION_MSS << 24) | (4 << 16) | mss);
  at += 4;
  if (windowShift >= 0) {
    view.setUint32(at, (OPTION_NOP << 24) | (OPTION_WINDOW_SCALE << 16) | (3 << 8) | windowShift);
    at += 4;
  }
  if (sackPermitted) {
    view.setUint16(at, (OPTION_SACK_PERMITTED << 8) | 2);
    at += 2;
  }
  if (tsVal >= 0) {
    // The bare option fits behind SACK permitted; alone, two NOPs align it.
    if (!sackPermitted) {
      view.setUint16(at, 0x0101);
      at += 2;
    }
    view.setUint16(at, (OPTION_TIMESTAMPS << 8) | 10);
    view.setUint32(at + 2, tsVal);
    view.setUint32(at + 6, tsEcr);
    at += 10;
  }
  return at - offset;
}

/**
 * Brings `length` bytes of options to a whole word: by zeros (MUST-69), or, where a signature of `signatureLength` bytes closes them, by NOPs before
 * it. Returns the length with the signature, which remains to be written.
 */
export function finishOptions(view: DataView, offset: number, length: number, signatureLength: number): number {
  const filler = signatureLength === 0 ? OPTION_END : OPTION_NOP;
  while ((length + signatureLength) % 4 !== 0) view.setUint8(offset + length++, filler);
  return length + signatureLength;
}

/** The Fast Open option; an empty cookie asks for one. Returns the number of bytes written. */
export function writeFastOpen(view: DataView, offset: number, cookie: Uint8Array): number {
  view.setUint16(offset, (OPTION_FAST_OPEN << 8) | (2 + cookie.length));
  for (let i = 0; i < cookie.length; i++) view.setUint8(offset + 2 + i, cookie[i]!);
  return 2 + cookie.length;
}

/** RFC 5482 §3.3. Returns 4. */
export function writeUserTimeout(view: DataView, offset: number, seconds: number): number {
  view.setUint16(offset, (OPTION_USER_TIMEOUT << 8) | USER_TIMEOUT_OPTION);
  view.setUint16(offset + 2, encodeUserTimeout(seconds));
  return USER_TIMEOUT_OPTION;
}

/** NOP, NOP, Timestamps. Returns 12. */
export function writeTimestamps(view: DataView, offset: number, tsVal: number, tsEcr: number): number {
  view.setUint32(offset, TIMESTAMP_PREFIX);
  view.setUint32(offset + 4, tsVal);
  view.setUint32(offset + 8, tsEcr);
  return 12;
}

/** `length` rounded up to a whole word. */
export function wholeWords(length: number): number {
  return (length + 3) & ~3;
}

/** What SACK (two bytes and its blocks) and a signature behind it take without the blocks, padding included: at 2 modulo 4 they align each other. */
export function sackOverhead(signatureLength: number): number {
  return wholeWords(2 + signatureLength);
}

/** SACK with `count` blocks, after two NOPs unless the signature behind it aligns it. Returns the number of bytes written. */
export function writeSack(
  view: DataView,
  offset: number,
  starts: ArrayLike<number>,
  ends: ArrayLike<number>,
  count: number,
  signatureLength: number,
): number {
  let at = offset;
  if (signatureLength % 4 === 0) {
    view.setUint16(at, 0x0101);
    at += 2;
  }
  view.setUint16(at, (OPTION_SACK << 8) | (2 + 8 * count));
  at += 2;
  for (let i = 0; i < count; i++, at += 8) {
    view.setUint32(at, starts[i]!);
    view.setUint32(at + 4, ends[i]!);
  }
  return at - offset;
}

/** The option's value for so many seconds: minutes, rounded up, where seconds do not fit. */
function encodeUserTimeout(seconds: number): number {
  return seconds <= MOST_UNITS ? seconds : MINUTES | Math.min(MOST_UNITS, Math.ceil(seconds / 60));
}

/** Seconds. */
function decodeUserTimeout(value: number): number {
  return (value & MINUTES) === 0 ? value : (value & MOST_UNITS) * 60;
}

import { Address } from "../../src/address.ts";
import { addSums, sumPseudoHeader, sumView } from "../../src/checksum.ts";

import { md5Signature } from "./md5-signature.ts";

/** The letters of the control bits, least significant first. */
const LETTERS = "FSRPAUEC";

/** A TCP segment as a test writes it down. */
export interface SegmentInit {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq?: number;
  /** Sets ACK, unless `flags` is given without A. */
  readonly ack?: number;
  /** Letters of FSRPAUEC. */
  readonly flags?: string;
  readonly window?: number;
  readonly urgent?: number;
  readonly payload?: Uint8Array | string | number;
  readonly mss?: number;
  readonly windowShift?: number;
  readonly sackPermitted?: boolean;
  readonly timestamps?: readonly [number, number] | undefined;
  readonly sack?: readonly (readonly [number, number])[];
  /** The Fast Open option with this cookie. */
  readonly fastOpen?: Uint8Array;
  /** The 16 bits of RFC 5482's option. */
  readonly userTimeout?: number;
  /** Signs it (RFC 2385) with that key. */
  readonly md5?: string | undefined;
  /** Written instead of all other options; padded with zeros. */
  readonly rawOptions?: readonly number[];
  /** Data offset in words, if it is to be wrong. */
  readonly dataOffset?: number;
  readonly badChecksum?: boolean;
  readonly trafficClass?: number;
  /** IPv4 options (a multiple of four). */
  readonly ipOptions?: readonly number[];
  readonly source?: string;
  readonly destination?: string;
}

/** A TCP segment as it was sent. */
export interface Segment {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: string;
  readonly window: number;
  readonly urgent: number;
  readonly payload: Uint8Array;
  readonly mss: number | null;
  readonly windowShift: number | null;
  readonly sackPermitted: boolean;
  readonly timestamps: readonly [number, number] | null;
  readonly sack: readonly (readonly [number, number])[];
  readonly fastOpen: Uint8Array | null;
  readonly userTimeout: number | null;
  readonly optionBytes: Uint8Array;
  /** The digest of its MD5 signature, and the whole IP packet. */
  readonly md5: Uint8Array | null;
  readonly packet: Uint8Array;
  readonly checksumGood: boolean;
  readonly segmentSize: number;
  readonly trafficClass: number;
  readonly hopLimit: number;
  readonly identification: number;
  readonly dontFragment: boolean;
}

export function encodeSegment(from: Address, to: Address, init: SegmentInit): Uint8Array {
  const source = init.source === undefined ? from : Address.parse(init.source);
  const destination = init.destination === undefined ? to : Address.parse(init.destination);
  const options = encodeOptions(init);
  const body = payloadOf(init.payload);
  const ipOptions = init.ipOptions ?? [];
  const ipHeader = source.family === 4 ? 20 + ipOptions.length : 40;
  const tcpLength = 20 + options.length + body.length;
  const bytes = new Uint8Array(ipHeader + tcpLength);
  const view = new DataView(bytes.buffer);
  writeIp(bytes, view, source, destination, tcpLength, init, ipOptions);
  const at = ipHeader;
  const letters = init.flags ?? (init.ack === undefined ? "" : "A");
  let flags = 0;
  for (const letter of letters) flags |= 1 << LETTERS.indexOf(letter);
  view.setUint16(at, init.sourcePort);
  view.setUint16(at + 2, init.destinationPort);
  view.setUint32(at + 4, init.seq ?? 0);
  view.setUint32(at + 8, init.ack ?? 0);
  view.setUint16(at + 12, ((init.dataOffset ?? 5 + options.length / 4) << 12) | flags);
  view.setUint16(at + 14, init.window ?? 65_535);
  view.setUint16(at + 18, init.urgent ?? 0);
  bytes.set(options, at + 20);
  bytes.set(body, at + 20 + options.length);
  if (init.md5 !== undefined) bytes.set(md5Signature(bytes, init.md5), at + 20 + options.length - 16);
  const sum = transportSum(source, destination, view, at, tcpLength);
  view.setUint16(at + 16, init.badChecksum ? sum : ~sum & 0xffff);
  return bytes;
}

/** Null: not TCP. */
export function decodeSegment(bytes: Uint8Array, segmentSize = 0, checksumPartial = false): Segment | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint8(0) >>> 4;
  const ipHeader = family === 4 ? (view.getUint8(0) & 15) * 4 : 40;
  if (view.getUint8(family === 4 ? 9 : 6) !== 6) return null;
  const source = Address.fromBytes(family === 4 ? bytes.subarray(12, 16) : bytes.subarray(8, 24));
  const destination = Address.fromBytes(family === 4 ? bytes.subarray(16, 20) : bytes.subarray(24, 40));
  const at = ipHeader;
  const headerLength = (view.getUint8(at + 12) >>> 4) * 4;
  const bits = view.getUint8(at + 13);
  const optionBytes = bytes.slice(at + 20, at + headerLength);
  return {
    source: source.toString(),
    destination: destination.toString(),
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    seq: view.getUint32(at + 4),
    ack: view.getUint32(at + 8),
    flags: [...LETTERS].filter((_, bit) => (bits & (1 << bit)) !== 0).join(""),
    window: view.getUint16(at + 14),
    urgent: view.getUint16(at + 18),
    payload: bytes.slice(at + headerLength),
    ...decodeOptions(optionBytes),
    optionBytes,
    packet: bytes,
    checksumGood: checksumPartial || transportSum(source, destination, view, at, bytes.length - at) === 0xffff,
    segmentSize,
    trafficClass: family === 4 ? view.getUint8(1) : (view.getUint16(0) >>> 4) & 0xff,
    hopLimit: view.getUint8(family === 4 ? 8 : 7),
    identification: family === 4 ? view.getUint16(4) : 0,
    dontFragment: family === 6 || (view.getUint16(6) & 0x4000) !== 0,
  };
}

function payloadOf(payload: SegmentInit["payload"]): Uint8Array {
  if (payload === undefined) return new Uint8Array(0);
  if (typeof payload === "number") return Uint8Array.from({ length: payload }, (_, i) => i & 0xff);
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}

function encodeOptions(init: SegmentInit): Uint8Array {
  const out: number[] = [];
  const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  if (init.rawOptions !== undefined) {
    out.push(...init.rawOptions);
  } else {
    if (init.mss !== undefined) out.push(2, 4, init.mss >>> 8, init.mss & 255);
    if (init.windowShift !== undefined) out.push(1, 3, 3, init.windowShift);
    if (init.sackPermitted) out.push(1, 1, 4, 2);
    if (init.timestamps !== undefined) out.push(1, 1, 8, 10, ...word(init.timestamps[0]), ...word(init.timestamps[1]));
    if (init.userTimeout !== undefined) out.push(28, 4, init.userTimeout >>> 8, init.userTimeout & 0xff);
    if (init.fastOpen !== undefined) out.push(34, 2 + init.fastOpen.length, ...init.fastOpen);
    if (init.sack !== undefined && init.sack.length > 0) {
      out.push(1, 1, 5, 2 + 8 * init.sack.length);
      for (const [from, to] of init.sack) out.push(...word(from), ...word(to));
    }
  }
  if (init.md5 !== undefined) {
    while (out.length % 4 !== 2) out.push(1);
    out.push(19, 18, ...new Array<number>(16).fill(0));
  }
  while (out.length % 4 !== 0) out.push(0);
  return Uint8Array.from(out);
}

interface DecodedOptions {
  mss: number | null;
  windowShift: number | null;
  sackPermitted: boolean;
  timestamps: readonly [number, number] | null;
  sack: (readonly [number, number])[];
  fastOpen: Uint8Array | null;
  userTimeout: number | null;
  md5: Uint8Array | null;
}

function decodeOptions(bytes: Uint8Array): DecodedOptions {
  const found: DecodedOptions = {
    mss: null,
    windowShift: null,
    sackPermitted: false,
    timestamps: null,
    sack: [],
    fastOpen: null,
    userTimeout: null,
    md5: null,
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const kind = bytes[at]!;
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = bytes[at + 1]!;
    if (kind === 2) found.mss = view.getUint16(at + 2);
    else if (kind === 3) found.windowShift = bytes[at + 2]!;
    else if (kind === 28) found.userTimeout = view.getUint16(at + 2);
    else if (kind === 34) found.fastOpen = bytes.slice(at + 2, at + length);
    else if (kind === 4) found.sackPermitted = true;
    else if (kind === 8) found.timestamps = [view.getUint32(at + 2), view.getUint32(at + 6)];
    else if (kind === 19) found.md5 = bytes.slice(at + 2, at + length);
    else if (kind === 5) {
      for (let i = at + 2; i < at + length; i += 8) found.sack.push([view.getUint32(i), view.getUint32(i + 4)]);
    }
    at += length;
  }
  return found;
}

function writeIp(
  bytes: Uint8Array,
  view: DataView,
  source: Address,
  destination: Address,
  length: number,
  init: SegmentInit,
  options: readonly number[],
): void {
  const trafficClass = init.trafficClass ?? 0;
  if (source.family === 4) {
    const header = 20 + options.length;
    view.setUint16(0, ((0x40 | (header / 4)) << 8) | trafficClass);
    view.setUint16(2, header + length);
    view.setUint16(6, 0x4000);
    view.setUint16(8, (64 << 8) | 6);
    bytes.set(source.toBytes(), 12);
    bytes.set(destination.toBytes(), 16);
    bytes.set(options, 20);
    view.setUint16(10, ~sumView(view, 0, header) & 0xffff);
    return;
  }
  view.setUint32(0, 0x60000000 | (trafficClass << 20));
  view.setUint16(4, length);
  view.setUint8(6, 6);
  view.setUint8(7, 64);
  bytes.set(source.toBytes(), 8);
  bytes.set(destination.toBytes(), 24);
}

function transportSum(source: Address, destination: Address, view: DataView, at: number, length: number): number {
  const { w0, w1, w2, w3 } = source;
  const d = destination;
  const pseudo = sumPseudoHeader(w0, w1, w2, w3, d.w0, d.w1, d.w2, d.w3, 6, length);
  return addSums(pseudo, sumView(view, at, length));
}

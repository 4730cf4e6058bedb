/** Reads captures: pcap (both byte orders, µs and ns) and pcapng (both byte orders, any resolution, several sections and interfaces). */

export interface CapturedPacket {
  /** Wall-clock time in µs, as a float64: exact to a quarter of a µs. */
  readonly time: number;
  readonly linkType: number;
  /** In the reader's memory. */
  readonly bytes: Uint8Array;
  /** Length on the wire; larger than `bytes.length` if the capture cut it. */
  readonly originalLength: number;
}

const PCAP_US = 0xa1b2c3d4;
const PCAP_NS = 0xa1b23c4d;
const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE_DESCRIPTION = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const IF_TIMESTAMP_RESOLUTION = 9;
const IF_TIMESTAMP_OFFSET = 14;

/** Thrown for what is no capture, or a damaged one. */
export class CaptureError extends Error {
  readonly code = "CAPTURE_MALFORMED";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.name = "CaptureError";
    this.offset = offset;
  }
}

/** The packets of a capture, in order. Throws CaptureError where it stops making sense. */
export function* readCapture(file: Uint8Array): IterableIterator<CapturedPacket> {
  if (file.length < 4) throw new CaptureError("shorter than any capture", 0);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) === SECTION_HEADER) {
    yield* readPcapng(file, view);
    return;
  }
  const isLittle = [PCAP_US, PCAP_NS].includes(view.getUint32(0, true));
  const magic = view.getUint32(0, isLittle);
  if (magic !== PCAP_US && magic !== PCAP_NS) throw new CaptureError("neither pcap nor pcapng", 0);
  yield* readPcap(file, view, isLittle, magic === PCAP_NS ? 1e-3 : 1);
}

function* readPcap(file: Uint8Array, view: DataView, little: boolean, unit: number): IterableIterator<CapturedPacket> {
  if (file.length < 24) throw new CaptureError("pcap header cut short", 0);
  const linkType = view.getUint32(20, little) & 0x0fffffff;
  for (let at = 24; at < file.length; ) {
    const length = at + 16 <= file.length ? view.getUint32(at + 8, little) : Number.POSITIVE_INFINITY;
    if (at + 16 + length > file.length) throw new CaptureError("packet cut short", at);
    yield {
      time: view.getUint32(at, little) * 1e6 + view.getUint32(at + 4, little) * unit,
      linkType,
      bytes: file.subarray(at + 16, at + 16 + length),
      originalLength: view.getUint32(at + 12, little),
    };
    at += 16 + length;
  }
}

interface DescribedInterface {
  readonly linkType: number;
  readonly snapLength: number;
  /** µs per unit of time stamp, and µs to add. */
  readonly unit: number;
  readonly offset: number;
}

function* readPcapng(file: Uint8Array, view: DataView): IterableIterator<CapturedPacket> {
  let little = true;
  let interfaces: DescribedInterface[] = [];
  for (let at = 0; at < file.length; ) {
    if (at + 12 > file.length) throw new CaptureError("block cut short", at);
    const isSection = view.getUint32(at) === SECTION_HEADER;
    if (isSection) {
      little = view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC;
      interfaces = [];
    }
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < 12 || length % 4 !== 0 || at + length > file.length) throw new CaptureError("block cut short", at);
    const end = at + length - 4;
    if (!isSection && type === INTERFACE_DESCRIPTION && length >= 20) {
      interfaces.push(readInterface(view, at, end, little));
    } else if (type === ENHANCED_PACKET) {
      const captured = length >= 32 ? view.getUint32(at + 20, little) : Number.POSITIVE_INFINITY;
      const described = length >= 32 ? interfaces[view.getUint32(at + 8, little)] : undefined;
      if (described === undefined || at + 28 + captured > end) throw new CaptureError("malformed packet block", at);
      const stamp = view.getUint32(at + 12, little) * 0x1_0000_0000 + view.getUint32(at + 16, little);
      yield {
        time: stamp * described.unit + described.offset,
        linkType: described.linkType,
        bytes: file.subarray(at + 28, at + 28 + captured),
        originalLength: view.getUint32(at + 24, little),
      };
    } else if (type === SIMPLE_PACKET) {
      const described = interfaces[0];
      if (described === undefined || length < 16) throw new CaptureError("malformed packet block", at);
      const original = view.getUint32(at + 8, little);
      const captured = Math.min(original, described.snapLength || original, end - at - 12);
      yield {
        time: 0,
        linkType: described.linkType,
        bytes: file.subarray(at + 12, at + 12 + captured),
        originalLength: original,
      };
    }
    at += length;
  }
}

function readInterface(view: DataView, at: number, end: number, little: boolean): DescribedInterface {
  let unit = 1;
  let offset = 0;
  for (let option = at + 16; option + 4 <= end; ) {
    const code = view.getUint16(option, little);
    const length = view.getUint16(option + 2, little);
    if (code === 0 || option + 4 + length > end) break;
    if (code === IF_TIMESTAMP_RESOLUTION && length === 1) {
      const resolution = view.getUint8(option + 4);
      unit = 1e6 / (resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution);
    } else if (code === IF_TIMESTAMP_OFFSET && length === 8) {
      offset = Number(view.getBigInt64(option + 4, little)) * 1e6;
    }
    option += 4 + ((length + 3) & ~3);
  }
  return { linkType: view.getUint16(at + 8, little), snapLength: view.getUint32(at + 12, little), unit, offset };
}

import type { Timespec } from "@nfs4/timecounter";

/** pcapng (draft-ietf-opsawg-pcapng): section header, interface description and enhanced packet blocks, little-endian, time stamps in ns. */

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

const OPTION_END = 0;
const OPTION_COMMENT = 1;
const SHB_USER_APPLICATION = 4;
const IF_NAME = 2;
const IF_MAC_ADDRESS = 6;
const IF_TIMESTAMP_RESOLUTION = 9;
const EPB_FLAGS = 2;
const NANOSECONDS = 9;

/** Link types (https://www.tcpdump.org/linktypes.html). */
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;

/** Takes the bytes of a capture, in order, and owns them: a file's stream, an array in a test. */
export type CaptureSink = (bytes: Uint8Array) => void;

export type PacketDirection = "in" | "out" | "unknown";

export interface CaptureInterface {
  readonly name: string;
  readonly linkType: number;
  readonly macAddress?: Uint8Array | null;
  /** Longest packet written; longer ones are cut. 0: whole. */
  readonly snapLength?: number;
}

/** Writes one section. Interfaces may be added at any time before their first packet. */
export class PcapngWriter {
  readonly #sink: CaptureSink;
  readonly #snapLengths: number[] = [];
  /** Packets and bytes written. */
  packets = 0;
  bytes = 0;

  constructor(sink: CaptureSink, application = "nfs4 netstack") {
    this.#sink = sink;
    const options = new OptionList().text(SHB_USER_APPLICATION, application).end();
    const block = new Block(SECTION_HEADER, 16 + options.length);
    block.view.setUint32(8, BYTE_ORDER_MAGIC, true);
    block.view.setUint16(12, 1, true);
    // Section length not given: all ones.
    block.view.setUint32(16, 0xffffffff, true);
    block.view.setUint32(20, 0xffffffff, true);
    block.bytes.set(options, 24);
    this.#write(block.bytes);
  }

  /** Describes an interface and returns its number, for `packet`. */
  addInterface(description: CaptureInterface): number {
    const list = new OptionList()
      .text(IF_NAME, description.name)
      .bytes(IF_TIMESTAMP_RESOLUTION, Uint8Array.of(NANOSECONDS));
    if (description.macAddress) list.bytes(IF_MAC_ADDRESS, description.macAddress);
    const options = list.end();
    const block = new Block(INTERFACE_DESCRIPTION, 8 + options.length);
    block.view.setUint16(8, description.linkType, true);
    block.view.setUint32(12, description.snapLength ?? 0, true);
    block.bytes.set(options, 16);
    this.#write(block.bytes);
    return this.#snapLengths.push(description.snapLength ?? 0) - 1;
  }

  /** `bytes` are copied. `time` is wall-clock time. `length`: what the packet had, if `bytes` is not all of it. */
  packet(
    interfaceId: number,
    time: Timespec,
    bytes: Uint8Array,
    direction: PacketDirection = "unknown",
    comment?: string,
    length: number = bytes.length,
  ): void {
    const snap = this.#snapLengths[interfaceId];
    if (snap === undefined) throw new RangeError(`no interface ${interfaceId} in this capture`);
    const captured = snap === 0 ? bytes.length : Math.min(snap, bytes.length);
    const list = new OptionList();
    if (direction !== "unknown") list.bytes(EPB_FLAGS, Uint8Array.of(direction === "in" ? 1 : 2, 0, 0, 0));
    if (comment !== undefined) list.text(OPTION_COMMENT, comment);
    const options = list.end();
    const block = new Block(ENHANCED_PACKET, 20 + padded(captured) + options.length);
    const { view } = block;
    const [high, low] = nanosecondPair(time);
    view.setUint32(8, interfaceId, true);
    view.setUint32(12, high, true);
    view.setUint32(16, low, true);
    view.setUint32(20, captured, true);
    view.setUint32(24, length, true);
    block.bytes.set(bytes.subarray(0, captured), 28);
    block.bytes.set(options, 28 + padded(captured));
    this.packets++;
    this.#write(block.bytes);
  }

  #write(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.#sink(bytes);
  }
}

/** A block of `body` bytes between its type and lengths. */
class Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(type: number, body: number) {
    this.bytes = new Uint8Array(12 + body);
    this.view = new DataView(this.bytes.buffer);
    this.view.setUint32(0, type, true);
    this.view.setUint32(4, this.bytes.length, true);
    this.view.setUint32(this.bytes.length - 4, this.bytes.length, true);
  }
}

class OptionList {
  readonly #parts: number[] = [];

  bytes(code: number, value: Uint8Array): this {
    this.#parts.push(code & 255, code >>> 8, value.length & 255, value.length >>> 8, ...value);
    while (this.#parts.length % 4 !== 0) this.#parts.push(0);
    return this;
  }

  text(code: number, value: string): this {
    return this.bytes(code, new TextEncoder().encode(value));
  }

  /** Nothing at all if there is no option. */
  end(): Uint8Array {
    if (this.#parts.length === 0) return new Uint8Array(0);
    return Uint8Array.from([...this.#parts, OPTION_END, 0, 0, 0]);
  }
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** Seconds × 10^9 + nanoseconds as two 32-bit words. */
function nanosecondPair(time: Timespec): [high: number, low: number] {
  const billion = 1e9;
  const upper = Math.floor(time.seconds / 0x10000) * billion;
  const lower = (time.seconds % 0x10000) * billion + time.nanoseconds;
  const low = (upper % 0x10000) * 0x10000 + lower;
  return [Math.floor(upper / 0x10000) + Math.floor(low / 0x1_0000_0000), low % 0x1_0000_0000];
}

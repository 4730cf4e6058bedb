/** Packets as tests write them, and what tests want to know of packets that a stack sent. */
import { Address } from "../../src/address.ts";
import { sumBytes } from "../../src/checksum.ts";
import { finishTransportChecksum } from "../../src/segmentation.ts";

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Bytes 0, 1, 2 … */
export function ramp(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i;
  return bytes;
}

/** Quicker than `toEqual` on long arrays. */
export function sameBytes(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && Buffer.compare(a, b) === 0;
}

export interface Ipv4Fields {
  readonly from: string;
  readonly to: string;
  readonly protocol?: number;
  readonly ttl?: number;
  readonly id?: number;
  readonly tos?: number;
  readonly dontFragment?: boolean;
  readonly more?: boolean;
  /** In bytes. */
  readonly offset?: number;
  readonly options?: Uint8Array;
}

export function ipv4(fields: Ipv4Fields, payload: Uint8Array): Uint8Array {
  const options = fields.options ?? new Uint8Array(0);
  const headerLength = 20 + options.length;
  const packet = concat(new Uint8Array(20), options, payload);
  const view = viewOf(packet);
  view.setUint8(0, 0x40 | (headerLength / 4));
  view.setUint8(1, fields.tos ?? 0);
  view.setUint16(2, packet.length);
  view.setUint16(4, fields.id ?? 0x1234);
  view.setUint16(6, (fields.dontFragment ? 0x4000 : 0) | (fields.more ? 0x2000 : 0) | ((fields.offset ?? 0) / 8));
  view.setUint8(8, fields.ttl ?? 64);
  view.setUint8(9, fields.protocol ?? 253);
  packet.set(Address.parse(fields.from).toBytes(), 12);
  packet.set(Address.parse(fields.to).toBytes(), 16);
  view.setUint16(10, ~sumBytes(packet, 0, headerLength));
  return packet;
}

export interface Ipv6Fields {
  readonly from: string;
  readonly to: string;
  readonly next?: number;
  readonly hopLimit?: number;
  readonly trafficClass?: number;
}

export function ipv6(fields: Ipv6Fields, payload: Uint8Array): Uint8Array {
  const packet = concat(new Uint8Array(40), payload);
  const view = viewOf(packet);
  view.setUint32(0, 0x60000000 | ((fields.trafficClass ?? 0) << 20));
  view.setUint16(4, payload.length);
  view.setUint8(6, fields.next ?? 253);
  view.setUint8(7, fields.hopLimit ?? 64);
  packet.set(Address.parse(fields.from).toBytes(), 8);
  packet.set(Address.parse(fields.to).toBytes(), 24);
  return packet;
}

/** An IPv6 packet with an upper-layer checksum filled in. */
export function ipv6Checksummed(fields: Ipv6Fields & { readonly next: number }, payload: Uint8Array): Uint8Array {
  const packet = ipv6(fields, payload);
  finishTransportChecksum(packet, 40, fields.next);
  return packet;
}

/** An extension header; `body` is what follows its first two bytes, padded here. */
export function extension(next: number, body: Uint8Array): Uint8Array {
  const length = Math.ceil((body.length + 2) / 8) * 8;
  const header = new Uint8Array(length);
  header[0] = next;
  header[1] = length / 8 - 1;
  header.set(body, 2);
  return header;
}

export function fragmentHeader(next: number, offset: number, more: boolean, id: number): Uint8Array {
  const header = new Uint8Array(8);
  const view = viewOf(header);
  view.setUint8(0, next);
  view.setUint16(2, offset | (more ? 1 : 0));
  view.setUint32(4, id);
  return header;
}

export function icmp(type: number, code: number, rest: number, data: Uint8Array): Uint8Array {
  const message = concat(new Uint8Array(8), data);
  const view = viewOf(message);
  view.setUint8(0, type);
  view.setUint8(1, code);
  view.setUint32(4, rest);
  view.setUint16(2, ~sumBytes(message, 0, message.length));
  return message;
}

/** Without its checksum, which `ipv6Checksummed` fills in. */
export function icmp6(type: number, code: number, rest: number, data: Uint8Array): Uint8Array {
  const message = concat(new Uint8Array(8), data);
  const view = viewOf(message);
  view.setUint8(0, type);
  view.setUint8(1, code);
  view.setUint32(4, rest);
  return message;
}

/** Without its checksum (0). */
export function udp(fromPort: number, toPort: number, data: Uint8Array): Uint8Array {
  const datagram = concat(new Uint8Array(8), data);
  const view = viewOf(datagram);
  view.setUint16(0, fromPort);
  view.setUint16(2, toPort);
  view.setUint16(4, datagram.length);
  return datagram;
}

export function udp4(from: string, fromPort: number, to: string, toPort: number, data: Uint8Array): Uint8Array {
  const packet = ipv4({ from, to, protocol: 17 }, udp(fromPort, toPort, data));
  finishTransportChecksum(packet, 20);
  return packet;
}

export function ethernet(to: string, from: string, type: number, payload: Uint8Array): Uint8Array {
  const header = concat(mac(to), mac(from), Uint8Array.of(type >>> 8, type & 255));
  return concat(header, payload);
}

export function mac(text: string): Uint8Array {
  return Uint8Array.from(text.split(":"), (byte) => Number.parseInt(byte, 16));
}

export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** What a test wants to know of an IP packet, in words. */
export interface Described {
  readonly from: string;
  readonly to: string;
  readonly protocol: number;
  readonly ttl: number;
  readonly id: number;
  readonly flags: string;
  readonly offset: number;
  readonly payload: Uint8Array;
}

/** Throws if lengths or the header checksum are wrong. */
export function describe4(packet: Uint8Array): Described {
  const view = viewOf(packet);
  const headerLength = (view.getUint8(0) & 15) * 4;
  if (view.getUint8(0) >>> 4 !== 4) throw new Error("not IPv4");
  if (view.getUint16(2) !== packet.length) throw new Error(`total length ${view.getUint16(2)}, bytes ${packet.length}`);
  if (sumBytes(packet, 0, headerLength) !== 0xffff) throw new Error("header checksum");
  const field = view.getUint16(6);
  return {
    from: Address.fromBytes(packet.subarray(12, 16)).toString(),
    to: Address.fromBytes(packet.subarray(16, 20)).toString(),
    protocol: view.getUint8(9),
    ttl: view.getUint8(8),
    id: view.getUint16(4),
    flags: `${field & 0x4000 ? "DF" : ""}${field & 0x2000 ? "MF" : ""}`,
    offset: (field & 0x1fff) * 8,
    payload: packet.subarray(headerLength),
  };
}

export function describe6(packet: Uint8Array): Omit<Described, "id" | "flags" | "offset"> {
  const view = viewOf(packet);
  if (view.getUint8(0) >>> 4 !== 6) throw new Error("not IPv6");
  if (view.getUint16(4) + 40 !== packet.length) throw new Error("payload length");
  return {
    from: Address.fromBytes(packet.subarray(8, 24)).toString(),
    to: Address.fromBytes(packet.subarray(24, 40)).toString(),
    protocol: view.getUint8(6),
    ttl: view.getUint8(7),
    payload: packet.subarray(40),
  };
}

/** Whether the upper-layer checksum of an IPv6 packet without extension headers holds. */
export function checksumHolds6(packet: Uint8Array): boolean {
  const copy = packet.slice();
  finishTransportChecksum(copy, 40);
  return copy.every((byte, i) => byte === packet[i]);
}

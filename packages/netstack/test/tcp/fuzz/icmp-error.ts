/** ICMP errors about a connection, as a router would send them, and as one would forge them. */
import { addSums, sumPseudoHeader, sumView } from "../../../src/checksum.ts";
import type { Tcb } from "../../../src/tcp/tcb.ts";
import type { TimeWait } from "../../../src/tcp/time-wait.ts";
import type { Conversation } from "../conversation.ts";
import { encodeSegment } from "../segment-codec.ts";

export type IcmpError = "unreachable" | "too-big" | "time-exceeded";

const TYPES = {
  4: { unreachable: [3, 3], "too-big": [3, 4], "time-exceeded": [11, 0] },
  6: { unreachable: [1, 4], "too-big": [2, 0], "time-exceeded": [3, 0] },
} as const;
const PROTOCOL_ICMP6 = 58;

/** The error quotes a segment of ours at SND.UNA. `mtu` counts where it is about the size. */
export function icmpError(talk: Conversation, error: IcmpError, mtu: number, about: Tcb | TimeWait | null): Uint8Array {
  const { ours, peers } = talk;
  const seq = about === null ? talk.iss : "sndUna" in about ? about.sndUna : about.sndNxt;
  const quoted = encodeSegment(ours, peers, { sourcePort: talk.ourPort, destinationPort: talk.peerPort, seq, ack: 0 });
  const [type, code] = TYPES[ours.family][error];
  const message = new Uint8Array(8 + quoted.length);
  const view = new DataView(message.buffer);
  view.setUint16(0, (type << 8) | code);
  if (error === "too-big") view.setUint32(4, mtu);
  message.set(quoted, 8);
  const { w0, w1, w2, w3 } = peers;
  const pseudo =
    ours.family === 4
      ? 0
      : sumPseudoHeader(w0, w1, w2, w3, ours.w0, ours.w1, ours.w2, ours.w3, PROTOCOL_ICMP6, message.length);
  view.setUint16(2, ~addSums(pseudo, sumView(view, 0, message.length)) & 0xffff);
  return ours.family === 4 ? inIpv4(talk, message) : inIpv6(talk, message);
}

function inIpv4({ ours, peers }: Conversation, message: Uint8Array): Uint8Array {
  const packet = new Uint8Array(20 + message.length);
  const view = new DataView(packet.buffer);
  view.setUint16(0, 0x4500);
  view.setUint16(2, packet.length);
  view.setUint16(8, (64 << 8) | 1);
  packet.set(peers.toBytes(), 12);
  packet.set(ours.toBytes(), 16);
  view.setUint16(10, ~sumView(view, 0, 20) & 0xffff);
  packet.set(message, 20);
  return packet;
}

function inIpv6({ ours, peers }: Conversation, message: Uint8Array): Uint8Array {
  const packet = new Uint8Array(40 + message.length);
  const view = new DataView(packet.buffer);
  view.setUint32(0, 0x60000000);
  view.setUint16(4, message.length);
  view.setUint16(6, (PROTOCOL_ICMP6 << 8) | 64);
  packet.set(peers.toBytes(), 8);
  packet.set(ours.toBytes(), 24);
  packet.set(message, 40);
  return packet;
}

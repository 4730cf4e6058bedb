import { MAPPED, scoped } from "../address.ts";
import type { NetworkInterface } from "../interface.ts";
import { ICMP_UNREACH, UNREACH_HOST } from "../ip/icmp-constants.ts";
import { ICMP6_UNREACH, UNREACH6_ADDRESS } from "../ip/icmp6-constants.ts";
import { CHECKSUM_UNKNOWN } from "../packet.ts";
import type { Stack } from "../stack.ts";
import { ControlError } from "../transport.ts";
import type { HeldPacket } from "./held-packet.ts";

/** The next hop did not answer (RFC 4861 §7.2.2, RFC 1122 §2.3.2.2): tells our own transport, or the host that we forwarded for. */
export function reportUnreachable(stack: Stack, iface: NetworkInterface, held: HeldPacket): void {
  const { bytes, family } = held;
  const view = new DataView(bytes.buffer);
  const error = new ControlError();
  error.kind = "unreachable-host";
  error.family = family;
  error.protocol = held.protocol;
  if (family === 4) {
    error.l2 = MAPPED;
    error.l3 = view.getUint32(12);
    error.r2 = MAPPED;
    error.r3 = view.getUint32(16);
  } else {
    error.l0 = scoped(view.getUint32(8), iface.index);
    error.l1 = view.getUint32(12);
    error.l2 = view.getUint32(16);
    error.l3 = view.getUint32(20);
    error.r0 = scoped(view.getUint32(24), iface.index);
    error.r1 = view.getUint32(28);
    error.r2 = view.getUint32(32);
    error.r3 = view.getUint32(36);
  }
  if (stack.ip.isLocal(error.l0, error.l1, error.l2, error.l3)) {
    error.slab = bytes;
    error.view = view;
    error.quotedOffset = held.transportAt;
    error.quotedLength = bytes.length - held.transportAt;
    if (error.quotedLength >= 8) stack.ip.controlInput(error);
    return;
  }
  answerSender(stack, iface, held, view, error);
}

function answerSender(
  stack: Stack,
  iface: NetworkInterface,
  held: HeldPacket,
  view: DataView,
  error: ControlError,
): void {
  const packet = stack.inbound;
  packet.iface = iface;
  packet.slab = held.bytes;
  packet.view = view;
  packet.ipOffset = 0;
  packet.transportOffset = held.transportAt;
  packet.end = held.bytes.length;
  packet.family = held.family;
  packet.protocol = held.protocol;
  packet.multicast = false;
  packet.checksum = CHECKSUM_UNKNOWN;
  packet.src0 = error.l0;
  packet.src1 = error.l1;
  packet.src2 = error.l2;
  packet.src3 = error.l3;
  packet.dst0 = error.r0;
  packet.dst1 = error.r1;
  packet.dst2 = error.r2;
  packet.dst3 = error.r3;
  if (held.family === 4) stack.ip.icmp.sendError(packet, ICMP_UNREACH, UNREACH_HOST);
  else stack.ip.icmp6.sendError(packet, ICMP6_UNREACH, UNREACH6_ADDRESS);
}

import type { ControlError } from "../transport.ts";
import { SYN_RECEIVED, SYN_SENT } from "./constants.ts";
import { requestOutput, type TcpContext } from "./context.ts";
import { endConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import { seqGe, seqLt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** A connection's share of an ICMP error. Only one that quotes a sequence number in flight is believed (RFC 5927 §4.1). */
export function connectionError(tcb: Tcb, error: ControlError, sequence: number): void {
  const { context } = tcb;
  const { statistics } = context;
  if (!seqGe(sequence, tcb.sndUna) || !seqLt(sequence, tcb.sndMax)) {
    statistics.icmpIgnored++;
    return;
  }
  if (isIgnoredByAo(tcb, error)) {
    statistics.aoDroppedIcmp++;
    return;
  }
  switch (error.kind) {
    case "packet-too-big":
      packetTooBig(context, tcb, error);
      return;
    case "unreachable-port":
    case "unreachable-protocol":
    case "admin-prohibited":
      hardError(tcb, error);
      return;
    default:
      // MUST-56: these never end a connection; should it time out, they say why.
      softError(tcb, error, error.kind === "unreachable-net" ? "ENETUNREACH" : "EHOSTUNREACH");
  }
}

/** RFC 5925 §7.8: what would abort a synchronized connection, or lower an IPv4 path's MTU, comes from nobody who has the key. */
function isIgnoredByAo(tcb: Tcb, error: ControlError): boolean {
  if (tcb.signer?.kind !== "tcp-ao" || tcb.state <= SYN_RECEIVED || tcb.context.tunables.aoAcceptIcmp.value)
    return false;
  switch (error.kind) {
    case "unreachable-port":
    case "unreachable-protocol":
      return true;
    case "packet-too-big":
      return tcb.family === 4;
    case "admin-prohibited":
      return tcb.family === 6;
    default:
      return false;
  }
}

/**
 * SHLD-26. Only before the handshake is done: of a synchronized connection anybody who guesses could say it, and what is true shows by the
 * retransmissions (RFC 5927 §5.2).
 */
function hardError(tcb: Tcb, error: ControlError): void {
  const { statistics, tunables } = tcb.context;
  const code = error.kind === "admin-prohibited" ? "EHOSTUNREACH" : "ECONNREFUSED";
  if ((tcb.state !== SYN_SENT && tcb.state !== SYN_RECEIVED) || !tunables.icmpMayRst.value) {
    softError(tcb, error, code);
    return;
  }
  statistics.icmpHardErrors++;
  endConnection(tcb, "reset", new TcpError(code, `ICMP: ${error.kind}`));
}

function softError(tcb: Tcb, error: ControlError, code: string): void {
  tcb.context.statistics.icmpSoftErrors++;
  tcb.softError = code;
  tcb.owner?.reported(tcb, new TcpError(code, `ICMP: ${error.kind}`));
}

function packetTooBig(context: TcpContext, tcb: Tcb, error: ControlError): void {
  if (!context.tunables.pathMtuDiscovery.value) return;
  context.stack.ip.updatePathMtu(tcb.r0, tcb.r1, tcb.r2, tcb.r3, error.mtu);
  tcb.mtuChanged = true;
  requestOutput(tcb);
}

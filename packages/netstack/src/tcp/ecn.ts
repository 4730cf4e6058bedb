import { ACK, CWR, ECE, SYN } from "./constants.ts";
import type { TcpSegment } from "./segment.ts";
import { seqGe, seqGt, seqLe } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** The two bits of ECN in a traffic class (RFC 3168 §5). */
export const ECN_MASK = 0x03;
export const ECT_0 = 0x02;
export const CE = 0x03;

/** ECN of one connection. Null unless it was agreed on, or in SYN-SENT our SYN asks for it. */
export class Ecn {
  /** A mark has come: ECE goes with every acknowledgment until CWR comes. */
  echo = false;
  /** The window was reduced: CWR goes with the next new data. Echoes of what was sent before `recover` are answered with that. */
  reduced = false;
  recover: number;
  /** Segments that came with a mark, and acknowledgments that echo one. */
  ceReceived = 0;
  echoes = 0;

  constructor(iss: number) {
    this.recover = iss;
  }
}

/** Whether a SYN asks for ECN (RFC 3168 §6.1.1). */
export function asksForEcn(flags: number): boolean {
  return (flags & (SYN | ACK | ECE | CWR)) === (SYN | ECE | CWR);
}

/** What ECN adds to the flags of our SYN or SYN,ACK. A SYN that gets no answer may have been dropped for asking (§6.1.1.1): the next ones do not. */
export function ecnSynFlags(tcb: Tcb, answering: boolean): number {
  if (answering) return tcb.ecn === null ? 0 : ECE;
  const { ecnEnable, ecnMaxretries } = tcb.context.tunables;
  tcb.ecn = ecnEnable.value === 1 && tcb.rexmtTries <= ecnMaxretries.value ? new Ecn(tcb.iss) : null;
  return tcb.ecn === null ? 0 : ECE | CWR;
}

/** The peer's SYN or SYN,ACK has come in SYN-SENT: whether both want ECN. */
export function negotiateEcn(tcb: Tcb, flags: number): void {
  const { statistics, tunables } = tcb.context;
  if ((flags & ACK) === 0) tcb.ecn = tunables.ecnEnable.value !== 0 && asksForEcn(flags) ? new Ecn(tcb.iss) : null;
  else if ((flags & (ECE | CWR)) !== ECE) tcb.ecn = null;
  if (tcb.ecn !== null) statistics.ecnShs++;
}

/**
 * An acceptable segment of a connection with ECN (§6.1.3): CWR ends our echo, CE begins it. What carries no data does not count, for nothing but
 * data is to be sent with ECT.
 */
export function noteMarks(tcb: Tcb, ecn: Ecn, segment: TcpSegment): void {
  if ((segment.flags & CWR) !== 0) ecn.echo = false;
  if (segment.length === 0) return;
  if ((segment.packet.trafficClass & ECN_MASK) !== CE) return;
  tcb.context.statistics.ecnCe++;
  ecn.ceReceived++;
  ecn.echo = true;
}

/**
 * The acknowledgment was taken in, before which `flight` bytes were outstanding. If it echoes a mark (§6.1.2) the congestion window answers, as to a loss, but once
 * for each window of data, and not on top of what recovery did.
 */
export function noteEcho(tcb: Tcb, ecn: Ecn, segment: TcpSegment, flight: number): void {
  if ((segment.flags & ECE) === 0) {
    // Kept close behind SND.UNA, for sequence numbers wrap.
    if (seqGt(tcb.sndUna, ecn.recover)) ecn.recover = (tcb.sndUna - 1) >>> 0;
    return;
  }
  ecn.echoes++;
  if (tcb.inRecovery || tcb.afterTimeout || seqLe(segment.ack, ecn.recover)) return;
  tcb.context.statistics.ecnRcwnd++;
  tcb.congestion.congestionExperienced(Math.min(flight, tcb.cwnd));
  windowReduced(tcb);
}

/** The congestion window was reduced, for whatever reason: the next new data says so, and marks of what is in flight now are answered with that (§6.1.2). */
export function windowReduced({ ecn, sndMax }: Tcb): void {
  if (ecn === null) return;
  ecn.recover = sndMax;
  ecn.reduced = true;
}

/**
 * Whether a segment may say that it is ECN-capable: data that was never sent before and lies within the peer's window; so no retransmission (§6.1.5), no
 * window probe (§6.1.6), no pure acknowledgment (§6.1.4).
 */
export function isEcnCapable(tcb: Tcb, seq: number, length: number): boolean {
  return tcb.ecn !== null && length > 0 && seqGe(seq, tcb.sndMax) && ((seq + length - tcb.sndUna) | 0) <= tcb.sndWnd;
}

import { ACK, RST, SYN, SYN_RECEIVED, TIMER_REXMT } from "./constants.ts";
import { requestOutput } from "./context.ts";
import { stopTimer } from "./deadlines.ts";
import { negotiateEcn } from "./ecn.ts";
import { endConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import { establish } from "./establish.ts";
import { noteFastOpenAnswer, synAcknowledged } from "./fast-open.ts";
import { withholdCookie } from "./fast-open-state.ts";
import { negotiate } from "./negotiate.ts";
import type { TcpSegment } from "./segment.ts";
import { seqGt, seqLe } from "./seq.ts";
import { setState } from "./state.ts";
import type { Tcb } from "./tcb.ts";
import { sendReset } from "./transmit.ts";

/** RFC 9293 §3.10.7.3. True: the connection is established, and the segment goes on to the sixth step. */
export function synSentInput(tcb: Tcb, segment: TcpSegment): boolean {
  const { context } = tcb;
  const { flags, ack } = segment;
  // First, the ACK.
  if ((flags & ACK) !== 0 && (seqLe(ack, tcb.iss) || seqGt(ack, tcb.sndMax))) {
    context.statistics.rcvAckTooMuch++;
    if ((flags & RST) === 0) sendReset(context, segment, tcb.signer);
    return false;
  }
  // Second, RST.
  if ((flags & RST) !== 0) {
    if ((flags & ACK) === 0) {
      context.statistics.badRst++;
      return false;
    }
    context.statistics.resets++;
    endConnection(tcb, "reset", new TcpError("ECONNREFUSED", "refused by peer"));
    return false;
  }
  // Fourth, SYN.
  if ((flags & SYN) === 0) {
    context.statistics.rcvBadFlags++;
    return false;
  }
  tcb.irs = segment.seq;
  tcb.rcvNxt = (segment.seq + 1) >>> 0;
  tcb.signer?.synchronize(tcb.irs);
  // What our SYN offered: never scaled.
  tcb.rcvAdv = (tcb.rcvNxt + Math.min(0xffff, tcb.rcvBufferSize)) >>> 0;
  tcb.lastAckSent = tcb.rcvNxt;
  negotiate(tcb, segment.options);
  negotiateEcn(tcb, flags);
  // The window of a SYN is never scaled.
  tcb.sndWnd = segment.window;
  tcb.maxSndWnd = segment.window;
  tcb.sndWl1 = segment.seq;
  tcb.sndWl2 = ack;
  // What follows is as if the SYN were not there.
  segment.flags &= ~SYN;
  segment.seq = tcb.rcvNxt;
  if ((flags & ACK) === 0) {
    // Both have called: RFC 9293 §3.5, figure 7.
    setState(tcb, SYN_RECEIVED);
    tcb.synDue = true;
    withholdCookie(tcb);
    stopTimer(tcb, TIMER_REXMT);
    requestOutput(tcb);
    return false;
  }
  if (tcb.timedAt >= 0) {
    tcb.rtt.sample(context.clock.coarse() - tcb.timedAt, 1, context.tunables);
    tcb.timedAt = -1;
  } else {
    tcb.rtt.startCautiously(context.tunables);
    // RFC 5681 §3.1: a lost SYN means a window of one segment.
    tcb.cwnd = tcb.maxSegment;
  }
  tcb.rexmtShift = 0;
  tcb.rexmtTries = 0;
  tcb.recover = tcb.iss;
  stopTimer(tcb, TIMER_REXMT);
  tcb.ackNow = true;
  requestOutput(tcb);
  noteFastOpenAnswer(tcb, segment.options, (ack - tcb.iss - 1) >>> 0);
  synAcknowledged(tcb, ack);
  if (tcb.endedHow === null) establish(tcb);
  return tcb.endedHow === null;
}

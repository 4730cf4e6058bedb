import { suspectBlackHole } from "./black-hole.ts";
import {
  ESTABLISHED,
  TIMER_DELACK,
  TIMER_KEEP,
  TIMER_LINGER,
  TIMER_PACE,
  TIMER_PERSIST,
  TIMER_PROBE,
  TIMER_REORDER,
  TIMER_REXMT,
  TIMER_USER,
  TIMERS,
} from "./constants.ts";
import { requestOutput } from "./context.ts";
import { rearm, startTimer, stopTimer } from "./deadlines.ts";
import { abortConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import { isOpeningFast, withholdCookie } from "./fast-open-state.ts";
import { keepTimeout } from "./keep-alive.ts";
import { lingerTimeout } from "./linger.ts";
import { lossByTimeout, reorderingTimeout } from "./loss.ts";
import { sendLossProbe, sendProbe } from "./output.ts";
import { startPersist } from "./persist.ts";
import { startRexmt } from "./send-data.ts";
import { sendHistoryOf } from "./send-history.ts";
import { flightSize, hasUnsent } from "./send-space.ts";
import type { Tcb } from "./tcb.ts";
import { userTimeoutUs } from "./user-timeout.ts";

/** After so many retransmissions of the same data IP is asked for another way, and the user is told (R1, SHLD-10, SHLD-9). */
const R1 = 3;

/** The connection's callout fired: runs every timer that is due. */
export function runTimers(tcb: Tcb): void {
  const { stack, clock } = tcb.context;
  stack.enter();
  try {
    const now = clock.coarse();
    for (let timer = 0; timer < TIMERS && tcb.endedHow === null; timer++) {
      if (tcb.deadlines[timer]! > now) continue;
      stopTimer(tcb, timer);
      expired(tcb, timer);
    }
    if (tcb.endedHow === null) rearm(tcb);
  } finally {
    stack.leave();
  }
}

function expired(tcb: Tcb, timer: number): void {
  switch (timer) {
    case TIMER_REORDER:
      reorderingTimeout(tcb);
      break;
    case TIMER_PROBE:
      sendLossProbe(tcb);
      break;
    case TIMER_REXMT:
      retransmissionTimeout(tcb);
      break;
    case TIMER_PERSIST:
      persistTimeout(tcb);
      break;
    case TIMER_KEEP:
      keepTimeout(tcb);
      break;
    case TIMER_DELACK:
      delayedAckTimeout(tcb);
      break;
    case TIMER_LINGER:
      lingerTimeout(tcb);
      break;
    case TIMER_USER:
      userTimeout(tcb);
      break;
    case TIMER_PACE:
      requestOutput(tcb);
      break;
  }
}

/** RFC 6298 (5.4) to (5.7). */
function retransmissionTimeout(tcb: Tcb): void {
  const { statistics, tunables } = tcb.context;
  statistics.rexmtTimeo++;
  // A SYN,ACK is given up sooner: there may be nobody.
  const most = isOpeningFast(tcb) ? tunables.syncacheRexmtlimit.value : tunables.rexmitTries.value;
  // A user timeout is what counts instead (MUST-21, RFC 5482 §3.1).
  if (++tcb.rexmtTries > most && (userTimeoutUs(tcb) === 0 || tcb.state < ESTABLISHED)) {
    statistics.timeoutDrop++;
    abortConnection(tcb, "timeout", new TcpError(tcb.softError || "ETIMEDOUT", "the peer does not answer"));
    return;
  }
  tcb.rexmtShift++;
  if (tcb.rexmtTries === R1) {
    if (tcb.route !== null) tcb.context.stack.ip.suspect(tcb.route);
    tcb.route = null;
    tcb.owner?.reported(tcb, new TcpError("ETIMEDOUT", `${R1} retransmissions without an answer`));
    if (tcb.endedHow !== null) return;
  }
  if (tcb.state < ESTABLISHED) {
    tcb.synDue = true;
    // Without what may have been in its way (RFC 7413 §4.2.2).
    withholdCookie(tcb);
    tcb.timedAt = -1;
    if (isOpeningFast(tcb) && flightSize(tcb) > 0) lossByTimeout(tcb);
  } else {
    suspectBlackHole(tcb);
    lossByTimeout(tcb);
  }
  startRexmt(tcb);
  requestOutput(tcb);
}

/** RFC 9293 §3.8.6.1. A peer that answers may keep its window shut for ever (MUST-37); one that does not is given up (RFC 6429). */
function persistTimeout(tcb: Tcb): void {
  const { statistics, tunables } = tcb.context;
  if (flightSize(tcb) === 0 && !hasUnsent(tcb)) return;
  statistics.persistTimeo++;
  if (++tcb.persistTries > tunables.rexmitTries.value) {
    statistics.persistDrop++;
    abortConnection(tcb, "timeout", new TcpError("ETIMEDOUT", "the peer does not answer window probes"));
    return;
  }
  tcb.persistShift++;
  sendProbe(tcb);
  startPersist(tcb);
}

function delayedAckTimeout(tcb: Tcb): void {
  tcb.context.statistics.delAck++;
  tcb.ackNow = true;
  requestOutput(tcb);
}

/** The handshake took too long, or data waited too long for its acknowledgment (RFC 9293 §3.9.1.4: SEND). */
function userTimeout(tcb: Tcb): void {
  const { statistics, clock } = tcb.context;
  if (tcb.state >= ESTABLISHED) {
    const us = userTimeoutUs(tcb);
    if (us === 0 || flightSize(tcb) === 0) return;
    const waited = clock.coarse() - sendHistoryOf(tcb).noProgressSince;
    if (waited < us) {
      startTimer(tcb, TIMER_USER, us - waited);
      return;
    }
  }
  statistics.userTimeoutDrop++;
  abortConnection(tcb, "timeout", new TcpError(tcb.softError || "ETIMEDOUT", "timed out"));
}

import { ACK, ESTABLISHED, TIMER_KEEP } from "./constants.ts";
import { startTimer, stopTimer } from "./deadlines.ts";
import { abortConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import { flightSize } from "./send-space.ts";
import type { Tcb } from "./tcb.ts";
import { transmit } from "./transmit.ts";
import { agreedTimeoutUs } from "./user-timeout.ts";

export interface KeepAliveOptions {
  /** Idle time before the first probe, time between probes (ms), and how many go unanswered before the connection is dropped. */
  readonly idleMs?: number;
  readonly intervalMs?: number;
  readonly count?: number;
}

/** By so much the first probe comes later than the user timeout that was agreed on with the peer (RFC 5482 §4.2). */
const MARGIN_US = 1e6;

/** What no call has set is as net.inet.tcp.keepidle, keepintvl and keepcnt are at the time (FreeBSD's TP_KEEPIDLE). */
export function setKeepAlive(tcb: Tcb, on: boolean, options?: KeepAliveOptions): void {
  tcb.keepAlive = on;
  if (options !== undefined) tcb.keepAliveOptions = { ...tcb.keepAliveOptions, ...options };
  if (tcb.endedHow !== null) return;
  tcb.keepProbes = 0;
  if (on) startKeepAlive(tcb);
  else stopTimer(tcb, TIMER_KEEP);
}

export function startKeepAlive(tcb: Tcb): void {
  startTimer(tcb, TIMER_KEEP, idleTime(tcb));
}

/** RFC 9293 §3.8.4. */
export function keepTimeout(tcb: Tcb): void {
  if (!tcb.keepAlive || tcb.state < ESTABLISHED) return;
  const { statistics, clock } = tcb.context;
  statistics.keepTimeo++;
  const remaining = idleTime(tcb) - (clock.coarse() - tcb.lastReceived);
  if (remaining > 0) {
    tcb.keepProbes = 0;
    startTimer(tcb, TIMER_KEEP, remaining);
    return;
  }
  // Data in flight has timers of its own (MUST-26: only on an idle connection).
  if (flightSize(tcb) > 0) {
    startTimer(tcb, TIMER_KEEP, interval(tcb));
    return;
  }
  if (tcb.keepProbes >= mostProbes(tcb)) {
    statistics.keepDrops++;
    abortConnection(tcb, "timeout", new TcpError("ETIMEDOUT", "the peer does not answer keep-alive probes"));
    return;
  }
  tcb.keepProbes++;
  statistics.keepProbe++;
  // A sequence number that was acknowledged already, without data (SHLD-12): the peer must answer.
  transmit(tcb, (tcb.sndUna - 1) >>> 0, ACK, 0, 0, 0);
  startTimer(tcb, TIMER_KEEP, interval(tcb));
}

/** Idle time before the first probe, µs. */
function idleTime(tcb: Tcb): number {
  const us = (tcb.keepAliveOptions?.idleMs ?? tcb.context.tunables.keepidle.value) * 1000;
  const agreed = agreedTimeoutUs(tcb);
  return agreed === 0 ? us : Math.max(us, agreed + MARGIN_US);
}

/** Time between probes, µs. */
function interval(tcb: Tcb): number {
  return (tcb.keepAliveOptions?.intervalMs ?? tcb.context.tunables.keepintvl.value) * 1000;
}

function mostProbes(tcb: Tcb): number {
  return tcb.keepAliveOptions?.count ?? tcb.context.tunables.keepcnt.value;
}

import { TIMER_USER } from "./constants.ts";
import { requestOutput } from "./context.ts";
import { startTimer, stopTimer } from "./deadlines.ts";
import type { TcpSegment } from "./segment.ts";
import { flightSize } from "./send-space.ts";
import type { Tcb } from "./tcb.ts";

/** How long a connection's data may wait for its acknowledgment (RFC 5482 §3). Made when its user, or the stack, has something to say of that. */
export class UserTimeout {
  /** What is in force, µs; 0: so many retransmissions. */
  us = 0;
  /** The user has set it: not CHANGEABLE by what the peer says. */
  isFixed = false;
  /** ADV_UTO, s; 0: the peer is told nothing, nor heeded. */
  advertised = 0;
  /** REMOTE_UTO, s; 0: the peer has told nothing. */
  remote = 0;
  /** The next segment carries the option. */
  due = false;
}

function userTimeoutOf(tcb: Tcb): UserTimeout {
  tcb.userTimeout ??= new UserTimeout();
  return tcb.userTimeout;
}

/** µs; 0: so many retransmissions count instead. */
export function userTimeoutUs({ userTimeout }: Tcb): number {
  return userTimeout === null ? 0 : userTimeout.us;
}

/** What was agreed on with the peer, µs; 0: nothing was, or the user has a timeout of his own. */
export function agreedTimeoutUs({ userTimeout }: Tcb): number {
  return userTimeout === null || userTimeout.isFixed ? 0 : userTimeout.us;
}

/** What is in flight may wait for so long from now on. */
export function startUserTimer(tcb: Tcb): void {
  const us = userTimeoutUs(tcb);
  if (us > 0) startTimer(tcb, TIMER_USER, us);
}

/** The connection's user has a timeout of his own, which nothing that the peer says will change; 0: he has none. */
export function fixUserTimeout(tcb: Tcb, us: number): void {
  const timeout = userTimeoutOf(tcb);
  timeout.isFixed = us > 0;
  useTimeout(tcb, timeout, us);
  adopt(tcb, timeout);
}

/** From now on the peer is told of `seconds`, and the user timeout is what both want together. */
export function advertiseUserTimeout(tcb: Tcb, seconds: number): void {
  const timeout = userTimeoutOf(tcb);
  timeout.advertised = seconds;
  timeout.due = true;
  adopt(tcb, timeout);
  tcb.ackNow = true;
  requestOutput(tcb);
}

/** A segment that is otherwise in order carries the option. */
export function noteUserTimeout(tcb: Tcb, segment: TcpSegment): void {
  tcb.context.statistics.userTimeoutsReceived++;
  const { userTimeout } = tcb;
  if (userTimeout === null || userTimeout.advertised === 0) return;
  userTimeout.remote = segment.options.userTimeout;
  adopt(tcb, userTimeout);
}

/** §3.1: the longer of what both want, within bounds, and longer than the retransmission timeout. */
function adopt(tcb: Tcb, timeout: UserTimeout): void {
  const { isFixed, advertised, remote } = timeout;
  if (isFixed || advertised === 0) return;
  const { utoLow, utoHigh } = tcb.context.tunables;
  const wanted = Math.min(utoHigh.value, Math.max(advertised, remote, utoLow.value));
  useTimeout(tcb, timeout, Math.max(wanted * 1e6, tcb.rtt.backedOff(tcb.rexmtShift, tcb.context.tunables) + 1));
}

function useTimeout(tcb: Tcb, timeout: UserTimeout, us: number): void {
  timeout.us = us;
  if (tcb.endedHow !== null) return;
  stopTimer(tcb, TIMER_USER);
  if (flightSize(tcb) > 0) startUserTimer(tcb);
}

import { TIMER_USER } from "./constants.ts";
import { requestOutput } from "./context.ts";
import { startTimer, stopTimer } from "./deadlines.ts";
import type { TcpSegment } from "./segment.ts";
import { flightSize } from "./send-space.ts";
import type { Tcb } from "./tcb.ts";

/** A connection that keeps itself alive must not give up sooner than the user timeout allows (§4.2), by so many µs. */
const KEEP_ALIVE_MARGIN_US = 1e6;

/** What the ends of a connection tell each other of their user timeouts (RFC 5482 §3): made when the connection's user, or the stack, wants them to. Seconds. */
export class UserTimeouts {
  /** ADV_UTO. */
  advertised: number;
  /** REMOTE_UTO; 0: the peer has told nothing. */
  remote = 0;
  /** The next segment carries the option. */
  due = true;

  constructor(advertised: number) {
    this.advertised = advertised;
  }
}

/** The connection's user has a timeout of his own, which nothing that the peer says will change; 0: he has none. */
export function fixUserTimeout(tcb: Tcb, us: number): void {
  tcb.userTimeoutFixed = us > 0;
  useTimeout(tcb, us);
  if (us === 0 && tcb.userTimeouts !== null) adopt(tcb, tcb.userTimeouts);
}

/** From now on the peer is told of `seconds`, and the user timeout is what both want together. */
export function advertiseUserTimeout(tcb: Tcb, seconds: number): void {
  const timeouts = tcb.userTimeouts ?? new UserTimeouts(seconds);
  tcb.userTimeouts = timeouts;
  timeouts.advertised = seconds;
  timeouts.due = true;
  adopt(tcb, timeouts);
  tcb.ackNow = true;
  requestOutput(tcb);
}

/** A segment that is otherwise in order carries the option. */
export function noteUserTimeout(tcb: Tcb, segment: TcpSegment): void {
  tcb.context.statistics.userTimeoutsReceived++;
  if (tcb.userTimeouts === null) return;
  tcb.userTimeouts.remote = segment.options.userTimeout;
  adopt(tcb, tcb.userTimeouts);
}

/** §3.1: the longer of what both want, within bounds, and longer than the retransmission timeout. */
function adopt(tcb: Tcb, { advertised, remote }: UserTimeouts): void {
  if (tcb.userTimeoutFixed) return;
  const { utoLow, utoHigh } = tcb.context.tunables;
  const wanted = Math.min(utoHigh.value, Math.max(advertised, remote, utoLow.value));
  useTimeout(tcb, Math.max(wanted * 1e6, tcb.rtt.backedOff(tcb.rexmtShift, tcb.context.tunables) + 1));
  if (tcb.keepAlive) tcb.keepIdleUs = Math.max(tcb.keepIdleUs, tcb.userTimeoutUs + KEEP_ALIVE_MARGIN_US);
}

function useTimeout(tcb: Tcb, us: number): void {
  tcb.userTimeoutUs = us;
  if (tcb.endedHow !== null) return;
  stopTimer(tcb, TIMER_USER);
  if (us > 0 && flightSize(tcb) > 0) startTimer(tcb, TIMER_USER, us);
}

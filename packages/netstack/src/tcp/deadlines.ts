import { TIMERS } from "./constants.ts";
import type { Tcb } from "./tcb.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** When the connection next needs time, in µs of uptime; +∞ if it waits for its peer or its user alone. */
export function nextDeadline(tcb: Tcb): number {
  let next = NEVER;
  for (let i = 0; i < TIMERS; i++) {
    const deadline = tcb.deadlines[i]!;
    if (deadline < next) next = deadline;
  }
  return next;
}

/** Sets one of the connection's timers `delay` µs from now. The callout moves only if this is earlier than it stands. */
export function startTimer(tcb: Tcb, timer: number, delay: number): void {
  const deadline = tcb.context.clock.coarse() + delay;
  tcb.deadlines[timer] = deadline;
  const callout = tcb.callout;
  if (callout !== null && (!callout.armed || deadline < callout.deadline)) callout.schedule(deadline);
}

/** A store: the callout finds out when it comes up. */
export function stopTimer(tcb: Tcb, timer: number): void {
  tcb.deadlines[timer] = NEVER;
}

export function timerRuns(tcb: Tcb, timer: number): boolean {
  return tcb.deadlines[timer] !== NEVER;
}

/** After the callout fired: arms it for what is next, if anything. */
export function rearm(tcb: Tcb): void {
  const next = nextDeadline(tcb);
  if (next !== NEVER) tcb.callout?.schedule(next);
}

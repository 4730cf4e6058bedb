import { TIMER_PACE } from "./constants.ts";
import { startTimer, timerRuns } from "./deadlines.ts";
import type { Tcb } from "./tcb.ts";

/**
 * Data leaves in quanta of what a millisecond carries, for the event loop's timers come no finer, but of two segments at least: as with Linux's sizing of
 * super-segments. On a path so fast that a window takes less than that nothing ever waits.
 */
const QUANTUM_US = 1000;
const QUANTUM_SEGMENTS = 2;
/** A timer that wakes late is made up for, up to so much. */
const LATE_US = 4000;

/** Of one connection. Made when its data first leaves at a rate. Times in µs of uptime. */
export class Pacing {
  /** When what has left is through at the pacing rate: a quantum may be ahead of it. */
  next = 0;
  /** The quantum is used up until then. */
  isBlocked = false;
  /** When the last wait for it ended. */
  releasedAt = -1;
}

/**
 * Bytes that may leave now; +∞: as many as the window allows. When a quantum is used up this gives 0 until what has left is through, for which it sets the
 * timer.
 */
export function pacingBudget(tcb: Tcb): number {
  const rate = tcb.congestion.pacingRate();
  if (rate <= 0) {
    if (tcb.pacing !== null) tcb.pacing.isBlocked = false;
    return Number.POSITIVE_INFINITY;
  }
  tcb.pacing ??= new Pacing();
  const { pacing } = tcb;
  const now = tcb.context.clock.coarse();
  if (pacing.isBlocked) {
    // Fractions of a µs are beyond any clock.
    if (pacing.next - now >= 1) return wait(tcb, pacing.next - now);
    pacing.isBlocked = false;
    pacing.next = Math.max(pacing.next, now - LATE_US);
    pacing.releasedAt = now;
  }
  loseIdleTime(pacing, now);
  const ahead = ((pacing.next - now) * rate) / 1e6;
  const quantum = Math.max((rate * QUANTUM_US) / 1e6, QUANTUM_SEGMENTS * tcb.maxSegment);
  if (quantum - ahead < tcb.maxSegment / 2) {
    pacing.isBlocked = true;
    return wait(tcb, pacing.next - now);
  }
  return quantum - ahead;
}

/** `bytes` of data have left. */
export function notePaced(tcb: Tcb, bytes: number): void {
  const rate = tcb.congestion.pacingRate();
  if (rate <= 0) return;
  tcb.pacing ??= new Pacing();
  const { pacing } = tcb;
  loseIdleTime(pacing, tcb.context.clock.coarse());
  pacing.next += (bytes * 1e6) / rate;
}

function wait(tcb: Tcb, us: number): number {
  if (!timerRuns(tcb, TIMER_PACE)) startTimer(tcb, TIMER_PACE, us);
  return 0;
}

/** Time in which there was nothing to send, or no window, is lost; the timer's lateness is not. */
function loseIdleTime(pacing: Pacing, now: number): void {
  if (pacing.next < now && pacing.releasedAt !== now) pacing.next = now;
}

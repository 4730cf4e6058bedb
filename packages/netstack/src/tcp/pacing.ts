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

/**
 * Bytes that may leave now; +∞: as many as the window allows. `Tcb.paceNext` is when what has left so far is through at the pacing rate; a quantum may be ahead
 * of it. When it is used up this gives 0 until that time, for which it sets the timer.
 */
export function pacingBudget(tcb: Tcb): number {
  const rate = tcb.congestion.pacingRate();
  if (rate <= 0) {
    tcb.paceBlocked = false;
    return Number.POSITIVE_INFINITY;
  }
  const now = tcb.context.clock.coarse();
  if (tcb.paceBlocked) {
    // Fractions of a µs are beyond any clock.
    if (tcb.paceNext - now >= 1) return wait(tcb, now);
    tcb.paceBlocked = false;
    tcb.paceNext = Math.max(tcb.paceNext, now - LATE_US);
    tcb.paceReleased = now;
  }
  loseIdleTime(tcb, now);
  const ahead = ((tcb.paceNext - now) * rate) / 1e6;
  const quantum = Math.max((rate * QUANTUM_US) / 1e6, QUANTUM_SEGMENTS * tcb.maxSegment);
  if (quantum - ahead < tcb.maxSegment / 2) {
    tcb.paceBlocked = true;
    return wait(tcb, now);
  }
  return quantum - ahead;
}

/** `bytes` of data have left. */
export function notePaced(tcb: Tcb, bytes: number): void {
  const rate = tcb.congestion.pacingRate();
  if (rate <= 0) return;
  loseIdleTime(tcb, tcb.context.clock.coarse());
  tcb.paceNext += (bytes * 1e6) / rate;
}

function wait(tcb: Tcb, now: number): number {
  if (!timerRuns(tcb, TIMER_PACE)) startTimer(tcb, TIMER_PACE, tcb.paceNext - now);
  return 0;
}

/** Time in which there was nothing to send, or no window, is lost; the timer's lateness is not. */
function loseIdleTime(tcb: Tcb, now: number): void {
  if (tcb.paceNext < now && tcb.paceReleased !== now) tcb.paceNext = now;
}

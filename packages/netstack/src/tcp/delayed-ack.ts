import { TIMER_DELACK } from "./constants.ts";
import { startTimer, timerRuns } from "./deadlines.ts";
import type { Tcb } from "./tcb.ts";

/** Segments apart, on the average, that an acknowledgment waits for the next one. */
const SEGMENTS = 3;
/** Part of the round trip that it waits at most. */
const RTT_PART = 1 / 4;
/** Below this a timer costs more than it gains, and answers of a user come in time. µs. */
const LEAST = 1000;
/** A user who lets so many segments pass does not answer them. */
const ANSWERED = 8;
/** What weight a new gap has in the average. */
const WEIGHT = 1 / 8;

/** What is known of the segments that come in (RFC 9293 §3.8.6.3; adaptive as Linux's quickack and ato). Made with the first data that comes. Times in µs. */
export class AckPacing {
  /** So many segments more are acknowledged with their batch. */
  quick = 0;
  /** When the last one came, and the average time between two. */
  lastArrival = -1;
  gap = 0;
  /** Segments since we last sent data soon after some had come; +∞: never yet. */
  sinceAnswer: number = Number.POSITIVE_INFINITY;
}

/** Payload in order has come: whether its acknowledgment goes with this batch, or may wait for a while. */
export function scheduleAck(tcb: Tcb, length: number): void {
  const { tunables, clock } = tcb.context;
  tcb.ackPacing ??= new AckPacing();
  const pacing = tcb.ackPacing;
  const now = clock.coarse();
  const longest = tunables.delacktime.value * 1000;
  if (pacing.lastArrival < 0 || now - pacing.lastArrival > tcb.rtt.rto) {
    // A beginning, or as good as one: the sender's window is small, and it has no other clock than these.
    pacing.quick = answers(tcb) ? 0 : tunables.quickack.value;
    pacing.gap = longest;
  } else {
    pacing.gap += (Math.min(now - pacing.lastArrival, longest) - pacing.gap) * WEIGHT;
  }
  pacing.lastArrival = now;
  pacing.sinceAnswer++;
  if (pacing.quick > 0) {
    pacing.quick--;
    tcb.ackNow = true;
    return;
  }
  // At least every second segment, or a super-segment, is acknowledged at the end of its batch (SHLD-19); the rest waits.
  if (timerRuns(tcb, TIMER_DELACK) || length > tcb.ourMss || !tunables.delayedAck.value || longest === 0) {
    tcb.ackNow = true;
    return;
  }
  startTimer(tcb, TIMER_DELACK, ackDelay(tcb));
}

/** New data goes out, with an acknowledgment in it: soon after some has come, it is taken for the answer. */
export function noteAnswer(tcb: Tcb): void {
  const { ackPacing: pacing, context } = tcb;
  if (pacing === null || pacing.lastArrival < 0) return;
  if (context.clock.coarse() - pacing.lastArrival > context.tunables.delacktime.value * 1000) return;
  pacing.sinceAnswer = 0;
  pacing.quick = 0;
}

/** Whether the user answers what comes: then its answer is the best carrier of an acknowledgment, after a pause too. */
function answers(tcb: Tcb): boolean {
  return tcb.ackPacing !== null && tcb.ackPacing.sinceAnswer <= ANSWERED;
}

/** How long an acknowledgment may wait: µs, below the peer's least retransmission timeout whatever it is. */
export function ackDelay(tcb: Tcb): number {
  const { tunables } = tcb.context;
  const longest = tunables.delacktime.value * 1000;
  if (!tunables.delackAdaptive.value || answers(tcb)) return longest;
  const rtt = tcb.receiveTuning?.rtt ?? 0;
  const way = rtt === 0 ? tcb.rtt.srtt : rtt;
  const part = way === 0 ? longest : way * RTT_PART;
  return Math.min(longest, Math.max(LEAST, Math.min(SEGMENTS * (tcb.ackPacing?.gap ?? 0), part)));
}

import type { Tcb } from "./tcb.ts";

/** How long the stack-wide budget lasts, and about how much it holds (RFC 5961 §7; both vary, so that no one can count by it). */
const INTERVAL_US = 1_000_000;
const BUDGET = 1000;

/**
 * An acknowledgment that asks the peer whether it meant what came (RFC 5961): bounded per connection (net.inet.tcp.ack_war_cnt) and for the stack, by an amount
 * that is drawn anew each second.
 */
export function challengeAllowed(tcb: Tcb): boolean {
  const { context } = tcb;
  const { tunables, statistics, stack } = context;
  const now = context.clock.coarse();
  if (now >= context.challengeUntil) {
    context.challengeBudget = BUDGET / 2 + (stack.random.uint32() % BUDGET);
    context.challengeUntil = now + INTERVAL_US;
  }
  if (now - tcb.challengeSince >= tunables.ackWarWindow.value * 1000) {
    tcb.challengeSince = now;
    tcb.challengeCount = 0;
  }
  const perConnection = tunables.ackWarCount.value;
  const limited = perConnection > 0 && tunables.ackWarWindow.value > 0;
  if (context.challengeBudget <= 0 || (limited && tcb.challengeCount >= perConnection)) {
    statistics.challengeAcksSuppressed++;
    return false;
  }
  context.challengeBudget--;
  tcb.challengeCount++;
  statistics.challengeAcks++;
  return true;
}

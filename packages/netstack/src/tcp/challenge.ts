import type { TcpContext } from "./context.ts";

/** How long the stack-wide budget lasts, and about how much it holds (RFC 5961 §7; both vary, so that no one can count by it). */
const INTERVAL_US = 1_000_000;
const BUDGET = 1000;

/** What a flow has had of them: so many in the interval that began at `challengeSince`. */
export interface ChallengeAccount {
  challengeCount: number;
  challengeSince: number;
}

/**
 * An acknowledgment that asks the peer whether it meant what came (RFC 5961): bounded per flow (net.inet.tcp.ack_war_cnt) and for the stack, by an amount
 * that is drawn anew each second.
 */
export function challengeAllowed(context: TcpContext, account: ChallengeAccount): boolean {
  const { tunables, statistics, stack } = context;
  const now = context.clock.coarse();
  if (now >= context.challengeUntil) {
    context.challengeBudget = BUDGET / 2 + (stack.random.uint32() % BUDGET);
    context.challengeUntil = now + INTERVAL_US;
  }
  if (now - account.challengeSince >= tunables.ackWarWindow.value * 1000) {
    account.challengeSince = now;
    account.challengeCount = 0;
  }
  const perFlow = tunables.ackWarCount.value;
  const limited = perFlow > 0 && tunables.ackWarWindow.value > 0;
  if (context.challengeBudget <= 0 || (limited && account.challengeCount >= perFlow)) {
    statistics.challengeAcksSuppressed++;
    return false;
  }
  context.challengeBudget--;
  account.challengeCount++;
  statistics.challengeAcks++;
  return true;
}

import { requestOutput, type TcpContext } from "./context.ts";
import type { TcpSegment } from "./segment.ts";
import type { Tcb } from "./tcb.ts";

/** How long one draw of the stack's budget holds. */
const INTERVAL_US = 1_000_000;

/** What a flow has had of them: so many in the interval that began at `challengeSince`. */
export interface ChallengeAccount {
  challengeCount: number;
  challengeSince: number;
}

/** That of a connection. Made when something first gives a reason to ask. */
export class Challenges implements ChallengeAccount {
  challengeCount = 0;
  challengeSince = 0;
}

export function challengesOf(tcb: Tcb): Challenges {
  tcb.challenges ??= new Challenges();
  return tcb.challenges;
}

/**
 * Whether one more acknowledgment may go out that asks the peer if it meant what came (RFC 5961). Two bounds: for each flow (net.inet.tcp.ack_war_cnt),
 * so that forged segments spend little, and for the stack (net.inet.tcp.ack_war_budget). The latter is what a bystander could count: he provokes
 * challenges on connections of his own and sees how many are missing. So it is drawn anew each second, from half to one and a half times the
 * setting: the few that a flow may spend drown in that.
 */
export function challengeAllowed(context: TcpContext, account: ChallengeAccount): boolean {
  const { tunables, statistics } = context;
  const now = context.clock.coarse();
  if (now - account.challengeSince >= tunables.ackWarWindow.value * 1000) {
    account.challengeSince = now;
    account.challengeCount = 0;
  }
  const perFlow = tunables.ackWarCount.value;
  if (perFlow > 0 && tunables.ackWarWindow.value > 0 && account.challengeCount >= perFlow) {
    statistics.challengeAcksSuppressed++;
    return false;
  }
  if (!spend(context, now)) {
    statistics.challengeBudgetSpent++;
    return false;
  }
  account.challengeCount++;
  statistics.challengeAcks++;
  return true;
}

function spend(context: TcpContext, now: number): boolean {
  const mean = context.tunables.ackWarBudget.value;
  if (mean === 0) return true;
  if (now >= context.challengeUntil) {
    context.challengeBudget = Math.ceil(mean / 2) + (context.stack.random.uint32() % mean);
    context.challengeUntil = now + INTERVAL_US;
  }
  if (context.challengeBudget <= 0) return false;
  context.challengeBudget--;
  return true;
}

/** What came may be forged, as `reason` says: asks the connection's peer by an acknowledgment at the end of the batch, if one may go out. */
export function challenge(tcb: Tcb, segment: TcpSegment, reason: string): void {
  tcb.context.stack.oddPackets.mark(segment.packet, reason);
  if (!challengeAllowed(tcb.context, challengesOf(tcb))) return;
  tcb.ackNow = true;
  requestOutput(tcb);
}

import { TIMER_PROBE, TIMER_REXMT } from "./constants.ts";
import { startTimer, stopTimer, timerRuns } from "./deadlines.ts";
import type { TcpSegment } from "./segment.ts";
import { flightSize } from "./send-space.ts";
import { seqGe, seqGt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** Without a round-trip time (RFC 8985 §7.2). */
const UNKNOWN_RTT_US = 1e6;

/** The last loss probe. Made for the first one. */
export class LossProbe {
  /** Not acknowledged yet, as far as is known. */
  inFlight = false;
  /** It repeats the last segment: no new data was to be had. */
  repeated = false;
  /** SND.MAX behind it (TLP.end_seq). */
  end = 0;
  /** How many round-trip times had been measured before it. */
  samples = -1;
}

/**
 * New data was sent, or some acknowledged: when a loss probe is due (TLP_calc_PTO, RFC 8985 §7.2). None while other means look for losses, or the last
 * one has not told anything yet (§7.3).
 */
export function armProbe(tcb: Tcb): void {
  const { tunables, clock } = tcb.context;
  const { sent: log, rtt, probe } = tcb;
  const idle = log === null || log.sackedRuns > 0 || log.lostBytes > 0 || tcb.inRecovery || tcb.afterTimeout;
  const spent = probe !== null && (probe.inFlight || rtt.samples === probe.samples);
  const off = !tcb.sackPermitted || !tunables.rack.value || !tunables.tlp.value;
  if (idle || spent || off || tcb.sndWnd === 0 || !timerRuns(tcb, TIMER_REXMT)) {
    stopTimer(tcb, TIMER_PROBE);
    return;
  }
  let timeout = rtt.samples === 0 ? UNKNOWN_RTT_US : 2 * rtt.srtt;
  // The peer may wait for a second segment before it acknowledges.
  if (flightSize(tcb) <= tcb.maxSegment) timeout += tunables.tlpDelayedAck.value * 1000;
  timeout = Math.max(timeout, tunables.tlpMin.value * 1000);
  startTimer(tcb, TIMER_PROBE, Math.min(timeout, tcb.deadlines[TIMER_REXMT]! - clock.coarse()));
}

/**
 * TLP_process_ack (§7.4.2): what the acknowledgment says of a probe that repeated the last segment. True: that has repaired a loss of which nothing
 * else would tell, so the window must answer to it. `duplicate`: it acknowledges nothing new.
 */
export function probeRepaired(tcb: Tcb, segment: TcpSegment, duplicate: boolean): boolean {
  const { probe } = tcb;
  if (probe === null || !probe.inFlight || !seqGe(segment.ack, probe.end)) return false;
  const { rateSample } = tcb.context;
  const twice = rateSample.hasDsack && rateSample.dsackEnd === probe.end;
  const beyond = seqGt(segment.ack, probe.end);
  if (!probe.repeated || twice || beyond) {
    probe.inFlight = false;
    return probe.repeated && !twice;
  }
  if (duplicate && segment.length === 0 && segment.options.sackCount === 0) probe.inFlight = false;
  return false;
}

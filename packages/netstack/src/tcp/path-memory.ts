import type { PathMemory } from "../ip/host-cache.ts";
import { initialWindow } from "./congestion.ts";
import { limitSegments } from "./path-search.ts";
import type { Tcb } from "./tcb.ts";

/** Samples that make an estimate worth keeping. */
const ENOUGH = 4;
const SECOND = 1e6;
/** At or above it the threshold was never set. */
const NO_THRESHOLD = 0x3fffffff;

/**
 * The handshake is complete: what earlier connections to this peer have learnt (RFC 9040). The round trip only where the handshake has given none, for it
 * had to be repeated; the slow-start threshold only if asked for, since one bad hour of a path would slow down all that comes after.
 */
export function recallPath(tcb: Tcb): void {
  const { stack, tunables } = tcb.context;
  const path = stack.ip.hostCache.recall(tcb.r0, tcb.r1, tcb.r2, tcb.r3);
  if (path === null) return;
  recallLimit(tcb, path);
  if (tcb.rtt.samples === 0 && path.rtt > 0) tcb.rtt.seed(path.rtt, path.rttVar, tunables);
  if (!tunables.hostcacheSsthresh.value || path.ssthresh === 0) return;
  tcb.ssthresh = Math.max(path.ssthresh, initialWindow(tcb.maxSegment, tunables.initcwndSegments.value));
}

/** How long segments may be, for as long as that is believed (RFC 4821 §7.3). */
function recallLimit(tcb: Tcb, { mssLimit, mssLimitAt }: PathMemory): void {
  const { clock, tunables } = tcb.context;
  const searchAt = mssLimitAt + tunables.mtuProbeInterval.value * SECOND;
  if (mssLimit === 0 || mssLimit >= tcb.sendMss || searchAt <= clock.coarse()) return;
  limitSegments(tcb, mssLimit, searchAt);
}

/** The connection ends: what it has learnt is kept for the next one. */
export function rememberPath(tcb: Tcb): void {
  const { rtt, ssthresh } = tcb;
  if (rtt.samples < ENOUGH) return;
  const limit = ssthresh < NO_THRESHOLD ? ssthresh : 0;
  tcb.context.stack.ip.hostCache.remember(tcb.r0, tcb.r1, tcb.r2, tcb.r3, rtt.srtt, rtt.rttVar, limit);
}

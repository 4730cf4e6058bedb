import { limitSegments, modestMss } from "./path-search.ts";
import type { Tcb } from "./tcb.ts";

/** Timeouts after which smaller segments are tried, and after which it was not their size. */
const SUSPECTED = 2;
const ACQUITTED = 6;
const OFF = 0;
const IPV4_ONLY = 2;
const IPV6_ONLY = 3;

/**
 * Path MTU black holes (RFC 2923 §2.1, RFC 4821 §7.7; FreeBSD's net.inet.tcp.pmtud_blackhole_detection): a path may swallow large segments and tell nobody, since a
 * filter eats the ICMP messages. When larger segments time out twice in a row, those of a modest size are tried, after two timeouts more the smallest that every
 * path takes; if those do not come through either, their size was not the trouble, and what was before holds again. `tcb.mssLimit` is what is in force;
 * path-search.ts finds out how much more there may be.
 */
export function suspectBlackHole(tcb: Tcb): void {
  const { rexmtShift: timeouts } = tcb;
  if (!isWatched(tcb) || timeouts < SUSPECTED || timeouts % 2 !== 0) return;
  if (timeouts >= ACQUITTED) {
    if (timeouts === ACQUITTED) acquit(tcb);
    return;
  }
  const modest = modestMss(tcb);
  const least = leastMss(tcb);
  const mss = tcb.sendMss > modest ? modest : least;
  if (tcb.sendMss <= mss || headLength(tcb) <= mss - (tcb.sendMss - tcb.maxSegment)) return;
  const { statistics, clock } = tcb.context;
  if (mss === least) statistics.pmtudBlackholeActivatedMinMss++;
  else statistics.pmtudBlackholeActivated++;
  const before = tcb.pathSearch?.ifAcquitted ?? -1;
  const ifAcquitted = before < 0 ? tcb.mssLimit : before;
  limitSegments(tcb, mss, clock.coarse());
  if (tcb.pathSearch !== null) tcb.pathSearch.ifAcquitted = ifAcquitted;
}

function acquit(tcb: Tcb): void {
  const { statistics, clock } = tcb.context;
  const { pathSearch, mssLimit } = tcb;
  if (mssLimit === 0 || pathSearch?.ifAcquitted === -1) return;
  statistics.pmtudBlackholeFailed++;
  limitSegments(tcb, pathSearch?.ifAcquitted ?? 0, clock.coarse());
}

function isWatched(tcb: Tcb): boolean {
  const mode = tcb.context.tunables.pmtudBlackholeDetection.value;
  return mode !== OFF && mode !== (tcb.family === 4 ? IPV6_ONLY : IPV4_ONLY);
}

/** Payload of the segment that the last timeout sent again. */
function headLength({ sent }: Tcb): number {
  return sent === null ? 0 : sent.lengthOf(sent.first);
}

/** The MSS that every path takes. */
function leastMss({ family, context: { tunables } }: Tcb): number {
  return family === 4 ? tunables.mssdflt.value : tunables.v6mssdflt.value;
}

import { updateMaxSegment } from "./mss.ts";
import type { Tcb } from "./tcb.ts";

/** Timeouts in a row after which smaller segments are tried, and after which it was not their size. */
const SUSPECTED = 2;
const ACQUITTED = 6;
const OFF = 0;
const IPV4_ONLY = 2;
const IPV6_ONLY = 3;

/**
 * Path MTU black holes (RFC 2923 §2.1; FreeBSD's net.inet.tcp.pmtud_blackhole_detection): a path may swallow large segments and tell nobody, since a filter eats
 * the ICMP messages. When full segments time out twice in a row, smaller ones are tried, after two timeouts more the smallest that every path takes; if
 * those do not come through either, their size was not the trouble, and what was before holds again. `tcb.mssLimit` is what is in force.
 */
export function suspectBlackHole(tcb: Tcb): void {
  const { statistics } = tcb.context;
  const { rexmtShift: timeouts, mssLimit } = tcb;
  if (!isWatched(tcb) || timeouts < SUSPECTED) return;
  if (timeouts >= ACQUITTED) {
    if (mssLimit === 0) return;
    statistics.pmtudBlackholeFailed++;
    limit(tcb, 0);
    return;
  }
  if (timeouts % 2 !== 0 || !isFullSegmentInFlight(tcb)) return;
  const { likely, least } = sizes(tcb);
  if (mssLimit === 0 && tcb.sendMss > likely) {
    statistics.pmtudBlackholeActivated++;
    limit(tcb, likely);
  } else if (tcb.sendMss > least) {
    statistics.pmtudBlackholeActivatedMinMss++;
    limit(tcb, least);
  }
}

function isWatched(tcb: Tcb): boolean {
  const mode = tcb.context.tunables.pmtudBlackholeDetection.value;
  return mode !== OFF && mode !== (tcb.family === 4 ? IPV6_ONLY : IPV4_ONLY);
}

function isFullSegmentInFlight({ sent, maxSegment }: Tcb): boolean {
  return sent !== null && sent.lengthOf(sent.first) >= maxSegment;
}

/** MSS: what tunnels and the like leave, and what every path takes. */
function sizes({ family, context: { tunables } }: Tcb): { readonly likely: number; readonly least: number } {
  return family === 4
    ? { likely: tunables.pmtudBlackholeMss.value, least: tunables.mssdflt.value }
    : { likely: tunables.v6pmtudBlackholeMss.value, least: tunables.v6mssdflt.value };
}

function limit(tcb: Tcb, mss: number): void {
  tcb.mssLimit = mss;
  updateMaxSegment(tcb);
}

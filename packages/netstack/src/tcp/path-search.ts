import { DUP_THRESH, TCP_HEADER } from "./constants.ts";
import { ipHeaderLength, largestMss, updateMaxSegment } from "./mss.ts";
import { seqGe, seqGt, seqLt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { optionsLength } from "./transmit.ts";
import { LOST } from "./transmit-log.ts";
import { sendsUrgent } from "./urgent.ts";

/** Sizes that paths have: of Ethernet, jumbo frames and FDDI, and what PPPoE and tunnels leave (MTUs; RFC 4821 §7.3). */
const COMMON = [1280, 1360, 1400, 1420, 1450, 1476, 1480, 1492, 1500, 2002, 4352, 8000, 9000, 16_384, 32_768];
/** A range smaller than this is not worth a probe (Linux's tcp_probe_threshold). */
const CONVERGED = 8;
/** A probe that was lost with a timeout cost more: the next one comes so many times later (RFC 4821 §7.6.3). */
const AFTER_TIMEOUT = 5;
/** CUBIC finds the limit of a window of W segments again after ∛(W × 0.3 ÷ 0.4) s (RFC 9438 §4.2): of 280,000 within a minute. */
const CUBIC_PERIOD_US = 60e6;
/** A larger size is on probation for so many retransmission timeouts, and to be taken back if more than this share is lost meanwhile (§7.8). */
const PROBATION = 2;
const LOSS_TOLERATED = 0.1;
const FEWEST_LOST = 4;
const SEARCH_OFF = 0;
const SEARCH_ALWAYS = 2;

/**
 * Packetization layer path MTU discovery (RFC 4821), of a connection whose segments are limited to less than the interface and the peer would take
 * (`tcb.mssLimit`). Now and then a segment of data is longer than the others: if it arrives, all may be so; if it alone is lost, that was no congestion.
 * Sizes are MSSes: payload and TCP options, bytes.
 */
export class PathSearch {
  /** search_low and search_high. The first probe is as large as can be, for the trouble may be over. */
  low: number;
  high: number;
  /** The probe in flight, 0 if there is none, and its sequence space. */
  size = 0;
  start = 0;
  end = 0;
  /** No probe before; µs of uptime. */
  notBefore: number;
  /** The next probe is as large as can be. */
  boldly = true;
  /** What was in force before the size that is on probation; 0: none is. When that began, and what was lost and delivered until then. */
  before = 0;
  raisedAt = 0;
  lostThen = 0;
  deliveredThen = 0;
  /** Not −1: a black hole is suspected, and this limit holds again if size was not the trouble. */
  ifAcquitted = -1;

  constructor(low: number, high: number, notBefore: number) {
    this.low = low;
    this.high = high;
    this.notBefore = notBefore;
  }
}

/**
 * Segments are at most `mss` long from now on (0: as long as the path as IP knows it lets them be), and larger ones are tried, not before `notBefore` (µs of uptime), unless
 * probing is off.
 */
export function limitSegments(tcb: Tcb, mss: number, notBefore: number): void {
  limitMss(tcb, mss);
  const isSearched = mss > 0 && tcb.context.tunables.mtuProbing.value !== SEARCH_OFF;
  tcb.pathSearch = isSearched ? new PathSearch(mss, largestMss(tcb), notBefore) : null;
}

/** An MSS that nearly all paths take: what to begin with where the size of segments must be found out, or be suspected. */
export function modestMss({ family, context: { tunables } }: Tcb): number {
  return family === 4 ? tunables.pmtudBlackholeMss.value : tunables.v6pmtudBlackholeMss.value;
}

/** The connection is established: with net.inet.tcp.mtu_probing 2 it begins modestly. */
export function searchFromTheStart(tcb: Tcb): void {
  if (tcb.context.tunables.mtuProbing.value !== SEARCH_ALWAYS || tcb.mssLimit > 0) return;
  const modest = modestMss(tcb);
  if (modest < tcb.sendMss) limitSegments(tcb, modest, 0);
}

function limitMss(tcb: Tcb, mss: number): void {
  tcb.mssLimit = mss;
  updateMaxSegment(tcb);
}

/**
 * The payload of a probe that should go now instead of a segment of `full` bytes; 0: none should; −1: one should, as soon as acknowledgments have made room for
 * it (RFC 4821 §7.4). There are `unsent` bytes to send, and the windows let `room` of them go.
 */
export function probePayload(tcb: Tcb, search: PathSearch, full: number, unsent: number, room: number): number {
  const { clock, tunables } = tcb.context;
  const log = tcb.sent;
  if (search.size !== 0 || search.before !== 0 || clock.coarse() < search.notBefore) return 0;
  if (tcb.inRecovery || tcb.afterTimeout || (log !== null && log.lostBytes + log.sackedBytes > 0)) return 0;
  // Without SACK and RACK the loss of one segment among others is not known soon, nor for certain.
  if (!tcb.sackPermitted || !tunables.rack.value || sendsUrgent(tcb) || tcb.ecn?.reduced === true) return 0;
  const size = nextSize(tcb, search);
  if (size === 0) return 0;
  const payload = size - optionsLength(tcb);
  // What follows tells of its loss.
  const needed = payload + DUP_THRESH * full;
  if (payload <= full || unsent < needed || Math.min(tcb.cwnd, tcb.sndWnd) < needed) return 0;
  if (room >= payload) return payload;
  return log === null ? 0 : -1;
}

/** The size to try next; 0: none for now, for the search has found what there is. */
function nextSize(tcb: Tcb, search: PathSearch): number {
  const { low } = search;
  const largest = largestMss(tcb);
  const high = Math.min(search.high, largest);
  if (search.boldly && largest > low) return largest;
  if (high - low >= CONVERGED) {
    const headers = ipHeaderLength(tcb.family) + TCP_HEADER;
    const likely = COMMON.map((mtu) => mtu - headers).filter((mss) => mss > low && mss <= high);
    return likely[likely.length >> 1] ?? (low + high + 1) >>> 1;
  }
  rememberLimit(tcb);
  // Perhaps the path becomes a better one (§7.3).
  search.boldly = true;
  search.high = largest;
  search.notBefore = tcb.context.clock.coarse() + tcb.context.tunables.mtuProbeInterval.value * 1e6;
  return 0;
}

/** For connections to come (§5.2). */
function rememberLimit({ context, mssLimit, r0, r1, r2, r3 }: Tcb): void {
  context.stack.ip.hostCache.rememberMssLimit(r0, r1, r2, r3, mssLimit);
}

/** A probe went out: `start … end)`. */
export function probeSent(tcb: Tcb, search: PathSearch, start: number, end: number): void {
  search.start = start;
  search.end = end;
  search.size = ((end - start) >>> 0) + optionsLength(tcb);
  search.boldly = false;
  tcb.context.statistics.pmtudProbes++;
}

/** SND.UNA has moved: perhaps past the probe, or the larger size has proved itself. */
export function searchAcknowledged(tcb: Tcb, search: PathSearch): void {
  if (search.ifAcquitted !== -1) {
    search.ifAcquitted = -1;
    rememberLimit(tcb);
  }
  if (search.size !== 0 && seqGe(tcb.sndUna, search.end)) probeArrived(tcb, search);
  else if (search.before !== 0) judgeProbation(tcb, search);
}

function probeArrived(tcb: Tcb, search: PathSearch): void {
  tcb.context.statistics.pmtudProbesArrived++;
  search.before = tcb.mssLimit;
  search.raisedAt = tcb.context.clock.coarse();
  search.lostThen = tcb.lost;
  search.deliveredThen = tcb.delivered;
  search.low = search.size;
  search.high = Math.max(search.high, search.low);
  limitMss(tcb, search.size >= largestMss(tcb) ? 0 : search.size);
  search.size = 0;
}

/** §7.8: several paths may take turns, of which the probe went over the widest. */
function judgeProbation(tcb: Tcb, search: PathSearch): void {
  const { clock, statistics, tunables } = tcb.context;
  if (clock.coarse() - search.raisedAt < PROBATION * tcb.rtt.rto) return;
  const { before } = search;
  const lost = tcb.lost - search.lostThen;
  const delivered = tcb.delivered - search.deliveredThen;
  search.before = 0;
  if (lost >= FEWEST_LOST * tcb.maxSegment && lost > LOSS_TOLERATED * (lost + delivered)) {
    statistics.pmtudProbesRevoked++;
    search.high = search.low - 1;
    search.low = before;
    search.notBefore = clock.coarse() + tunables.mtuProbeInterval.value * 1e6;
    limitMss(tcb, before);
  } else if (tcb.mssLimit === 0) {
    tcb.pathSearch = null;
    rememberLimit(tcb);
  }
}

/** Losses were found. True: the probe was the only one, which says nothing of congestion (§7.6.2). */
export function probeAloneLost(tcb: Tcb, search: PathSearch): boolean {
  const log = tcb.sent;
  if (search.size === 0 || log === null) return false;
  const index = log.indexAt(search.start);
  if ((log.flags[index]! & LOST) === 0) return false;
  const length = (search.end - search.start) >>> 0;
  const alone = log.lostBytes === length && log.starts[index] === search.start && log.lostEnd(index) === search.end;
  if (tcb.inRecovery || tcb.afterTimeout || !alone) {
    forgetProbe(tcb, search);
    return false;
  }
  probeFailed(tcb, search, 1);
  return true;
}

/** The retransmission timer expired (§7.6.3). */
export function searchTimeout(tcb: Tcb, search: PathSearch): void {
  if (search.size === 0) return;
  if (search.start === tcb.sndUna) probeFailed(tcb, search, AFTER_TIMEOUT);
  else forgetProbe(tcb, search);
}

/** Something was sent again, in segments of the usual size: of a probe that it was part of, no acknowledgment tells any more. */
export function searchResent(tcb: Tcb, search: PathSearch, seq: number, bytes: number): void {
  if (search.size !== 0 && seqLt(seq, search.end) && seqGt((seq + bytes) >>> 0, search.start)) forgetProbe(tcb, search);
}

/** Neither arrived nor failed (§7.6.4): the same is tried again. */
function forgetProbe(tcb: Tcb, search: PathSearch): void {
  tcb.context.statistics.pmtudProbesInconclusive++;
  search.boldly = search.size >= largestMss(tcb);
  search.size = 0;
}

/** The next probe comes no sooner than congestion would have had a segment lost, by RFC 4821's estimate (§7.6.2) or CUBIC's. */
function probeFailed(tcb: Tcb, search: PathSearch, patience: number): void {
  const { clock, statistics } = tcb.context;
  statistics.pmtudProbesFailed++;
  search.high = search.size - 1;
  search.size = 0;
  search.notBefore =
    clock.coarse() + patience * Math.min(tcb.rtt.srtt * Math.ceil(tcb.cwnd / tcb.maxSegment), CUBIC_PERIOD_US);
}

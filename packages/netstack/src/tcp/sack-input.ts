import type { RateSample } from "./delivery-rate.ts";
import type { TcpOptions } from "./options.ts";
import { rackDuplicate } from "./rack.ts";
import type { TcpSegment } from "./segment.ts";
import { recordSacked } from "./sent.ts";
import { seqGe, seqGt, seqLe, seqLt, seqMax } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { detectByDsack } from "./undo.ts";

/** Takes in the segment's SACK blocks; SND.UNA stands where the segment has moved it. Returns how many bytes were news. */
export function noteSackBlocks(tcb: Tcb, segment: TcpSegment): number {
  const { options } = segment;
  const { statistics, rateSample } = tcb.context;
  let from = 0;
  if (isDuplicateBlock(options, segment.ack)) {
    noteDuplicate(tcb, options.sackStart[0]!, options.sackEnd[0]!, rateSample);
    from = 1;
  }
  sortBlocks(options, from);
  const before = rateSample.sackedBytes;
  for (let i = from; i < options.sackCount; i++) {
    const start = options.sackStart[i]!;
    const end = options.sackEnd[i]!;
    // Those beyond SND.MAX are lies.
    if (!seqGt(end, start) || seqGt(end, tcb.sndMax)) {
      statistics.sackBadBlocks++;
      continue;
    }
    if (seqLe(end, tcb.sndUna)) continue;
    statistics.sackRcvBlocks++;
    recordSacked(tcb, seqMax(start, tcb.sndUna), end);
  }
  return rateSample.sackedBytes - before;
}

/** RFC 2883 §4: the first block tells of something that came twice if it lies below SEG.ACK, or within the second. */
function isDuplicateBlock(options: TcpOptions, ack: number): boolean {
  const { sackStart, sackEnd, sackCount } = options;
  const start = sackStart[0]!;
  const end = sackEnd[0]!;
  if (!seqGt(end, start)) return false;
  if (seqLe(end, ack)) return true;
  return sackCount > 1 && seqGe(start, sackStart[1]!) && seqLe(end, sackEnd[1]!);
}

/** A D-SACK, if it is about something that can have been sent: no further back than a window, no more than is known to have been sent. */
function noteDuplicate(tcb: Tcb, start: number, end: number, sample: RateSample): void {
  const { statistics } = tcb.context;
  if (seqGt(end, tcb.sndMax) || seqLt(start, (tcb.sndUna - Math.max(tcb.maxSndWnd, 65_535)) >>> 0)) {
    statistics.sackBadBlocks++;
    return;
  }
  statistics.dsackCount++;
  statistics.dsackBytes += (end - start) >>> 0;
  rackDuplicate(tcb);
  sample.hasDsack = true;
  sample.dsackStart = start;
  sample.dsackEnd = end;
  detectByDsack(tcb, start, end);
}

/** In the order of their sequence numbers: data that arrived in order must not look as if it had not. */
function sortBlocks(options: TcpOptions, from: number): void {
  const { sackStart, sackEnd, sackCount } = options;
  for (let i = from + 1; i < sackCount; i++) {
    const start = sackStart[i]!;
    const end = sackEnd[i]!;
    let at = i;
    for (; at > from && seqGt(sackStart[at - 1]!, start); at--) {
      sackStart[at] = sackStart[at - 1]!;
      sackEnd[at] = sackEnd[at - 1]!;
    }
    sackStart[at] = start;
    sackEnd[at] = end;
  }
}

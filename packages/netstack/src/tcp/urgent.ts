import { URG } from "./constants.ts";
import type { TcpSegment } from "./segment.ts";
import { seqGt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** The pointer field is an offset of 16 bits. */
const FARTHEST = 0xffff;

/** Bytes that the user has not taken up to the urgent pointer (MUST-33). The pointer names the first byte that is not urgent (MUST-62). */
export function urgentPending(tcb: Tcb): number {
  if (!tcb.urgent) return 0;
  const taken = (tcb.rcvNxt - tcb.receiveBuffer.ordered) >>> 0;
  return Math.max(0, (tcb.rcvUp - taken) | 0);
}

/** Data has come in while there was an urgent pointer: forgets it once it is passed, for sequence numbers wrap. */
export function expireUrgent(tcb: Tcb): void {
  if (urgentPending(tcb) === 0) tcb.urgent = false;
}

/** RFC 9293 §3.10.7.4 step 6: keeps the pointer, and tells the user when urgent mode begins (MUST-32). */
export function noteUrgent(tcb: Tcb, segment: TcpSegment): void {
  tcb.context.statistics.rcvUrg++;
  tcb.urgentSegments++;
  const before = urgentPending(tcb) > 0;
  const pointer = (segment.seq + segment.urgentPointer) >>> 0;
  if (!tcb.urgent || seqGt(pointer, tcb.rcvUp)) tcb.rcvUp = pointer;
  tcb.urgent = true;
  if (!before && urgentPending(tcb) > 0) tcb.owner?.urgent(tcb);
}

/** Everything queued so far is urgent. */
export function markUrgent(tcb: Tcb): void {
  tcb.sndUp = (tcb.sndUna + tcb.sendBuffer.queued) >>> 0;
  tcb.sndUrgent = true;
}

/** The urgent pointer of a segment at `seq`, or 0 if it has none. */
export function urgentPointer(tcb: Tcb, seq: number): number {
  if (!seqGt(tcb.sndUp, tcb.sndUna)) {
    tcb.sndUrgent = false;
    return 0;
  }
  return seqGt(tcb.sndUp, seq) ? Math.min(FARTHEST, (tcb.sndUp - seq) | 0) : 0;
}

/** Puts URG and pointer into a header that has been written. */
export function writeUrgent(view: DataView, at: number, pointer: number): void {
  view.setUint8(at + 13, view.getUint8(at + 13) | URG);
  view.setUint16(at + 18, pointer);
}

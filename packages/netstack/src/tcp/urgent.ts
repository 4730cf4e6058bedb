import { URG } from "./constants.ts";
import type { TcpSegment } from "./segment.ts";
import { seqGt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** The pointer field is an offset of 16 bits. */
const FARTHEST = 0xffff;

/** Urgent mode in both directions (RFC 6093: the data stays in line). Made when either first enters it. */
export class UrgentMode {
  /** Urgent data is queued up to `sndUp`, the sequence number behind its last byte. */
  sending = false;
  sndUp = 0;
  /** The peer's urgent pointer is `rcvUp`, and not passed. */
  receiving = false;
  rcvUp = 0;
  /** Segments with URG that came. */
  segments = 0;
}

function urgentModeOf(tcb: Tcb): UrgentMode {
  tcb.urgent ??= new UrgentMode();
  return tcb.urgent;
}

/** Bytes that the user has not taken up to the urgent pointer (MUST-33). The pointer names the first byte that is not urgent (MUST-62). */
export function urgentPending(tcb: Tcb): number {
  const { urgent } = tcb;
  if (urgent === null || !urgent.receiving) return 0;
  const taken = (tcb.rcvNxt - tcb.receiveBuffer.ordered) >>> 0;
  return Math.max(0, (urgent.rcvUp - taken) | 0);
}

/** Data has come in while there was an urgent pointer: forgets it once it is passed, for sequence numbers wrap. */
export function expireUrgent(tcb: Tcb, urgent: UrgentMode): void {
  if (urgentPending(tcb) === 0) urgent.receiving = false;
}

/** RFC 9293 §3.10.7.4 step 6: keeps the pointer, and tells the user when urgent mode begins (MUST-32). */
export function noteUrgent(tcb: Tcb, segment: TcpSegment): void {
  tcb.context.statistics.rcvUrg++;
  const urgent = urgentModeOf(tcb);
  urgent.segments++;
  const before = urgentPending(tcb) > 0;
  const pointer = (segment.seq + segment.urgentPointer) >>> 0;
  if (!urgent.receiving || seqGt(pointer, urgent.rcvUp)) urgent.rcvUp = pointer;
  urgent.receiving = true;
  if (!before && urgentPending(tcb) > 0) tcb.owner?.urgent(tcb);
}

/** Everything queued so far is urgent. */
export function markUrgent(tcb: Tcb): void {
  const urgent = urgentModeOf(tcb);
  urgent.sndUp = (tcb.sndUna + tcb.sendBuffer.queued) >>> 0;
  urgent.sending = true;
}

/** Whether something that was marked as urgent may still be unacknowledged. */
export function sendsUrgent({ urgent }: Tcb): boolean {
  return urgent?.sending === true;
}

/** The urgent pointer of a segment at `seq`, or 0 if it has none. */
export function urgentPointer(tcb: Tcb, urgent: UrgentMode, seq: number): number {
  if (!urgent.sending) return 0;
  if (!seqGt(urgent.sndUp, tcb.sndUna)) {
    urgent.sending = false;
    return 0;
  }
  return seqGt(urgent.sndUp, seq) ? Math.min(FARTHEST, (urgent.sndUp - seq) | 0) : 0;
}

/** Puts URG and pointer into a header that has been written. */
export function writeUrgent(view: DataView, at: number, pointer: number): void {
  view.setUint8(at + 13, view.getUint8(at + 13) | URG);
  view.setUint16(at + 18, pointer);
}

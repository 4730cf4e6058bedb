import { CLOSE_WAIT, CLOSING, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, SYN_RECEIVED } from "./constants.ts";
import { requestOutput } from "./context.ts";
import { scheduleAck } from "./delayed-ack.ts";
import { deliverSegment, deliverWaiting, mustWait } from "./delivery.ts";
import { tellsDuplicates } from "./duplicates.ts";
import { abortConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import { incidentsOf } from "./incidents.ts";
import { Reassembly } from "./reassembly.ts";
import { noteTimestampEcho, receiveTuningOf, tuneReceiveBuffer } from "./receive-tuning.ts";
import type { TcpSegment } from "./segment.ts";
import { setState } from "./state.ts";
import type { Tcb } from "./tcb.ts";
import { expireUrgent } from "./urgent.ts";

/** Payload that begins at RCV.NXT and lies within the window. */
export function acceptInOrder(tcb: Tcb, segment: TcpSegment): void {
  const { chunks, statistics } = tcb.context;
  const { length } = segment;
  if (mustWait(tcb) && chunks.full && !tcb.receiveBuffer.has(tcb.receiveBuffer.ordered + length - 1)) {
    dropForMemory(tcb);
    return;
  }
  statistics.rcvPack++;
  statistics.rcvByte += length;
  tcb.rcvNxt = (tcb.rcvNxt + length) >>> 0;
  scheduleAck(tcb, length);
  requestOutput(tcb);
  if (tcb.urgent !== null) expireUrgent(tcb, tcb.urgent);
  deliverSegment(tcb, segment.packet.slab, segment.payloadOffset, length);
  receiveTuningOf(tcb).arrived += length;
  if (tcb.timestamps) noteTimestampEcho(tcb, segment.options.tsEcr);
  tuneReceiveBuffer(tcb);
  if (tcb.receiveBuffer.ordered > 0 && chunks.exhausted) {
    statistics.rcvMemReset++;
    abortConnection(tcb, "aborted", new TcpError("ENOBUFS", "no memory for what its user does not take"));
  }
}

/** The peer has not been told that this came, so it will send it again. */
function dropForMemory(tcb: Tcb): void {
  tcb.context.statistics.rcvMemDrop++;
  tcb.ackNow = true;
  requestOutput(tcb);
}

/** What stood beyond a gap and now follows RCV.NXT. */
export function joinReassembled(tcb: Tcb): void {
  const { reassembly } = tcb;
  if (reassembly === null || reassembly.isEmpty || tcb.endedHow !== null) return;
  // A gap is filled, wholly or in part: say so at once (RFC 5681 §4.2).
  tcb.ackNow = true;
  const reach = reassembly.advance(tcb.rcvNxt);
  const joined = (reach - tcb.rcvNxt) >>> 0;
  if (joined === 0) return;
  tcb.rcvNxt = reach;
  tcb.receiveBuffer.ordered += joined;
  tcb.bytesReceived += joined;
  deliverWaiting(tcb);
}

/** Payload beyond a gap (SHLD-31): copied to where it belongs. */
export function acceptOutOfOrder(tcb: Tcb, segment: TcpSegment): void {
  const { chunks, histograms, statistics, tunables } = tcb.context;
  const { seq, length } = segment;
  const { receiveBuffer } = tcb;
  const distance = ((seq - tcb.rcvNxt) >>> 0) + receiveBuffer.ordered;
  if (chunks.full && !(receiveBuffer.has(distance) && receiveBuffer.has(distance + length - 1))) {
    dropForMemory(tcb);
    return;
  }
  tcb.reassembly ??= new Reassembly();
  const end = (seq + length) >>> 0;
  if (tellsDuplicates(tcb)) tcb.reassembly.noteOverlap(seq, end);
  const overlap = tcb.reassembly.overlap(seq, end);
  const news = tcb.reassembly.insert(seq, end, tunables.reassMaxqueuelen.value);
  tcb.dupAcksOwed++;
  requestOutput(tcb);
  if (news < 0) {
    statistics.rcvReassFull++;
    statistics.rcvMemDrop++;
    return;
  }
  incidentsOf(tcb).outOfOrder++;
  histograms.outOfOrderDistance.add((seq - tcb.rcvNxt) >>> 0);
  statistics.rcvOoPack++;
  statistics.rcvOoByte += news;
  if (news < length) {
    statistics.rcvDupPack++;
    statistics.rcvDupByte += length - news;
  }
  if (overlap !== null) lookForContradiction(tcb, segment, overlap);
  if (news === 0) return;
  receiveTuningOf(tcb).arrived += news;
  receiveBuffer.store(distance, segment.packet.slab, segment.payloadOffset, length);
}

/** Bytes that come twice and differ are an attack on whoever looks on, or a broken peer. The later ones stay. */
function lookForContradiction(tcb: Tcb, segment: TcpSegment, [from, to]: readonly [number, number]): void {
  const { receiveBuffer } = tcb;
  const distance = ((from - tcb.rcvNxt) >>> 0) + receiveBuffer.ordered;
  const offset = segment.payloadOffset + ((from - segment.seq) >>> 0);
  if (receiveBuffer.holds(distance, segment.packet.slab, offset, (to - from) >>> 0)) return;
  tcb.context.statistics.rcvContradictions++;
  tcb.context.odd(segment, "TCP bytes that differ from those that came before");
}

/** The peer's FIN is next in order. Returns true when that leads to TIME-WAIT. */
export function acceptFin(tcb: Tcb): boolean {
  tcb.rcvNxt = (tcb.rcvNxt + 1) >>> 0;
  tcb.finReceived = true;
  tcb.finAhead = false;
  tcb.ackNow = true;
  requestOutput(tcb);
  // Nothing can follow it: what came from beyond is nobody's.
  tcb.reassembly?.clear();
  if (tcb.receiveBuffer.ordered === 0) tcb.receiveBuffer.clear();
  switch (tcb.state) {
    case SYN_RECEIVED:
    case ESTABLISHED:
      setState(tcb, CLOSE_WAIT);
      return false;
    case FIN_WAIT_1:
      setState(tcb, CLOSING);
      return false;
    case FIN_WAIT_2:
      return true;
    default:
      return false;
  }
}

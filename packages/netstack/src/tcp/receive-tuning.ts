import { MEMORY_NORMAL } from "./buffer-memory.ts";
import { seqGe } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** What the user took in a round trip, times this, is the buffer: slow start doubles in the next one, and that is to be known a round trip later. */
const HEADROOM = 3;
/** While memory is short: what is under way, and as much again. */
const HEADROOM_UNDER_PRESSURE = 2;
/** Without scaling no more can be offered. */
const UNSCALED = 0xffff;

/** What a receiver knows of the round trip and of its user's pace (dynamic right-sizing; Linux's tcp_rcv_space_adjust). Times in µs. */
export class ReceiveTuning {
  /** Round-trip time as the receiver sees it; 0: none yet. */
  rtt = 0;
  /** A segment went out with a timestamp that no earlier one bore, and its echo has not come. */
  marked = false;
  markedTsVal = 0;
  markedAt = 0;
  /** The timestamp of the last segment that went out. */
  lastTsVal = -1;
  /** Without timestamps: the right edge of the window when it was last reached. */
  edge = -1;
  /** Bytes that have come, in order or beyond a gap. */
  arrived = 0;
  /** The period under way: when it began, and what had come and been taken by then. */
  since = 0;
  arrivedBefore = 0;
  takenBefore = 0;
}

/** It is made with the first data that comes: a connection that only sends, or only waits, has none. */
export function receiveTuningOf(tcb: Tcb): ReceiveTuning {
  if (tcb.receiveTuning !== null) return tcb.receiveTuning;
  const tuning = new ReceiveTuning();
  // What has gone out so far may bear it.
  if (tcb.timestamps) tuning.lastTsVal = tcb.context.timestamp(tcb.tsOffset);
  tcb.receiveTuning = tuning;
  return tuning;
}

/** A segment goes out with that timestamp. The first that bears it can be told from the others when its echo comes: to the µs. */
export function noteTimestampSent(tcb: Tcb, tsVal: number): void {
  const tuning = tcb.receiveTuning;
  if (tuning === null || tsVal === tuning.lastTsVal) return;
  tuning.lastTsVal = tsVal;
  if (tuning.marked) return;
  tuning.marked = true;
  tuning.markedTsVal = tsVal;
  tuning.markedAt = tcb.context.clock.coarse();
}

/** Data in order came, with that echo: the round trip from when we sent that timestamp to what the peer sent in answer. */
export function noteTimestampEcho(tcb: Tcb, tsEcr: number): void {
  const tuning = receiveTuningOf(tcb);
  if (!tuning.marked || !seqGe(tsEcr, tuning.markedTsVal)) return;
  tuning.marked = false;
  const sample = Math.max(1, tcb.context.clock.coarse() - tuning.markedAt);
  if (tuning.rtt === 0) {
    tuning.rtt = tcb.rtt.srtt === 0 ? sample : Math.min(sample, 2 * tcb.rtt.srtt);
    return;
  }
  // A peer that had nothing to send makes a sample too long: what is longer counts for twice the estimate at most.
  tuning.rtt += (Math.min(sample, 2 * tuning.rtt) - tuning.rtt) / 8;
}

/** Without timestamps: a whole window takes a round trip or more, so the shortest time for one tells. */
function noteWindowPassed(tcb: Tcb, now: number): void {
  const tuning = receiveTuningOf(tcb);
  if (tuning.edge >= 0 && !seqGe(tcb.rcvNxt, tuning.edge)) return;
  if (tuning.edge >= 0) {
    const sample = Math.max(1, now - tuning.markedAt);
    if (tuning.rtt === 0 || sample < tuning.rtt) tuning.rtt = sample;
  }
  tuning.edge = tcb.rcvAdv;
  tuning.markedAt = now;
}

/**
 * Data has come and was offered to the user: once in a round trip, makes the buffer as large as the connection's pace asks for. It never shrinks, but
 * while memory is short; what was offered stands in any case.
 */
export function tuneReceiveBuffer(tcb: Tcb): void {
  const { tunables, clock, receiveMemory } = tcb.context;
  const tuning = receiveTuningOf(tcb);
  const now = clock.coarse();
  if (!tcb.timestamps) noteWindowPassed(tcb, now);
  if (now - tuning.since < (tuning.rtt === 0 ? tcb.rtt.srtt : tuning.rtt)) return;
  const taken = tcb.bytesReceived - tcb.receiveBuffer.ordered;
  // What waited behind a gap is taken all at once: no faster than it came.
  const pace = Math.min(tuning.arrived - tuning.arrivedBefore, taken - tuning.takenBefore);
  tuning.since = now;
  tuning.arrivedBefore = tuning.arrived;
  tuning.takenBefore = taken;
  if (!tunables.recvbufAuto.value) return;
  if (receiveMemory.state === MEMORY_NORMAL) {
    const most = tcb.windowScaling ? tunables.recvbufMax.value : UNSCALED;
    if (HEADROOM * pace > tcb.rcvBufferSize)
      tcb.rcvBufferSize = Math.max(tcb.rcvBufferSize, Math.min(HEADROOM * pace, most));
  } else {
    const least = Math.max(tunables.recvspace.value, HEADROOM_UNDER_PRESSURE * pace);
    if (least < tcb.rcvBufferSize) tcb.rcvBufferSize = least;
  }
}

import { seqGt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";

/** Largest number that the window field holds. */
const WINDOW_FIELD = 0xffff;

/** The scale that lets the field tell of a buffer of `bytes` (RFC 7323 §2.3). */
export function windowShiftFor(bytes: number): number {
  let shift = 0;
  while (shift < 14 && WINDOW_FIELD * 2 ** shift < bytes) shift++;
  return shift;
}

/** Bytes of window that the peer was offered and has not used. */
export function offeredWindow(tcb: Tcb): number {
  return seqGt(tcb.rcvAdv, tcb.rcvNxt) ? (tcb.rcvAdv - tcb.rcvNxt) | 0 : 0;
}

/** Room in the receive buffer. */
export function receiveSpace(tcb: Tcb): number {
  return Math.max(0, tcb.rcvBufferSize - tcb.receiveBuffer.ordered);
}

/**
 * The window field of the next segment; it moves `rcvAdv`. The right edge never moves back (SHLD-14), and moves forward only by a segment or half the
 * buffer at least (RFC 9293 §3.8.6.2.2, MUST-39).
 */
export function advertiseWindow(tcb: Tcb, shift: number): number {
  const offered = offeredWindow(tcb);
  const space = receiveSpace(tcb);
  const worthwhile = Math.min(tcb.rcvBufferSize / 2, tcb.ourMss);
  let field: number;
  if (space - offered >= worthwhile) {
    field = Math.min(WINDOW_FIELD, space >>> shift);
  } else {
    // Keep the edge: rounding up, for it was offered.
    field = Math.min(WINDOW_FIELD, (offered + 2 ** shift - 1) >>> shift);
  }
  const edge = (tcb.rcvNxt + field * 2 ** shift) >>> 0;
  if (seqGt(edge, tcb.rcvAdv)) tcb.rcvAdv = edge;
  return field;
}

/** Whether room has grown so much that the peer should hear of it without having sent anything (FreeBSD's rule). */
export function windowUpdateDue(tcb: Tcb): boolean {
  const space = receiveSpace(tcb);
  const gain = space - offeredWindow(tcb);
  if (gain >= tcb.rcvBufferSize / 2) return true;
  return gain >= 2 * tcb.ourMss && (gain >= tcb.rcvBufferSize / 4 || space <= tcb.rcvBufferSize / 8);
}

import { seqGt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import type { TcpTunables } from "./tunables.ts";

/** Largest number that the window field holds. */
const WINDOW_FIELD = 0xffff;

/** Units of the window in the smallest buffer: so that it can be told of. */
const LEAST_UNITS = 32;

/**
 * The scale that lets the field tell of the largest buffer, but for one unit (RFC 7323 §2.3); not so coarse that the first one could not be told of.
 */
export function ourWindowShift(tunables: TcpTunables): number {
  const first = tunables.recvspace.value;
  const largest = Math.max(first, tunables.recvbufMax.value);
  let shift = 0;
  while (shift < 14 && (WINDOW_FIELD + 1) * 2 ** shift < largest && LEAST_UNITS * 2 ** (shift + 1) <= first) shift++;
  return shift;
}

/** Bytes of window that the peer was offered and has not used. */
export function offeredWindow(tcb: Tcb): number {
  return seqGt(tcb.rcvAdv, tcb.rcvNxt) ? (tcb.rcvAdv - tcb.rcvNxt) | 0 : 0;
}

/** Room in the receive buffer, as far as the window field can tell of it. */
function receiveSpace(tcb: Tcb): number {
  const { receiveBuffer } = tcb;
  // Who has something waiting gets no more while memory is short.
  if (receiveBuffer.ordered > 0 && tcb.context.chunks.full)
    return Math.min(offeredWindow(tcb), WINDOW_FIELD * 2 ** tcb.rcvShift);
  const room = Math.max(0, tcb.rcvBufferSize - receiveBuffer.ordered);
  return Math.min(room, WINDOW_FIELD * 2 ** tcb.rcvShift);
}

/**
 * The window field of the next segment; it moves `rcvAdv`. The right edge never moves back (SHLD-14), and moves forward only by a segment or half the
 * buffer at least (RFC 9293 §3.8.6.2.2, MUST-39).
 */
export function advertiseWindow(tcb: Tcb, shift: number): number {
  const unit = 2 ** shift;
  const offered = offeredWindow(tcb);
  const space = receiveSpace(tcb);
  let field = keptEdge(tcb, offered, unit);
  if (space - offered >= Math.min(tcb.rcvBufferSize / 2, tcb.ourMss)) field = Math.max(field, Math.floor(space / unit));
  if (field > WINDOW_FIELD) field = WINDOW_FIELD;
  const edge = (tcb.rcvNxt + field * unit) >>> 0;
  if (seqGt(edge, tcb.rcvAdv)) tcb.rcvAdv = edge;
  return field;
}

/**
 * What was offered, in units of the scale: rounded up, so that the edge stays. But a peer that sends byte by byte would so move it a little each
 * time: once a quarter more than the buffer is promised, it is rounded down (RFC 7323 §2.4).
 */
function keptEdge(tcb: Tcb, offered: number, unit: number): number {
  const up = Math.ceil(offered / unit);
  const overcommitted = up * unit + tcb.receiveBuffer.ordered - tcb.rcvBufferSize;
  return overcommitted > Math.max(unit, tcb.rcvBufferSize / 4) ? Math.floor(offered / unit) : up;
}

/** Whether room has grown so much that the peer should hear of it without having sent anything (FreeBSD's rule). */
export function windowUpdateDue(tcb: Tcb): boolean {
  // Before the first byte nothing can have grown: the handshake's window holds.
  if (tcb.bytesReceived === 0) return false;
  const space = receiveSpace(tcb);
  const gain = space - offeredWindow(tcb);
  if (gain >= tcb.rcvBufferSize / 2) return true;
  return gain >= 2 * tcb.ourMss && (gain >= tcb.rcvBufferSize / 4 || space <= tcb.rcvBufferSize / 8);
}

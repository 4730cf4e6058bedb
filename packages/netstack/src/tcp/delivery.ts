import { requestOutput } from "./context.ts";
import { abortConnection } from "./end.ts";
import type { Tcb } from "./tcb.ts";

/**
 * In-order payload that has just come (RCV.NXT stands behind it already): lent to the sink straight from the driver's slab if nothing waits before it,
 * else, or as far as the sink does not take it, copied into the receive buffer.
 */
export function deliverSegment(tcb: Tcb, slab: Uint8Array, offset: number, length: number): void {
  const { receiveBuffer } = tcb;
  tcb.bytesReceived += length;
  if (mustWait(tcb)) {
    receiveBuffer.store(receiveBuffer.ordered, slab, offset, length);
    receiveBuffer.ordered += length;
    return;
  }
  const taken = offer(tcb, slab, offset, length);
  if (tcb.sink === null) return; // aborted meanwhile
  receiveBuffer.skip(taken);
  if (taken === length) return;
  receiveBuffer.store(0, slab, offset + taken, length - taken);
  receiveBuffer.ordered += length - taken;
  if (!tcb.paused) deliverWaiting(tcb);
}

/** Whether `deliverSegment` would have to keep a segment, since its user takes nothing now. */
export function mustWait(tcb: Tcb): boolean {
  return tcb.receiveBuffer.ordered > 0 || tcb.sink === null || tcb.paused || tcb.delivering;
}

/** Offers what waits to the sink, and behind it the end. */
export function deliverWaiting(tcb: Tcb): void {
  if (tcb.delivering) return;
  const { receiveBuffer } = tcb;
  while (receiveBuffer.ordered > 0 && tcb.sink !== null && !tcb.paused) {
    const taken = offer(tcb, receiveBuffer.first, receiveBuffer.firstOffset, receiveBuffer.firstLength);
    if (tcb.sink !== null) receiveBuffer.consume(taken);
  }
  if (receiveBuffer.ordered > 0) return;
  if (tcb.reassembly === null || tcb.reassembly.isEmpty) receiveBuffer.clear();
  if (!tcb.finReceived || tcb.endDelivered || tcb.sink === null || tcb.paused) return;
  tcb.endDelivered = true;
  try {
    tcb.sink.end();
  } catch (error) {
    sinkFailed(tcb, error);
  }
  if (tcb.endedHow !== null) tcb.owner?.ended(tcb);
}

/** One call of the sink. Afterwards `paused` says whether it wants more now. */
function offer(tcb: Tcb, slab: Uint8Array, offset: number, length: number): number {
  tcb.delivering = true;
  let taken = 0;
  try {
    taken = tcb.sink!.data(slab, offset, length);
  } catch (error) {
    sinkFailed(tcb, error);
  }
  tcb.delivering = false;
  if (taken === length) {
    tcb.resumeWanted = false;
    return taken;
  }
  tcb.paused = true;
  if (tcb.resumeWanted) {
    tcb.resumeWanted = false;
    // It asked for more within its call: it goes on at once if it took anything, else in a later turn, for it would be asked for ever.
    if (taken > 0) tcb.paused = false;
    else resumeDelivery(tcb);
  }
  return taken;
}

/** A sink that throws loses its connection, and nobody else's. */
function sinkFailed(tcb: Tcb, error: unknown): void {
  const reason = error instanceof Error ? error : new Error(String(error));
  if (tcb.endedHow === null) {
    abortConnection(tcb, "aborted", reason);
    return;
  }
  tcb.endedHow = "aborted";
  tcb.endedError = reason;
  tcb.receiveBuffer.clear();
  tcb.sink = null;
  tcb.owner?.ended(tcb);
}

/** The sink wants what waits. It is offered in a later turn, so that no sink is called within a call of its user. */
export function resumeDelivery(tcb: Tcb): void {
  if (tcb.delivering) {
    tcb.resumeWanted = true;
    return;
  }
  if (tcb.resumePending) return;
  tcb.resumePending = true;
  const { stack, clock } = tcb.context;
  clock.defer(() => {
    tcb.resumePending = false;
    tcb.paused = false;
    stack.enter();
    try {
      deliverWaiting(tcb);
      // The window may have opened.
      if (tcb.endedHow === null) requestOutput(tcb);
    } finally {
      stack.leave();
    }
  });
}

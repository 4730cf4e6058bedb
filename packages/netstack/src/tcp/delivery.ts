import { requestOutput } from "./context.ts";
import type { Tcb } from "./tcb.ts";

/**
 * In-order payload that has just come (RCV.NXT stands behind it already): lent to the sink straight from the driver's slab if nothing waits before it,
 * else, or as far as the sink does not take it, copied into the receive buffer.
 */
export function deliverSegment(tcb: Tcb, slab: Uint8Array, offset: number, length: number): void {
  const { receiveBuffer, sink } = tcb;
  tcb.bytesReceived += length;
  if (receiveBuffer.ordered > 0 || sink === null || tcb.paused || tcb.delivering) {
    receiveBuffer.store(receiveBuffer.ordered, slab, offset, length);
    receiveBuffer.ordered += length;
    return;
  }
  tcb.delivering = true;
  const taken = sink.data(slab, offset, length);
  tcb.delivering = false;
  if (tcb.sink === null) return; // aborted meanwhile
  receiveBuffer.skip(taken);
  if (taken < length) {
    receiveBuffer.store(0, slab, offset + taken, length - taken);
    receiveBuffer.ordered += length - taken;
    tcb.paused = true;
  }
  if (tcb.resumeWanted) resumeDelivery(tcb);
}

/** Offers what waits to the sink, and the end behind it. */
export function deliverWaiting(tcb: Tcb): void {
  if (tcb.delivering) return;
  const { receiveBuffer } = tcb;
  while (receiveBuffer.ordered > 0 && tcb.sink !== null && !tcb.paused) {
    const length = receiveBuffer.firstLength;
    tcb.delivering = true;
    const taken = tcb.sink.data(receiveBuffer.first, receiveBuffer.firstOffset, length);
    tcb.delivering = false;
    if (tcb.sink === null) return;
    receiveBuffer.consume(taken);
    if (taken < length) tcb.paused = true;
    // The sink asked for more within its call: it gets it, if it took anything; else in a later turn, or it would be asked for ever.
    if (tcb.resumeWanted && taken > 0) {
      tcb.resumeWanted = false;
      tcb.paused = false;
    }
  }
  if (tcb.resumeWanted) resumeDelivery(tcb);
  if (receiveBuffer.ordered > 0) return;
  if (tcb.reassembly === null || tcb.reassembly.isEmpty) receiveBuffer.clear();
  if (tcb.finReceived && !tcb.endDelivered && tcb.sink !== null && !tcb.paused) {
    tcb.endDelivered = true;
    tcb.sink.end();
    if (tcb.endedHow !== null) tcb.owner?.ended(tcb);
  }
}

/** The sink wants to be offered the waiting bytes again. */
export function resumeDelivery(tcb: Tcb): void {
  if (tcb.delivering) {
    tcb.resumeWanted = true;
    return;
  }
  if (tcb.resumeWanted) {
    tcb.resumeWanted = false;
    const { stack, clock } = tcb.context;
    clock.defer(() => {
      stack.enter();
      resumeDelivery(tcb);
      stack.leave();
    });
    return;
  }
  tcb.paused = false;
  deliverWaiting(tcb);
  if (tcb.endedHow === null) requestOutput(tcb);
}

import type { StreamEnd } from "@nfs4/bytestream";
import { ACK, CLOSED, RST, SYN_RECEIVED, SYN_SENT, TIMERS } from "./constants.ts";
import { stopTimer } from "./deadlines.ts";
import { leaveFastOpenQueue } from "./fast-open-state.ts";
import { rememberPath } from "./path-memory.ts";
import { releaseLog } from "./sent.ts";
import { setState } from "./state.ts";
import type { Tcb } from "./tcb.ts";
import { transmit } from "./transmit.ts";

/**
 * The connection leaves the table: its timers stop, what was to be sent is released, and unless it ended in order, what was received is dropped.
 * Idempotent.
 */
export function endConnection(tcb: Tcb, how: StreamEnd["how"], error?: Error): void {
  if (tcb.endedHow !== null) return;
  const { context } = tcb;
  const { statistics } = context;
  if (how !== "closed") {
    if (tcb.state === SYN_SENT || tcb.state === SYN_RECEIVED) statistics.connDrops++;
    else statistics.drops++;
  }
  statistics.closed++;
  leaveFastOpenQueue(tcb, how === "reset");
  tcb.endedHow = how;
  tcb.endedError = error;
  rememberPath(tcb);
  setState(tcb, CLOSED);
  for (let i = 0; i < TIMERS; i++) stopTimer(tcb, i);
  tcb.callout?.cancel();
  context.flows.remove(tcb);
  context.connections--;
  if (!tcb.passive) context.ports.closed(tcb.localPort);
  releaseLog(tcb);
  tcb.reassembly?.clear();
  if (how !== "closed") {
    tcb.receiveBuffer.clear();
    tcb.sink = null;
  }
  context.sendMemory.refund(tcb.sendBuffer.queued);
  tcb.sendBuffer.clear();
  tcb.owner?.ended(tcb);
}

/** Tells the peer by a reset, and ends (RFC 9293 §3.10.5). */
export function abortConnection(tcb: Tcb, how: StreamEnd["how"], error?: Error): void {
  if (tcb.endedHow !== null) return;
  if (tcb.state > SYN_SENT) {
    const { statistics } = tcb.context;
    statistics.sndCtrl++;
    statistics.sndRst++;
    transmit(tcb, tcb.sndMax, RST | ACK, 0, 0, 0);
  }
  endConnection(tcb, how, error);
}

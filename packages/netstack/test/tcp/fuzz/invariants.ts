/** What must hold of a stack's connections after whatever has happened to them (RFC 9293 §3.4, and our own accounts). */
import { CLOSED, ESTABLISHED, LISTEN, TIMERS } from "../../../src/tcp/constants.ts";
import { FLOW_CONNECTION } from "../../../src/tcp/flow.ts";
import { seqGe, seqLe, seqLt } from "../../../src/tcp/seq.ts";
import type { Tcb } from "../../../src/tcp/tcb.ts";
import { LOST, SACKED } from "../../../src/tcp/transmit-log.ts";
import type { Conversation } from "../conversation.ts";

/** Throws an Error that names the first one broken. */
export function checkInvariants(talk: Conversation): void {
  let connections = 0;
  for (const flow of talk.tcp.flows()) {
    if (flow.kind !== FLOW_CONNECTION) continue;
    connections++;
    checkConnection(flow as Tcb);
  }
  hold(connections === talk.tcp.connectionCount, "connectionCount is the number of connections");
  hold(talk.stack.outstandingPackets === 0, "no packet is left outside of a batch");
  // One callout for each connection, and for the stack a few.
  hold(
    talk.clock.armed <= connections + talk.idleCallouts,
    `${talk.clock.armed} callouts for ${connections} connections`,
  );
}

function checkConnection(tcb: Tcb): void {
  hold(tcb.state !== CLOSED && tcb.state !== LISTEN && tcb.endedHow === null, "what is in the table is alive");
  hold(seqLe(tcb.sndUna, tcb.sndMax), "SND.UNA ≤ SND.MAX");
  const syn = tcb.sndUna === tcb.iss ? 1 : 0;
  const end = (tcb.sndUna + syn + tcb.sendBuffer.queued + (tcb.finQueued && !tcb.finAcked ? 1 : 0)) >>> 0;
  hold(seqLe(tcb.sndMax, end), "nothing is sent that was not written");
  hold(seqGe(tcb.rcvAdv, tcb.rcvNxt), "the window that was offered is not behind RCV.NXT");
  const { ordered } = tcb.receiveBuffer;
  hold(ordered >= 0, "a receive buffer holds no less than nothing");
  hold(ordered <= tcb.rcvBufferSize * 1.25 + 2 ** tcb.rcvShift, "no more is kept than the window let in");
  checkLog(tcb);
  hold(tcb.cwnd >= Math.min(tcb.maxSegment, 216) && Number.isFinite(tcb.cwnd), `a congestion window of ${tcb.cwnd}`);
  hold(tcb.ssthresh > 0, `ssthresh ${tcb.ssthresh}`);
  hold(tcb.sndWnd >= 0, "a send window below nothing");
  hold(tcb.rtt.rto > 0 && Number.isFinite(tcb.rtt.rto), `a retransmission timeout of ${tcb.rtt.rto}`);
  hold(tcb.deadlines.length === TIMERS, "as many deadlines as timers");
  const next = Math.min(...tcb.deadlines);
  if (next !== Number.POSITIVE_INFINITY) {
    hold(tcb.callout?.armed === true && tcb.callout.deadline <= next, "a callout comes for each deadline in time");
  }
  if (tcb.sndUna !== tcb.sndMax) hold(next !== Number.POSITIVE_INFINITY, "data in flight has a timer");
}

/** What is in flight is in the log, each number once, and its sums are right. */
function checkLog(tcb: Tcb): void {
  const log = tcb.sent;
  if (log === null) {
    hold(tcb.state < ESTABLISHED || tcb.sndMax === tcb.sndUna, "what is in flight has a log");
    return;
  }
  hold(!log.isEmpty, "a log that is there holds something");
  let [at, sacked, sackedRuns, lost] = [tcb.sndUna, 0, 0, 0];
  for (let i = log.first; i < log.end; i++) {
    hold(log.starts[i] === at && seqLt(at, log.ends[i]!), "the log's entries follow each other");
    at = log.ends[i]!;
    const flags = log.flags[i]!;
    hold((flags & (SACKED | LOST)) !== (SACKED | LOST), "what is SACKed is not lost");
    if ((flags & LOST) !== 0) lost += log.lengthOf(i);
    if ((flags & SACKED) === 0) continue;
    sacked += log.lengthOf(i);
    sackedRuns++;
  }
  hold(at === tcb.sndMax, "the log reaches to SND.MAX");
  hold(
    log.sackedBytes === sacked && log.sackedRuns === sackedRuns && log.lostBytes === lost,
    "the log's sums are right",
  );
  hold(log.pipe >= 0, "a pipe below nothing");
}

export function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`broken: ${what}`);
}

/** What has happened since the start. Every way in which a record, a call or a reply is lost has a number here. */
export interface RpcCounters {
  /** Connections opened, either way. */
  connections: number;
  /** Connections refused because `connections` were open. */
  connectionsRefused: number;
  /** Connections aborted by this side because the peer broke the protocol or a limit. */
  connectionsAborted: number;
  /** Of those: a record above the record limit was announced. */
  recordsTooLong: number;
  /** Of those: more fragments than `fragmentsPerRecord`. */
  recordsOfTooManyFragments: number;
  /** Of those: a record or a stranger's next one did not come in time. */
  receiveTimeouts: number;
  /** Of those: replies were not taken in time. */
  sendTimeouts: number;
  /** Of those: records that are neither a call nor a reply, or that end within their header. */
  badMessages: number;
  /** Of those: peers cut off to make room for others, because their records do not get finished or their replies not read. */
  evicted: number;
  /** Of those: strangers cut off because there were too many of them. */
  strangersReplaced: number;
  /** Records cut off by the end of the connection. */
  recordsTruncated: number;
  /** Complete records received. */
  records: number;
  /** Bytes of them, marks not counted. */
  recordBytes: number;
  /** Times that reading stopped because no memory was left under a budget. */
  memoryPauses: number;
  /** Times that reading stopped because `waitingCalls` were waiting. */
  queuePauses: number;
  /** Times that a call had to wait for others to be answered. */
  callsDelayed: number;
  /** Calls received. */
  calls: number;
  /** Calls being executed now. */
  callsInFlight: number;
  /** Replies sent: to every call but the dropped. */
  replies: number;
  /** Calls that were deliberately not answered. */
  callsDropped: number;
  /** Replies that came when the connection had ended. */
  repliesDiscarded: number;
  /** Replies by kind: see RFC 5531 §9. */
  rpcMismatches: number;
  authErrors: number;
  programsUnavailable: number;
  programMismatches: number;
  proceduresUnavailable: number;
  garbageArgs: number;
  systemErrors: number;
  /** Calls sent by this side. */
  callsSent: number;
  /** Replies that matched a call of this side. */
  repliesReceived: number;
  /** Replies to no call that is outstanding: late, cancelled or invented. */
  repliesUnmatched: number;
  /** Calls of this side that timed out. */
  callTimeouts: number;
  /** Calls of this side that were cancelled. */
  callsCancelled: number;
  /** Times that bytes were handed to a stream: many replies share one. */
  writes: number;
  /** Bytes handed to streams, marks included. */
  bytesWritten: number;
}

export function newRpcCounters(): RpcCounters {
  return {
    connections: 0,
    connectionsRefused: 0,
    connectionsAborted: 0,
    recordsTooLong: 0,
    recordsOfTooManyFragments: 0,
    receiveTimeouts: 0,
    sendTimeouts: 0,
    badMessages: 0,
    evicted: 0,
    strangersReplaced: 0,
    recordsTruncated: 0,
    records: 0,
    recordBytes: 0,
    memoryPauses: 0,
    queuePauses: 0,
    callsDelayed: 0,
    calls: 0,
    callsInFlight: 0,
    replies: 0,
    callsDropped: 0,
    repliesDiscarded: 0,
    rpcMismatches: 0,
    authErrors: 0,
    programsUnavailable: 0,
    programMismatches: 0,
    proceduresUnavailable: 0,
    garbageArgs: 0,
    systemErrors: 0,
    callsSent: 0,
    repliesReceived: 0,
    repliesUnmatched: 0,
    callTimeouts: 0,
    callsCancelled: 0,
    writes: 0,
    bytesWritten: 0,
  };
}

import { pooledSize } from "./buffer-pool.ts";

/** Bounds on what peers can make this side hold. Bytes, counts and milliseconds. */
export interface RpcLimits {
  /** The longest record taken, until `RpcConnection.admit` says otherwise. Default 1 MiB and 64 KiB. */
  readonly recordBytes: number;
  /** Fragments of one record. Some clients send many small ones. Default 262,144. */
  readonly fragmentsPerRecord: number;
  /** A record must be complete so long after its first byte (pauses of our own not counted). Default 60,000. */
  readonly recordTimeoutMs: number;
  /** A connection that nobody has vouched for (`RpcConnection.admit`) must complete a record so often. Default 30,000. */
  readonly strangerTimeoutMs: number;
  /** Strangers connected at a time: for one more, the one that has been a stranger for longest is cut off. Default 768. */
  readonly strangers: number;
  /** Within so long after its start a stranger's record, or its unread replies, are not thrown out for another's sake. Default 2,000. */
  readonly strangerGraceMs: number;
  /** The same for peers that somebody has vouched for. Default 10,000. */
  readonly clientGraceMs: number;
  /** The peer must take something of what waits for it so often while calls are held back for it. Default 120,000. */
  readonly sendTimeoutMs: number;
  /** Connections open at a time. Default 16,384. */
  readonly connections: number;
  /** Bytes of received records, complete or not, whose calls are not settled. Defaults 16 MiB, 8 MiB, 128 MiB. */
  readonly memoryPerConnection: number;
  readonly memoryOfStrangers: number;
  readonly memoryInAll: number;
  /** Calls being executed. Defaults 128, 1,024, 8,192. */
  readonly callsPerConnection: number;
  readonly callsOfStrangers: number;
  readonly callsInAll: number;
  /**
   * Bytes given to streams and not yet released by them, or kept free for calls that had to wait, at which no further call is started. Defaults 4 MiB, 8 MiB,
   * 32 MiB.
   */
  readonly outputPerConnection: number;
  readonly outputOfStrangers: number;
  readonly outputInAll: number;
  /** Calls of one connection read but not started. At the bound reading stops, replies included. Defaults 1,024, and 16 of a stranger. */
  readonly waitingCalls: number;
  readonly waitingCallsOfStranger: number;
  /** Calls of our own without a reply, per connection. Default 65,536. */
  readonly pendingCalls: number;
}

export const DEFAULT_LIMITS: RpcLimits = {
  recordBytes: 1024 * 1024 + 64 * 1024,
  fragmentsPerRecord: 262_144,
  recordTimeoutMs: 60_000,
  strangerTimeoutMs: 30_000,
  strangers: 768,
  strangerGraceMs: 2_000,
  clientGraceMs: 10_000,
  sendTimeoutMs: 120_000,
  connections: 16_384,
  memoryPerConnection: 16 * 1024 * 1024,
  memoryOfStrangers: 8 * 1024 * 1024,
  memoryInAll: 128 * 1024 * 1024,
  callsPerConnection: 128,
  callsOfStrangers: 1024,
  callsInAll: 8192,
  outputPerConnection: 4 * 1024 * 1024,
  outputOfStrangers: 8 * 1024 * 1024,
  outputInAll: 32 * 1024 * 1024,
  waitingCalls: 1024,
  waitingCallsOfStranger: 16,
  pendingCalls: 65_536,
};

/** Fills in the defaults. Throws RangeError for a limit that is not a positive number, or memory that cannot hold one record. */
export function resolveLimits(limits: Partial<RpcLimits> = {}): RpcLimits {
  const resolved = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, value] of Object.entries(resolved)) {
    if (!(value > 0)) throw new RangeError(`the limit ${name} must be positive, not ${value}`);
  }
  const smallest = Math.min(resolved.memoryPerConnection, resolved.memoryOfStrangers, resolved.memoryInAll);
  if (pooledSize(resolved.recordBytes) > smallest) {
    throw new RangeError(`a record of ${resolved.recordBytes} bytes does not fit into ${smallest} bytes of memory`);
  }
  return resolved;
}

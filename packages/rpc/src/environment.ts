import type { Clock, RandomSource } from "@nfs4/timecounter";
import { BufferPool } from "./buffer-pool.ts";
import { newRpcCounters, type RpcCounters } from "./counters.ts";
import { type RpcLimits, resolveLimits } from "./limits.ts";
import { LoadShare } from "./load-share.ts";
import { WriterPool } from "./writer-pool.ts";

export interface RpcEnvironmentOptions {
  readonly clock: Clock;
  /** For the first xid of each connection. */
  readonly random: RandomSource;
  readonly limits?: Partial<RpcLimits>;
  /** Overwrite memory when it is given back (tests). */
  readonly poison?: boolean;
}

/** What connections share: time, memory, bounds and counters. One for a server; a client may have one for all its connections. */
export class RpcEnvironment {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: RpcLimits;
  readonly counters: RpcCounters = newRpcCounters();
  readonly buffers: BufferPool;
  readonly writers: WriterPool = new WriterPool();
  /** The root of all shares. */
  readonly all: LoadShare;
  /** The share of connections that nobody has vouched for. */
  readonly strangers: LoadShare;

  constructor(options: RpcEnvironmentOptions) {
    this.clock = options.clock;
    this.random = options.random;
    const limits = resolveLimits(options.limits);
    this.limits = limits;
    this.buffers = new BufferPool(options.poison === true ? { poison: true } : {});
    this.all = new LoadShare({ memory: limits.memoryInAll, calls: limits.callsInAll, output: limits.outputInAll });
    this.strangers = new LoadShare(
      { memory: limits.memoryOfStrangers, calls: limits.callsOfStrangers, output: limits.outputOfStrangers },
      this.all,
    );
  }
}

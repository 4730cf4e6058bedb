import { CallSet } from "./call-set.ts";
import { errno, NativeError } from "./errno.ts";
import { RWF } from "./file-constants.ts";
import { FileEngine } from "./file-engine.ts";
import type { As, FileSystemCalls, Identity, Pooled } from "./file-system-calls.ts";

export interface FileCallsOptions {
  /** Threads for files, 1 to 64, started when they are needed. Default 4. */
  readonly workers?: number;
  /** Threads of their own for what takes long: fsync, fdatasync, syncfs, synchronous writes, copies. 1 to 64, default 2. */
  readonly syncWorkers?: number;
}

const EAGAIN = -errno["EAGAIN"]!;
const EOPNOTSUPP = -errno["EOPNOTSUPP"]!;

/** File system calls, on threads of their own (`pool`) or at once on the calling one (`sync`). */
export class FileCalls {
  /** Carried out by a worker. Calls may overtake each other. */
  readonly pool: Pooled<FileSystemCalls>;
  /**
   * Carried out within the call: for what is in memory anyway, where handing over to a thread would cost more than the call. Blocks the
   * event loop for as long as the kernel takes.
   */
  readonly sync: FileSystemCalls;
  readonly #engine: FileEngine;

  constructor(options: FileCallsOptions = {}) {
    const engine = new FileEngine(options.workers ?? 4, options.syncWorkers ?? 2);
    this.#engine = engine;
    this.pool = new CallSet(engine, (op, decode, buffers) =>
      engine.submit(op, decode, buffers),
    ) as Pooled<FileSystemCalls>;
    this.sync = new CallSet(engine, (op, decode, buffers) => engine.perform(op, decode, buffers)) as FileSystemCalls;
  }

  /** Calls that workers have not finished. */
  get inFlight(): number {
    return this.#engine.inFlight;
  }

  /**
   * Reads up to `into.length` bytes: at once if all of them are in memory, else the rest on a worker. The result is the count, less than
   * `into.length` only at the end of the file, or a negative errno.
   */
  read(fd: number, into: Uint8Array, offset: number, as?: As): number | Promise<number> {
    let done = 0;
    while (done < into.length) {
      const rest = done === 0 ? into : into.subarray(done);
      const count = this.sync.read(fd, rest, offset + done, RWF.NOWAIT, as);
      if (count === 0) return done;
      if (count === EAGAIN || count === EOPNOTSUPP) return this.#readRest(fd, into, offset, done, as);
      if (count < 0) return done > 0 ? done : count;
      done += count;
    }
    return done;
  }

  async #readRest(fd: number, into: Uint8Array, offset: number, from: number, as: As): Promise<number> {
    let done = from;
    while (done < into.length) {
      const count = await this.pool.read(fd, into.subarray(done), offset + done, 0, as);
      if (count === 0) break;
      if (count < 0) return done > 0 ? done : count;
      done += count;
    }
    return done;
  }

  /**
   * Runs `action` at once with `identity` in force for the calling thread, so that the `sync` calls within need not change it each. Nothing else
   * that touches files should happen within. An identity named by a call within wins; calls on workers are not affected.
   * Throws NativeError EPERM if the process may not take that identity, and whatever `action` throws.
   */
  runAs<T>(identity: Identity, action: () => T): T {
    let ran = false;
    const result = this.#engine.begin(-1, identity).runAs(() => {
      ran = true;
      return action();
    });
    if (!ran) throw new NativeError("setfsuid", result as number);
    return result as T;
  }

  /** Waits for the calls in flight, then ends the threads. Calls made afterwards are −ECANCELED. Idempotent. */
  close(): Promise<void> {
    return this.#engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

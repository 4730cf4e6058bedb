import { setMaxListeners } from "node:events";
import {
  NFS4ERR_ADMIN_REVOKED,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_DELAY,
  NFS4ERR_DELEG_REVOKED,
  NFS4ERR_EXPIRED,
  NFS4ERR_GRACE,
  NFS4ERR_OLD_STATEID,
  NFS4ERR_STALE_CLIENTID,
  NFS4ERR_STALE_STATEID,
} from "@nfs4/protocol";
import { type Callout, type Clock, type Sleep, sleepOn } from "@nfs4/timecounter";
import { type ErrorContext, NfsError } from "./errors.ts";
import type { Compound, Step } from "./protocol/compound.ts";
import { AcquaintanceLost, type Dialect } from "./protocol/dialect.ts";
import { giveUpAt } from "./protocol/give-up.ts";
import { OpenFile, type OpenRequest } from "./state/open-file.ts";

export interface RunOptions extends ErrorContext {
  /** Gives up waiting: the promise rejects with an AbortError. What was sent may be executed all the same. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up after so long, with ETIMEDOUT. Default: the client's. */
  readonly timeoutMs?: number | undefined;
  /** The open file whose stateid is among the arguments. */
  readonly file?: OpenFile;
}

export interface ClientLimits {
  /** Of a call without a limit of its own, ms. */
  readonly timeoutMs: number;
  /** Without an answer for so long, the connection is taken for dead and the call goes again over another. */
  readonly attemptTimeoutMs: number;
}

/** Statuses that ask for patience, and nothing else. */
const LATER: ReadonlySet<number> = new Set([NFS4ERR_DELAY, NFS4ERR_GRACE]);
/** Statuses that say that an open or a lock is gone. */
const GONE: ReadonlySet<number> = new Set([
  NFS4ERR_BAD_STATEID,
  NFS4ERR_EXPIRED,
  NFS4ERR_ADMIN_REVOKED,
  NFS4ERR_DELEG_REVOKED,
]);
/** Statuses of a server that has restarted (4.0). */
const STALE: ReadonlySet<number> = new Set([NFS4ERR_STALE_CLIENTID, NFS4ERR_STALE_STATEID]);
const FIRST_PAUSE_US = 20_000;
const LONGEST_PAUSE_US = 5_000_000;
/** How often state is opened again for one call before its failure is believed. */
const MOST_RECOVERIES = 4;

/**
 * A client of one server: it makes itself known, keeps its lease, runs COMPOUNDs exactly once, and when the server has forgotten it, makes itself known again and
 * claims back what it had open.
 */
export class NfsClient implements AsyncDisposable {
  readonly dialect: Dialect;
  readonly clock: Clock;
  readonly limits: ClientLimits;
  readonly #sleep: Sleep;
  readonly #disconnect: () => Promise<void>;
  readonly #files = new Set<OpenFile>();
  readonly #closing = new AbortController();
  readonly #renewal: Callout;
  /** Counts acquaintances. */
  #epoch = 0;
  #recovery: Promise<void> | null = null;
  #stateRevoked = false;
  #nextOwner = 0;
  #leaseUs = 90e6;
  #lastSent = 0;

  /** `disconnect` takes the connections down. */
  constructor(dialect: Dialect, clock: Clock, limits: ClientLimits, disconnect: () => Promise<void>) {
    this.dialect = dialect;
    this.clock = clock;
    this.limits = limits;
    this.#sleep = sleepOn(clock);
    this.#disconnect = disconnect;
    this.#renewal = clock.callout(() => void this.#renew());
    // Every call listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Makes the client known. Rejects if the server does not speak the dialect. */
  async introduce(): Promise<void> {
    await this.#reintroduce();
  }

  /** Seconds, as the server tells. */
  set leaseSeconds(seconds: number) {
    this.#leaseUs = seconds * 1e6;
    this.#scheduleRenewal();
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  get openFiles(): number {
    return this.#files.size;
  }

  /** State is gone though the server still knows us: finds out which, before the next call. */
  stateRevoked(): void {
    this.#stateRevoked = true;
  }

  // ——— COMPOUNDs ———

  /** Runs a COMPOUND. Rejects with an `NfsError` if an operation fails, with the signal's reason, or when time is over. */
  async run(compound: Compound, options: RunOptions = {}): Promise<void> {
    await this.attempt(compound, options);
    if (!compound.succeeded) throw compound.error(options);
  }

  /** As `run`, but resolves also if an operation has failed: its step tells. */
  attempt(compound: Compound, options: RunOptions = {}): Promise<void> {
    const { signal, timeoutMs = this.limits.timeoutMs } = options;
    if (this.closed) return Promise.reject(new NfsError("ERR_CLOSED", "the client is closed", options));
    return giveUpAt(this.#attempt(compound, options.file), {
      clock: this.clock,
      signals: [this.#closing.signal, ...(signal === undefined ? [] : [signal])],
      timeoutMs,
      timedOut: () => new NfsError("ETIMEDOUT", "the server does not answer", options),
    });
  }

  async #attempt(compound: Compound, file: OpenFile | undefined): Promise<void> {
    let pause = FIRST_PAUSE_US;
    for (let recoveries = 0; ; ) {
      await this.#ready();
      if (file !== undefined && file.lost !== null) throw file.lost;
      const epoch = this.#epoch;
      try {
        this.#lastSent = this.clock.coarse();
        await this.dialect.send(compound, this.limits);
      } catch (error) {
        if (!(error instanceof AcquaintanceLost)) throw error;
        await this.#recover(epoch);
        continue;
      }
      const status = compound.failed?.status;
      // What has been done must not be done again for the sake of what came behind it.
      if (status === undefined || compound.hasChangedSomething) return;
      if (LATER.has(status)) {
        await this.#sleep(pause);
        pause = Math.min(2 * pause, LONGEST_PAUSE_US);
      } else if (++recoveries > MOST_RECOVERIES) {
        return;
      } else if (STALE.has(status) || (status === NFS4ERR_EXPIRED && this.dialect.minorVersion === 0)) {
        await this.#recover(epoch, true);
      } else if (GONE.has(status) && file !== undefined) {
        await file.reopen((again) => this.#sendPatiently(again));
      } else if (status !== NFS4ERR_OLD_STATEID) {
        return;
      }
    }
  }

  /** Resolves after so long. Rejects with an AbortError when the signal is aborted, and when the client is closed. */
  sleep(delayUs: number, signal?: AbortSignal): Promise<void> {
    return giveUpAt(this.#sleep(delayUs), {
      clock: this.clock,
      signals: [this.#closing.signal, ...(signal === undefined ? [] : [signal])],
      timeoutMs: Number.POSITIVE_INFINITY,
      timedOut: () => new NfsError("ETIMEDOUT", "the server does not answer"),
    });
  }

  // ——— Open files ———

  /** Opens a file, in one round trip where the path has no symbolic links. Rejects with an `NfsError`. */
  async open(
    request: OpenRequest,
    options: RunOptions = {},
  ): Promise<{ readonly file: OpenFile; readonly attributes: Step<"GETATTR"> }> {
    const file = new OpenFile(this.dialect, request, this.#takeOwner());
    const { compound, attributes } = await file.open((one) => this.attempt(one, options));
    // OPEN itself may have succeeded, and what came behind it failed.
    if (file.handle.length === 0) throw compound.error(options);
    this.#files.add(file);
    return { file, attributes };
  }

  /** Closes it. Rejects only if the server could not be told. */
  async close(file: OpenFile, options: RunOptions = {}): Promise<void> {
    this.#files.delete(file);
    await file.close((compound) => this.attempt(compound, options));
  }

  /** A name for a state-owner that no other has. */
  #takeOwner(): Uint8Array {
    const owner = new Uint8Array(8);
    new DataView(owner.buffer).setUint32(4, ++this.#nextOwner);
    return owner;
  }

  // ——— Acquaintance ———

  async #ready(): Promise<void> {
    if (this.#stateRevoked && this.#recovery === null) {
      this.#stateRevoked = false;
      this.#recovery = this.#reopen([...this.#files]).finally(() => {
        this.#recovery = null;
      });
    }
    while (this.#recovery !== null) await this.#recovery;
  }

  /** Once for all that notice it. `forgotten`: the client ID, not only the session. */
  #recover(epoch: number, forgotten = false): Promise<void> {
    if (this.#recovery !== null) return this.#recovery;
    if (epoch !== this.#epoch) return Promise.resolve();
    this.#recovery = this.#reintroduce(forgotten).finally(() => {
      this.#recovery = null;
    });
    return this.#recovery;
  }

  async #reintroduce(forgotten = false): Promise<void> {
    if (forgotten) this.dialect.forget();
    for (;;) {
      try {
        const { stateLost } = await this.dialect.introduce();
        this.#epoch++;
        if (stateLost) await this.#reclaimAll();
        return;
      } catch (error) {
        if (!(error instanceof AcquaintanceLost)) throw error;
      }
    }
  }

  /** What is new must wait until reclaiming is over (RFC 8881 §8.4.2.1). */
  async #reclaimAll(): Promise<void> {
    const refused: OpenFile[] = [];
    for (const file of [...this.#files])
      if (!(await file.reclaim((compound) => this.#sendPatiently(compound)))) refused.push(file);
    await this.dialect.reclaimComplete();
    await this.#reopen(refused);
  }

  async #reopen(files: readonly OpenFile[]): Promise<void> {
    for (const file of files) await file.reopen((compound) => this.#sendPatiently(compound));
  }

  /** While others wait for the recovery that this is part of. */
  async #sendPatiently(compound: Compound): Promise<void> {
    let pause = FIRST_PAUSE_US;
    for (;;) {
      this.#closing.signal.throwIfAborted();
      await this.dialect.send(compound, this.limits);
      const status = compound.failed?.status;
      if (status === undefined || !LATER.has(status) || compound.hasChangedSomething) return;
      await this.#sleep(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_US);
    }
  }

  // ——— Lease ———

  #scheduleRenewal(): void {
    if (!this.closed) this.#renewal.scheduleAfter(this.#leaseUs / 3);
  }

  async #renew(): Promise<void> {
    const epoch = this.#epoch;
    try {
      if (this.clock.coarse() - this.#lastSent >= this.#leaseUs / 3 && this.#recovery === null) {
        this.#lastSent = this.clock.coarse();
        await this.dialect.renew();
      }
    } catch (error) {
      if (error instanceof AcquaintanceLost && !this.closed) await this.#recover(epoch).catch(() => undefined);
    }
    this.#scheduleRenewal();
  }

  /** Closes what is open and says goodbye, as far as the server can be reached within 2 s. Calls under way reject. Idempotent. */
  async disconnect(): Promise<void> {
    if (this.closed) return;
    this.#closing.abort(new NfsError("ERR_CLOSED", "the client was closed"));
    this.#renewal.cancel();
    await giveUpAt(this.dialect.leave(), {
      clock: this.clock,
      signals: [],
      timeoutMs: 2000,
      timedOut: () => new NfsError("ETIMEDOUT", "the server does not answer"),
    }).catch(() => undefined);
    await this.#disconnect();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }
}

import { setMaxListeners } from "node:events";
import {
  bitmapOf,
  decodeFattr4,
  FATTR4_LEASE_TIME,
  NFS4ERR_DELAY,
  NFS4ERR_EXPIRED,
  NFS4ERR_GRACE,
  NFS4ERR_OLD_STATEID,
  NFS4ERR_STALE_CLIENTID,
  NFS4ERR_STALE_STATEID,
} from "@nfs4/protocol";
import { type Callout, type Clock, type RandomSource, type Sleep, sleepOn } from "@nfs4/timecounter";
import { type ErrorContext, NfsError } from "./errors.ts";
import { Compound, type Step } from "./protocol/compound.ts";
import { AcquaintanceLost, type Dialect, type LostAcquaintance } from "./protocol/dialect.ts";
import { giveUpAt } from "./protocol/give-up.ts";
import { OpenFile, type OpenFileHome, type OpenRequest } from "./state/open-file.ts";
import { GONE } from "./state/outdated.ts";

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
/** Statuses of a server that has restarted (4.0). */
const STALE: ReadonlySet<number> = new Set([NFS4ERR_STALE_CLIENTID, NFS4ERR_STALE_STATEID]);
const FIRST_PAUSE_US = 20_000;
const LONGEST_PAUSE_US = 5_000_000;
/** How often state is opened again for one call before its failure is believed. */
const MOST_RECOVERIES = 4;
/** For saying goodbye. */
const LEAVING_MS = 2000;

/** What is done for a caller, who may stop to wait for it. */
interface Effort {
  givenUp: boolean;
}

/**
 * A client of one server: it makes itself known, keeps its lease, runs COMPOUNDs exactly once, and when the server has forgotten it, makes itself known again and
 * claims back what it had open.
 */
export class NfsClient implements AsyncDisposable, OpenFileHome {
  readonly dialect: Dialect;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: ClientLimits;
  readonly #sleep: Sleep;
  readonly #disconnect: () => Promise<void>;
  readonly #files = new Set<OpenFile>();
  readonly #closing = new AbortController();
  readonly #renewal: Callout;
  #epoch = 0;
  /** 4.0: the acquaintance that began the last lease; what was not held under it is not to be claimed back (RFC 7530 §9.6.3.4). */
  #leaseSince = 0;
  #recovery: Promise<void> | null = null;
  /** What the server held is gone, and not restored yet. */
  #stateLost = false;
  #stateRevoked = false;
  #nextOwner = 0;
  #leaseUs = 90e6;

  /** `disconnect` takes the connections down. */
  constructor(
    dialect: Dialect,
    environment: { readonly clock: Clock; readonly random: RandomSource },
    limits: ClientLimits,
    disconnect: () => Promise<void>,
  ) {
    this.dialect = dialect;
    this.clock = environment.clock;
    this.random = environment.random;
    this.limits = limits;
    this.#sleep = sleepOn(this.clock);
    this.#disconnect = disconnect;
    this.#renewal = this.clock.callout(() => void this.#renew());
    // Every call listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Makes the client known. Rejects if the server does not speak the dialect. */
  async introduce(): Promise<void> {
    await this.#reintroduce(null);
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

  get epoch(): number {
    return this.#epoch;
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
    return this.#within(options, (effort) => {
      const work = this.#attempt(compound, effort, options.file);
      compound.settled = work.catch(() => undefined);
      return work;
    });
  }

  /** What `task` comes to, unless the caller gives up before. */
  #within<T>(options: RunOptions, task: (effort: Effort) => Promise<T>): Promise<T> {
    const { signal, timeoutMs = this.limits.timeoutMs } = options;
    if (this.closed) return Promise.reject(new NfsError("ERR_CLOSED", "the client is closed", options));
    const effort: Effort = { givenUp: false };
    return giveUpAt(task(effort), {
      clock: this.clock,
      signals: [this.#closing.signal, ...(signal === undefined ? [] : [signal])],
      timeoutMs,
      timedOut: () => new NfsError("ETIMEDOUT", "the server does not answer", options),
      gaveUp: () => {
        effort.givenUp = true;
      },
    });
  }

  async #attempt(compound: Compound, effort: Effort, file?: OpenFile): Promise<void> {
    const { turn } = compound;
    await turn?.enter();
    try {
      await this.#persist(compound, effort, file);
    } finally {
      turn?.leave();
    }
  }

  async #persist(compound: Compound, effort: Effort, file: OpenFile | undefined): Promise<void> {
    let pause = FIRST_PAUSE_US;
    for (let recoveries = 0; ; ) {
      await this.#ready();
      // Nobody expects it to happen any more.
      if (effort.givenUp) throw new NfsError("ECANCELED", "the caller has given up");
      if (file !== undefined && file.lost !== null) throw file.lost;
      const epoch = this.#epoch;
      const tenure = file?.tenure ?? 0;
      try {
        await this.dialect.send(compound, this.limits);
      } catch (error) {
        if (!(error instanceof AcquaintanceLost)) throw error;
        await this.#recover(epoch, error.what);
        continue;
      }
      const status = compound.failed?.status;
      // What has been done must not be done again for the sake of what came behind it.
      if (status === undefined || compound.hasChangedSomething) return;
      if (LATER.has(status)) {
        await this.#sleep(pause);
        pause = Math.min(2 * pause, LONGEST_PAUSE_US);
        continue;
      }
      if (++recoveries > MOST_RECOVERIES) return;
      const what = this.#lossOf(status);
      if (what !== null) await this.#recover(epoch, what);
      else if (GONE.has(status) && file?.wanted === true) await this.reopen(file, tenure);
      else if (status !== NFS4ERR_OLD_STATEID) return;
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

  /** What an operation's status says of the whole client. */
  #lossOf(status: number): "client" | "lease" | null {
    if (STALE.has(status)) return "client";
    // Since 4.1 it is about the one stateid (RFC 8881 §8.4.2.4, RFC 7530 §9.6.3.3).
    return status === NFS4ERR_EXPIRED && this.dialect.minorVersion === 0 ? "lease" : null;
  }

  // ——— Open files ———

  /**
   * Opens a file, in one round trip where the path has no symbolic links. Rejects with an `NfsError`. If the caller gives up, and the file is opened all the
   * same, it is closed again.
   */
  async open(
    request: OpenRequest,
    options: RunOptions = {},
  ): Promise<{ readonly file: OpenFile; readonly attributes: Step<"GETATTR"> }> {
    const file = new OpenFile(this, request);
    return this.#within(options, async (effort) => {
      this.#files.add(file);
      let failure: unknown;
      try {
        const { compound, attributes } = await file.open((one) => this.#attempt(one, effort));
        if (file.wanted && !effort.givenUp) return { file, attributes };
        failure = compound.error(options);
      } catch (error) {
        failure = error;
      }
      await this.#close(file).catch(() => undefined);
      throw failure;
    });
  }

  /** Closes it. Rejects only if the server could not be told. */
  async close(file: OpenFile, options: RunOptions = {}): Promise<void> {
    await this.#within(options, () => this.#close(file));
  }

  async #close(file: OpenFile): Promise<void> {
    try {
      // Also when nobody waits for it any more: what is open must be closed.
      await file.close((compound) => this.#attempt(compound, { givenUp: false }));
    } finally {
      this.#files.delete(file);
    }
  }

  takeOwner(): Uint8Array {
    const owner = new Uint8Array(8);
    new DataView(owner.buffer).setUint32(4, ++this.#nextOwner);
    return owner;
  }

  async reopen(file: OpenFile, tenure: number): Promise<void> {
    while (this.#recovery !== null) await this.#recovery;
    if (file.tenure !== tenure || !file.wanted) return;
    await this.#startRecovery(() => this.#reopen([file]));
  }

  // ——— Acquaintance ———

  async #ready(): Promise<void> {
    while (this.#recovery !== null) await this.#recovery;
    if (this.#stateLost) await this.#startRecovery(() => this.#reintroduce(null));
    else if (this.#stateRevoked) {
      this.#stateRevoked = false;
      await this.#startRecovery(() => this.#reopen([...this.#files]));
    } else return;
    await this.#ready();
  }

  /** Once for all that notice it. */
  async #recover(epoch: number, what: LostAcquaintance): Promise<void> {
    while (this.#recovery !== null) await this.#recovery;
    if (epoch === this.#epoch) await this.#startRecovery(() => this.#reintroduce(what));
  }

  /** Everything else waits for it. */
  #startRecovery(task: () => Promise<void>): Promise<void> {
    this.#recovery = task()
      .catch((error: unknown) => {
        if (!(error instanceof AcquaintanceLost)) throw error;
        return this.#reintroduce(error.what);
      })
      .finally(() => {
        this.#recovery = null;
      });
    return this.#recovery;
  }

  async #reintroduce(what: LostAcquaintance | null): Promise<void> {
    let lost = what;
    for (let pause = FIRST_PAUSE_US; ; pause = Math.min(2 * pause, LONGEST_PAUSE_US)) {
      try {
        if (lost === "client" || lost === "lease") this.dialect.forget(lost);
        const { stateLost, mayReclaim } = await this.dialect.introduce();
        this.#epoch++;
        this.#stateLost ||= stateLost;
        if (!this.#stateLost) return;
        await this.#restore(mayReclaim);
        this.#stateLost = false;
        if (this.#epoch > 1) await this.#learnLease();
        return;
      } catch (error) {
        if (!(error instanceof AcquaintanceLost)) throw error;
        lost = error.what;
      }
      await this.#sleep(pause);
    }
  }

  /** Takes back what the server held, or if it does not give it back, opens it anew. What is new must wait until then (RFC 8881 §8.4.2.1). */
  async #restore(mayReclaim: boolean): Promise<void> {
    const files = [...this.#files];
    const leaseSince = this.#leaseSince;
    for (const file of files) file.beginAnew();
    // With the first OPEN that the server gets from us, which may be a reclaim, a lease begins.
    if (this.dialect.minorVersion === 0) this.#leaseSince = this.#epoch;
    const others: OpenFile[] = [];
    for (const file of files) {
      if (!file.wanted) continue;
      const reclaimed = mayReclaim && file.heldSince >= leaseSince && (await file.reclaim((one) => this.#tell(one)));
      if (!reclaimed) others.push(file);
    }
    await this.dialect.reclaimComplete();
    await this.#reopen(others);
  }

  async #reopen(files: readonly OpenFile[]): Promise<void> {
    for (const file of files) if (file.wanted) await file.reopen((compound) => this.#tell(compound));
  }

  /** A new instance of the server may have another lease time (RFC 7530 §9.6.2). */
  async #learnLease(): Promise<void> {
    const compound = new Compound("lease").putRoot();
    const step = compound.getAttributes(bitmapOf(FATTR4_LEASE_TIME));
    try {
      await this.#tell(compound);
    } catch (error) {
      // Without it everything goes on as well as before.
      if (error instanceof AcquaintanceLost) throw error;
    }
    const decoded = step.succeeded ? decodeFattr4(step.body.obj_attributes) : null;
    if (decoded?.ok && decoded.values.lease_time !== undefined) this.leaseSeconds = decoded.values.lease_time;
  }

  /** As part of the recovery that all others wait for. Rejects with `AcquaintanceLost` if it has to begin again. */
  async #tell(compound: Compound): Promise<void> {
    for (let pause = FIRST_PAUSE_US; ; pause = Math.min(2 * pause, LONGEST_PAUSE_US)) {
      this.#closing.signal.throwIfAborted();
      await this.dialect.send(compound, this.limits);
      const status = compound.failed?.status;
      if (status === undefined || compound.hasChangedSomething) return;
      const what = this.#lossOf(status);
      if (what !== null) throw new AcquaintanceLost(what);
      if (!LATER.has(status)) return;
      await this.#sleep(pause);
    }
  }

  // ——— Lease ———

  #scheduleRenewal(): void {
    if (!this.closed) this.#renewal.scheduleAfter(this.#leaseUs / 3);
  }

  async #renew(): Promise<void> {
    const epoch = this.#epoch;
    try {
      if (this.clock.coarse() - this.dialect.lastRenewal >= this.#leaseUs / 3 && this.#recovery === null)
        await this.dialect.renew();
    } catch (error) {
      if (error instanceof AcquaintanceLost && !this.closed)
        await this.#recover(epoch, error.what).catch(() => undefined);
    }
    this.#scheduleRenewal();
  }

  /** Closes what is open and says goodbye, as far as the server can be reached within 2 s. Calls under way reject. Idempotent. */
  async disconnect(): Promise<void> {
    if (this.closed) return;
    this.#closing.abort(new NfsError("ERR_CLOSED", "the client was closed"));
    this.#renewal.cancel();
    await giveUpAt(this.#leave(), {
      clock: this.clock,
      signals: [],
      timeoutMs: LEAVING_MS,
      timedOut: () => new NfsError("ETIMEDOUT", "the server does not answer"),
    }).catch(() => undefined);
    await this.#disconnect();
  }

  async #leave(): Promise<void> {
    await Promise.all([...this.#files].map((file) => this.#close(file).catch(() => undefined)));
    await this.dialect.leave();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }
}

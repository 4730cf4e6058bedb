import type { Callout } from "@nfs4/timecounter";
import type { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import type { AuthFlavorClient, CallAuth } from "./auth/flavor.ts";
import { authNone } from "./auth/none.ts";
import type { PooledBuffer } from "./buffer-pool.ts";
import { AcceptStat, MAX_FRAGMENT_BYTES, RejectStat, ReplyStat } from "./constants.ts";
import type { RpcEnvironment } from "./environment.ts";
import { RpcError } from "./errors.ts";
import { newReplyHeader, type ReplyHeader, readReplyHeader, writeCallHeader } from "./message.ts";
import type { Outbox } from "./outbox.ts";

const EMPTY = new Uint8Array(0);
/** Filled and read within one call of `accept`, for all connections. */
const scratch: ReplyHeader = newReplyHeader();

/** The memory of a reply, lent to `decode` for its call. Who keeps views of it retains it, and releases it once. */
export interface ReplyMemory {
  retain(): void;
  release(): void;
}

/** A call to make. */
export interface CallRequest<T> {
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  /** Writes the arguments. Data written by reference must not change until `releases` are called. Default: none. */
  readonly encode?: (writer: XdrWriter) => void;
  /** Called when the transport has done with everything `encode` wrote. */
  readonly releases?: readonly (() => void)[];
  /** Reads the results. Views of them end with the call, unless `memory` is retained. Default: returns undefined. */
  readonly decode?: (reader: XdrReader, memory: ReplyMemory) => T;
  /** Default AUTH_NONE. */
  readonly credential?: AuthFlavorClient;
  /** Gives up when aborted: the promise rejects with the signal's reason. The call may be executed all the same. */
  readonly signal?: AbortSignal;
  /** Gives up after so long: RPC_TIMEOUT. Default: waits as long as the connection lives. */
  readonly timeoutMs?: number;
}

/** A call under way. */
export interface PendingCall<T> {
  readonly xid: number;
  readonly results: Promise<T>;
  /** Gives up: `results` rejects with `reason`. A reply that still comes is ignored. */
  cancel(reason?: unknown): void;
}

interface Entry {
  readonly xid: number;
  readonly request: CallRequest<unknown>;
  readonly auth: CallAuth;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  /** µs of uptime. */
  readonly deadline: number;
  onAbort: (() => void) | null;
}

/** Calls of ours on one connection that have no reply yet. */
export class PendingCalls {
  readonly #environment: RpcEnvironment;
  readonly #outbox: Outbox;
  #entries: Map<number, Entry> | null = null;
  /** Made with the first call that has a timeout. */
  #timer: Callout | null = null;
  #nextXid: number;
  #ended: RpcError | null = null;

  constructor(environment: RpcEnvironment, outbox: Outbox) {
    this.#environment = environment;
    this.#outbox = outbox;
    this.#nextXid = environment.random.uint32();
  }

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  /** An xid that no outstanding call has. */
  takeXid(): number {
    let xid = this.#nextXid;
    while (this.#entries?.has(xid) === true) xid = (xid + 1) >>> 0;
    this.#nextXid = (xid + 1) >>> 0;
    return xid;
  }

  start<T>(xid: number, request: CallRequest<T>): PendingCall<T> {
    let entry: Entry | null = null;
    const results = new Promise<T>((resolve, reject) => {
      const obstacle = this.#obstacle(xid, request);
      if (obstacle !== null) reject(obstacle.reason);
      else entry = this.#send(xid, request, resolve as (value: unknown) => void, reject);
    });
    const cancel = (reason?: unknown): void => {
      // Once it has ended, another call may have its xid.
      if (entry !== null && this.#entries?.get(xid) === entry) this.#cancelled(entry, reason ?? abortError());
    };
    return { xid, results, cancel };
  }

  /** Takes the record of a reply, its reader behind xid and message type. False if it cannot be understood at all. */
  accept(record: PooledBuffer, xid: number): boolean {
    const entry = this.#entries?.get(xid);
    if (entry === undefined) {
      this.#environment.counters.repliesUnmatched++;
      return true;
    }
    this.#environment.counters.repliesReceived++;
    const fault = readReplyHeader(record.reader, scratch);
    if (fault !== null) {
      this.#fail(entry, new RpcError("RPC_CANT_DECODE_REPLY", `the reply's header is bad (${fault})`));
      return fault !== "garbage";
    }
    const failure = this.#failureOf(entry, record);
    if (failure !== null) {
      this.#fail(entry, failure);
      return true;
    }
    this.#finish(entry, record);
    return true;
  }

  /** Fails all calls, now and later: the connection has ended. */
  close(error: RpcError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#timer?.cancel();
    for (const entry of [...(this.#entries?.values() ?? [])]) this.#fail(entry, error);
  }

  /** Why the call cannot be sent; a signal's reason may be anything. */
  #obstacle(xid: number, request: CallRequest<unknown>): { readonly reason: unknown } | null {
    if (this.#ended !== null) return { reason: this.#ended };
    if (request.signal?.aborted === true) return { reason: request.signal.reason };
    if (this.#entries?.has(xid) === true)
      return { reason: new RpcError("RPC_XID_IN_USE", `xid ${xid} is outstanding already`) };
    const limit = this.#environment.limits.pendingCalls;
    if (this.size >= limit) return { reason: new RpcError("RPC_TOO_MANY_CALLS", `${limit} calls are outstanding`) };
    return null;
  }

  #send<T>(
    xid: number,
    request: CallRequest<T>,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ): Entry | null {
    const { program, version, procedure } = request;
    let auth: CallAuth;
    const writer = this.#outbox.begin();
    try {
      auth = (request.credential ?? authNone).begin({ xid, program, version, procedure });
      writeCallHeader(writer, xid, program, version, procedure);
      auth.writeCredential(writer);
      auth.writeVerifier(writer);
      if (request.encode !== undefined) {
        if (auth.wrapArgs === undefined) request.encode(writer);
        else auth.wrapArgs(request.encode, writer);
      }
      if (writer.position > MAX_FRAGMENT_BYTES) throw new RangeError(`a call of ${writer.position} bytes`);
    } catch (cause) {
      this.#outbox.discard(writer);
      reject(new RpcError("RPC_CANT_ENCODE_ARGS", "the arguments could not be encoded", { cause }));
      return null;
    }
    const entry = this.#enter(xid, request, auth, resolve, reject);
    this.#environment.counters.callsSent++;
    this.#outbox.post(writer, null, request.releases);
    return entry;
  }

  #enter(
    xid: number,
    request: CallRequest<unknown>,
    auth: CallAuth,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ): Entry {
    const deadline =
      request.timeoutMs === undefined
        ? Number.POSITIVE_INFINITY
        : this.#environment.clock.coarse() + request.timeoutMs * 1000;
    const entry: Entry = { xid, request, auth, resolve, reject, deadline, onAbort: null };
    this.#entries ??= new Map();
    this.#entries.set(xid, entry);
    if (deadline !== Number.POSITIVE_INFINITY) this.#wakeBy(deadline);
    const signal = request.signal;
    if (signal !== undefined) {
      entry.onAbort = () => this.#cancelled(entry, signal.reason);
      signal.addEventListener("abort", entry.onAbort, { once: true });
    }
    return entry;
  }

  #failureOf(entry: Entry, record: PooledBuffer): RpcError | null {
    const { replyStat, stat, low, high, authStat, verifierFlavor, verifierOffset, verifierLength } = scratch;
    if (replyStat === ReplyStat.MSG_DENIED) {
      return stat === RejectStat.RPC_MISMATCH
        ? new RpcError("RPC_VERSION_MISMATCH", `the server speaks RPC versions ${low} to ${high}`, { low, high })
        : new RpcError("RPC_AUTH_ERROR", `the server refused the credential (auth_stat ${authStat})`, { authStat });
    }
    const verifier =
      verifierLength === 0 ? EMPTY : record.bytes.subarray(verifierOffset, verifierOffset + verifierLength);
    if (!entry.auth.checkVerifier(verifierFlavor, verifier)) {
      return new RpcError("RPC_BAD_VERIFIER", "the reply's verifier is not the server's");
    }
    switch (stat) {
      case AcceptStat.SUCCESS:
        return null;
      case AcceptStat.PROG_UNAVAIL:
        return new RpcError("RPC_PROG_UNAVAIL", `the server has no program ${entry.request.program}`);
      case AcceptStat.PROG_MISMATCH:
        return new RpcError("RPC_PROG_MISMATCH", `the server has versions ${low} to ${high}`, { low, high });
      case AcceptStat.PROC_UNAVAIL:
        return new RpcError("RPC_PROC_UNAVAIL", `the program has no procedure ${entry.request.procedure}`);
      case AcceptStat.GARBAGE_ARGS:
        return new RpcError("RPC_GARBAGE_ARGS", "the server could not decode the arguments");
      default:
        return new RpcError("RPC_SYSTEM_ERR", "the server failed");
    }
  }

  #finish(entry: Entry, record: PooledBuffer): void {
    const { request, auth } = entry;
    let value: unknown;
    try {
      const results = auth.unwrapResults === undefined ? record.reader : auth.unwrapResults(record.reader);
      value = request.decode?.(results, record);
    } catch (cause) {
      this.#fail(entry, new RpcError("RPC_CANT_DECODE_REPLY", "the results could not be decoded", { cause }));
      return;
    }
    this.#remove(entry);
    entry.resolve(value);
  }

  #fail(entry: Entry, reason: unknown): void {
    this.#remove(entry);
    entry.reject(reason);
  }

  #cancelled(entry: Entry, reason: unknown): void {
    this.#environment.counters.callsCancelled++;
    this.#fail(entry, reason);
  }

  #remove(entry: Entry): void {
    this.#entries?.delete(entry.xid);
    if (entry.onAbort !== null) entry.request.signal?.removeEventListener("abort", entry.onAbort);
  }

  /** One callout serves all calls: it stands at the earliest deadline there was when it was set. */
  #expire(): void {
    const now = this.#environment.clock.coarse();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of [...(this.#entries?.values() ?? [])]) {
      if (entry.deadline <= now) {
        this.#environment.counters.callTimeouts++;
        this.#fail(entry, new RpcError("RPC_TIMEOUT", `no reply within ${entry.request.timeoutMs} ms`));
      } else if (entry.deadline < next) next = entry.deadline;
    }
    if (next !== Number.POSITIVE_INFINITY) this.#wakeBy(next);
  }

  #wakeBy(deadline: number): void {
    this.#timer ??= this.#environment.clock.callout(() => this.#expire());
    if (!this.#timer.armed || this.#timer.deadline > deadline) this.#timer.schedule(deadline);
  }
}

function abortError(): DOMException {
  return new DOMException("The call was cancelled", "AbortError");
}

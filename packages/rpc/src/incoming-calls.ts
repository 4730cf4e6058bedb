import { XdrError, type XdrWriter } from "@xdr-ts/xdr";
import type { Authenticator, AuthFlavorServer } from "./auth/flavor.ts";
import type { PooledBuffer } from "./buffer-pool.ts";
import { errorChannel } from "./channels.ts";
import type { RpcConnection } from "./connection.ts";
import { AuthStat } from "./constants.ts";
import type { RpcCounters } from "./counters.ts";
import type { RpcEnvironment } from "./environment.ts";
import { RpcError } from "./errors.ts";
import type { LoadShare } from "./load-share.ts";
import {
  type CallHeader,
  type HeaderFault,
  newCallHeader,
  readCallHeader,
  writeAuthError,
  writeRpcMismatch,
} from "./message.ts";
import type { Outbox } from "./outbox.ts";
import type { RpcProgram } from "./program.ts";
import type { ProgramTable } from "./program-table.ts";
import type { RecordReader } from "./record-reader.ts";
import { type CallOwner, RpcCall } from "./rpc-call.ts";

/** Filled and read within one call of `#start`, for all connections. */
const scratch: CallHeader = newCallHeader();

export interface IncomingCallsOptions {
  readonly connection: RpcConnection;
  readonly environment: RpcEnvironment;
  readonly share: LoadShare;
  readonly reader: RecordReader;
  readonly outbox: Outbox;
  readonly programs: ProgramTable;
  readonly flavors: ReadonlyMap<number, AuthFlavorServer>;
  /** A record is no message; the connection ends. */
  readonly badMessage: (problem: string) => void;
  /** A call must wait for others; whoever can make room should. */
  readonly short: () => void;
}

/**
 * The calls that came in over one connection, from the complete record to the settled call.
 *
 * Back-pressure (DESIGN §2). A call is started when its connection, client and server are below their number of calls in flight and their
 * bytes of replies on the way. Otherwise it waits, as a record, in a queue, while reading goes on: behind it may come a reply to a
 * call of ours (the recall that a call in flight waits for). Only a full queue, by number or by memory, stops reading. That delays such
 * a reply, but cannot make it wait for ever: calls in flight end by themselves, since a handler bounds every wait for a client by time
 * (DESIGN §5), and each one that ends starts one from the queue. A peer whose calls are bounded (NFSv4.1: by its slots) never fills it.
 */
export class IncomingCalls implements CallOwner {
  readonly connection: RpcConnection;
  readonly #environment: RpcEnvironment;
  readonly #counters: RpcCounters;
  readonly #share: LoadShare;
  readonly #reader: RecordReader;
  readonly #outbox: Outbox;
  readonly #programs: ProgramTable;
  readonly #flavors: ReadonlyMap<number, AuthFlavorServer>;
  /** Of the flavors seen so far: one or two. */
  readonly #authenticators: { readonly flavor: number; readonly authenticator: Authenticator }[] = [];
  readonly #badMessage: (problem: string) => void;
  readonly #short: () => void;
  /** Records of calls not started, from `#head` on. */
  #waiting: PooledBuffer[] = [];
  #head = 0;
  /** Calls started and not settled, apart from the one being started now. */
  #running: Set<RpcCall> | null = null;
  #starting: RpcCall | null = null;
  #callPermit = false;
  #callPermitAsked = false;
  /** Bytes reserved for the next call's reply, 0 for none, and how many of them are being waited for. */
  #outputPermit = 0;
  #outputPermitAsked = 0;
  #pumpScheduled = false;
  #closed = false;
  /** Called whenever nothing is waiting or running any more. */
  onIdle: (() => void) | null = null;

  constructor(options: IncomingCallsOptions) {
    this.connection = options.connection;
    this.#environment = options.environment;
    this.#counters = options.environment.counters;
    this.#share = options.share;
    this.#reader = options.reader;
    this.#outbox = options.outbox;
    this.#programs = options.programs;
    this.#flavors = options.flavors;
    this.#badMessage = options.badMessage;
    this.#short = options.short;
  }

  /** Calls started and not settled. */
  get inFlight(): number {
    return (this.#running?.size ?? 0) + (this.#starting === null ? 0 : 1);
  }

  /** Calls read and not started. */
  get waiting(): number {
    return this.#waiting.length - this.#head;
  }

  get #mostWaiting(): number {
    const { waitingCalls, waitingCallsOfStranger } = this.#environment.limits;
    return this.connection.stranger ? waitingCallsOfStranger : waitingCalls;
  }

  get idle(): boolean {
    return this.inFlight === 0 && this.waiting === 0;
  }

  /** Takes the record of a call, its reader behind xid and message type. */
  accept(record: PooledBuffer, xid: number): void {
    this.#counters.calls++;
    if (this.waiting === 0 && this.#hasPermits()) {
      this.#start(record, xid);
      return;
    }
    this.#counters.callsDelayed++;
    this.#short();
    this.#waiting.push(record);
    if (this.waiting >= this.#mostWaiting) {
      this.#counters.queuePauses++;
      this.#reader.hold();
    }
  }

  /** The connection has ended: nothing more is started; what runs is told by its signal and settles by itself. */
  close(reason: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#share.calls.cancel();
    this.#share.output.cancel();
    this.#callPermitAsked = false;
    this.#outputPermitAsked = 0;
    this.#returnPermits();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let i = this.#head; i < waiting.length; i++) waiting[i]!.release();
    this.#head = 0;
    this.#starting?.cancel(reason);
    for (const call of this.#running ?? []) call.cancel(reason);
  }

  beginRecord(): XdrWriter {
    return this.#outbox.begin();
  }

  discard(writer: XdrWriter): void {
    this.#outbox.discard(writer);
  }

  answered(
    call: RpcCall,
    writer: XdrWriter,
    source: PooledBuffer,
    releases: readonly (() => void)[] | undefined,
  ): void {
    if (this.#closed) {
      this.#counters.repliesDiscarded++;
      this.#outbox.discard(writer);
      if (releases !== undefined) for (const release of releases) release();
    } else {
      this.#counters.replies++;
      this.#outbox.post(writer, source, releases);
    }
    if (!call.handlerRunning) this.#settle(call);
  }

  dropped(call: RpcCall): void {
    this.#counters.callsDropped++;
    if (!call.handlerRunning) this.#settle(call);
  }

  /** One call and some output: with both in hand a call may start. What is missing is asked for. */
  #hasPermits(): boolean {
    if (!this.#callPermit && !this.#callPermitAsked) {
      this.#callPermit = this.#share.calls.request(1, this.#onCallPermit);
      this.#callPermitAsked = !this.#callPermit;
    }
    if (!this.#callPermit) return false;
    if (this.#outputPermit === 0 && this.#outputPermitAsked === 0) this.#requestOutput();
    return this.#outputPermit > 0;
  }

  /**
   * A byte is enough while there is room. Whoever has to wait waits for as much as a long reply takes and keeps it until the reply is there: for a byte each, all
   * who wait would start as soon as one reply is read.
   */
  #requestOutput(): void {
    const { output } = this.#share;
    if (output.tryTake(1)) {
      this.#outputPermit = 1;
      return;
    }
    const asked = Math.ceil(this.#environment.limits.outputPerConnection / 8);
    if (output.request(asked, this.#onOutputPermit)) this.#outputPermit = asked;
    else this.#outputPermitAsked = asked;
  }

  readonly #onCallPermit = (): void => {
    this.#callPermitAsked = false;
    this.#callPermit = true;
    this.#schedulePump();
  };

  readonly #onOutputPermit = (): void => {
    this.#outputPermit = this.#outputPermitAsked;
    this.#outputPermitAsked = 0;
    this.#schedulePump();
  };

  /**
   * Permits are granted from within others' endings: what they start runs on its own. If it is our own end that gives everything back, that is known one
   * microtask later, and nothing must start any more.
   */
  #schedulePump(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    queueMicrotask(() => queueMicrotask(this.#pump));
  }

  readonly #pump = (): void => {
    this.#pumpScheduled = false;
    const corked = this.#outbox.corked;
    this.#outbox.corked = true;
    while (this.waiting > 0 && this.#hasPermits()) {
      const record = this.#waiting[this.#head]!;
      this.#head++;
      if (this.#head > 64 && this.#head * 2 > this.#waiting.length) {
        this.#waiting.splice(0, this.#head);
        this.#head = 0;
      }
      this.#start(record, messageXid(record));
    }
    if (this.waiting === 0) this.#returnPermits();
    this.#outbox.corked = corked;
    if (!corked) this.#outbox.flush();
    if (this.waiting * 2 <= this.#mostWaiting) this.#reader.resume();
    if (this.idle) this.onIdle?.();
  };

  /** Permits in hand without a call to start would be missing elsewhere. */
  #returnPermits(): void {
    if (this.#callPermit) this.#share.calls.give(1);
    this.#callPermit = false;
    const reserved = this.#outputPermit;
    this.#outputPermit = 0;
    if (reserved > 0) this.#share.output.give(reserved);
  }

  #start(record: PooledBuffer, xid: number): void {
    const reserved = this.#outputPermit;
    this.#callPermit = false;
    this.#outputPermit = 0;
    const header = scratch;
    const fault = readCallHeader(record.reader, header);
    if (fault !== null) {
      this.#refuse(record, xid, fault, reserved);
      return;
    }
    const call = new RpcCall(this, record, header, xid, reserved);
    this.#counters.callsInFlight++;
    this.#starting = call;
    try {
      this.#execute(call, header);
    } catch (error) {
      this.#failed(call, error);
    }
    // Settled in between unless it waits for something.
    if (this.#starting === call) {
      this.#starting = null;
      this.#running ??= new Set();
      this.#running.add(call);
    }
  }

  #refuse(record: PooledBuffer, xid: number, fault: HeaderFault, reserved: number): void {
    if (fault === "version" || fault === "credential" || fault === "verifier") {
      const writer = this.#outbox.begin();
      if (fault === "version") {
        this.#counters.rpcMismatches++;
        writeRpcMismatch(writer, xid);
      } else {
        this.#counters.authErrors++;
        writeAuthError(writer, xid, fault === "credential" ? AuthStat.AUTH_BADCRED : AuthStat.AUTH_BADVERF);
      }
      this.#counters.replies++;
      this.#outbox.post(writer, null, undefined);
    }
    record.release();
    this.#share.calls.give(1);
    this.#share.output.give(reserved);
    if (fault === "truncated" || fault === "garbage") this.#badMessage("a call ends within its header");
  }

  #execute(call: RpcCall, header: CallHeader): void {
    const authenticator = this.#authenticatorOf(header.credentialFlavor);
    if (authenticator === null) {
      call.authError(AuthStat.AUTH_BADCRED);
      return;
    }
    const verdict = authenticator.authenticate(call, header);
    if (verdict === "answered") return;
    if (verdict === "drop") {
      call.drop();
      return;
    }
    if ("reject" in verdict) {
      call.authError(verdict.reject);
      return;
    }
    call.secure(verdict);
    const program = this.#find(call);
    if (program === null) return;
    if (call.procedure === 0) {
      call.beginReply();
      call.sendReply();
      return;
    }
    if (verdict.unwrapArgs !== undefined && !unwrap(call, verdict.unwrapArgs)) return;
    this.#dispatch(program, call);
  }

  #authenticatorOf(flavor: number): Authenticator | null {
    for (const known of this.#authenticators) if (known.flavor === flavor) return known.authenticator;
    const server = this.#flavors.get(flavor);
    if (server === undefined) return null;
    const authenticator = server.authenticator();
    this.#authenticators.push({ flavor, authenticator });
    return authenticator;
  }

  #find(call: RpcCall): RpcProgram | null {
    const versions = this.#programs.versions(call.program);
    if (versions === undefined) {
      call.programUnavailable();
      return null;
    }
    let low = 0xffff_ffff;
    let high = 0;
    for (const program of versions) {
      if (call.version >= program.lowVersion && call.version <= program.highVersion) return program;
      low = Math.min(low, program.lowVersion);
      high = Math.max(high, program.highVersion);
    }
    call.programMismatch(low, high);
    return null;
  }

  #dispatch(program: RpcProgram, call: RpcCall): void {
    call.handlerRunning = true;
    const result = program.dispatch(call);
    if (result === undefined) {
      call.handlerRunning = false;
      if (call.answered) this.#settle(call);
      return;
    }
    result.then(
      () => {
        if (call.answered) {
          call.handlerRunning = false;
          this.#settle(call);
        } else {
          this.#failed(call, new RpcError("RPC_NOT_ANSWERED", "the handler ended without an answer"));
        }
      },
      (error: unknown) => this.#failed(call, error),
    );
  }

  #failed(call: RpcCall, error: unknown): void {
    const wasRunning = call.handlerRunning;
    call.handlerRunning = false;
    if (call.answered) {
      if (wasRunning) this.#settle(call);
    } else if (error instanceof XdrError && !call.begun) {
      call.garbageArgs();
      return;
    } else {
      call.systemError();
    }
    if (errorChannel.hasSubscribers) errorChannel.publish({ connection: this.connection, call, error });
  }

  #settle(call: RpcCall): void {
    if (this.#starting === call) this.#starting = null;
    else this.#running?.delete(call);
    this.#counters.callsInFlight--;
    call.settle();
    this.#share.calls.give(1);
    this.#share.output.give(call.reserved);
    if (this.idle) this.onIdle?.();
  }
}

/** The xid of a complete record, its first 4 bytes. */
function messageXid(record: PooledBuffer): number {
  const bytes = record.bytes;
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
}

function unwrap(call: RpcCall, unwrapArgs: (args: RpcCall["args"]) => RpcCall["args"] | null): boolean {
  try {
    const args = unwrapArgs(call.args);
    if (args !== null) {
      call.args = args;
      return true;
    }
  } catch (error) {
    if (!(error instanceof XdrError)) throw error;
  }
  call.garbageArgs();
  return false;
}

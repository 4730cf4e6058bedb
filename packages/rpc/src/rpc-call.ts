import type { Slice } from "@nfs4/bytestream";
import type { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import type { Credential } from "./auth/credential.ts";
import type { CallSecurity, UnauthenticatedCall } from "./auth/flavor.ts";
import type { PooledBuffer } from "./buffer-pool.ts";
import type { RpcConnection } from "./connection.ts";
import { AcceptStat, type AuthStat, MAX_FRAGMENT_BYTES } from "./constants.ts";
import { RpcError } from "./errors.ts";
import { type CallHeader, writeAcceptedHeader, writeAuthError, writeProgramMismatch } from "./message.ts";

/** Who takes a call's answer. */
export interface CallOwner {
  readonly connection: RpcConnection;
  beginRecord(): XdrWriter;
  discard(writer: XdrWriter): void;
  answered(call: RpcCall, writer: XdrWriter, source: PooledBuffer, releases: readonly (() => void)[] | undefined): void;
  dropped(call: RpcCall): void;
}

type State = "open" | "replying" | "answered";

/**
 * A call that came in. Exactly one of its endings must be used: `reply`, `sendReply` after `beginReply`, `replyEncoded`, `garbageArgs`,
 * `procedureUnavailable`, `programUnavailable`, `systemError`, `authError`, `drop`. Answers to a connection that has ended go nowhere, without an error.
 */
export class RpcCall implements UnauthenticatedCall {
  readonly xid: number;
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  /**
   * At the first byte of the arguments. It reads from the received record and hands out views of it, which are valid until the call is
   * settled: answered, and its handler's promise resolved.
   */
  args: XdrReader;
  /** For the layer above: whatever it wants to remember with the call. */
  userData: unknown = undefined;
  /** For the connection: whether the handler's promise is outstanding. */
  handlerRunning = false;
  /** For the connection: bytes of output kept free for the answer until the call is settled. */
  readonly reserved: number;
  readonly #owner: CallOwner;
  readonly #record: PooledBuffer;
  readonly #argsOffset: number;
  #security: CallSecurity | null = null;
  #state: State = "open";
  #writer: XdrWriter | null = null;
  #bodyStart = 0;
  #abort: AbortController | null = null;

  constructor(owner: CallOwner, record: PooledBuffer, header: CallHeader, xid: number, reserved: number) {
    this.#owner = owner;
    this.#record = record;
    this.xid = xid;
    this.reserved = reserved;
    this.program = header.program;
    this.version = header.version;
    this.procedure = header.procedure;
    this.args = record.reader;
    this.#argsOffset = record.reader.offset;
  }

  /** Where the call came from; `connection.call()` calls back over it. */
  get connection(): RpcConnection {
    return this.#owner.connection;
  }

  get credential(): Credential {
    const security = this.#security;
    if (security === null) throw new Error("the call is not authenticated yet");
    return security.credential;
  }

  /** Aborted when the connection ends before the answer. Made when first asked for. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.connection.ended) this.#abort.abort(this.connection.endReason);
    }
    return this.#abort.signal;
  }

  /** The whole call as received, from the xid on; borrowed like `args`. */
  get message(): Uint8Array {
    return this.#record.bytes.subarray(0, this.#record.length);
  }

  /** Bytes of the whole call. */
  get messageLength(): number {
    return this.#record.length;
  }

  /** The arguments as received (and unwrapped, if they came plain); borrowed. For a duplicate request cache's checksum. */
  get argsBytes(): Uint8Array {
    return this.#record.bytes.subarray(this.#argsOffset, this.#record.length);
  }

  /** Whether one of the endings has been used. */
  get answered(): boolean {
    return this.#state === "answered";
  }

  /** Whether an answer has been begun, or given. */
  get begun(): boolean {
    return this.#state !== "open";
  }

  /** Encodes and sends the results. What `write` throws is rethrown, and nothing is sent. */
  reply(write: (writer: XdrWriter) => void): void {
    const writer = this.beginReply();
    write(writer);
    this.sendReply();
  }

  /** The writer for the results, the reply's header written. Its owner is the call. */
  beginReply(): XdrWriter {
    if (this.#state === "replying") this.#abandon();
    this.#mustBe("open");
    const writer = this.#owner.beginRecord();
    writeAcceptedHeader(writer, this.xid, this.#security?.verifier ?? null, AcceptStat.SUCCESS);
    this.#writer = writer;
    this.#bodyStart = writer.position;
    this.#state = "replying";
    return writer;
  }

  /**
   * A copy of the results encoded since `beginReply`, for a reply cache: at the start of `memory` if they fit there, else in memory of their own.
   * Nothing may be written after it but `sendReply` called.
   */
  encodedResults(memory?: Uint8Array): Uint8Array {
    this.#mustBe("replying");
    const record = this.#writer!.bytes();
    const length = record.length - this.#bodyStart;
    if (memory === undefined || length > memory.length) return record.slice(this.#bodyStart);
    memory.set(record.subarray(this.#bodyStart));
    return memory.subarray(0, length);
  }

  /**
   * Sends the results written since `beginReply`. `releases` are called, each once, when the transport has done with the data that was
   * written by reference.
   */
  sendReply(releases?: readonly (() => void)[]): void {
    this.#mustBe("replying");
    let writer = this.#writer!;
    const wrap = this.#security?.wrapResults;
    if (wrap !== undefined) {
      const plain = writer;
      const results = plain.bytes().subarray(this.#bodyStart);
      writer = this.#owner.beginRecord();
      writeAcceptedHeader(writer, this.xid, this.#security?.verifier ?? null, AcceptStat.SUCCESS);
      wrap(results, writer);
      this.#owner.discard(plain);
    }
    this.#finish(writer, releases);
  }

  /** Sends the results of an earlier reply again, under this call's xid. Takes ownership of the slices, whose length is a multiple of 4. */
  replyEncoded(results: readonly Slice[]): void {
    const writer = this.beginReply();
    const releases: (() => void)[] = [];
    for (const { bytes, release } of results) {
      writer.opaqueFixed(bytes, bytes.length);
      if (release !== undefined) releases.push(release);
    }
    this.sendReply(releases);
  }

  /** The arguments cannot be decoded. */
  garbageArgs(): void {
    this.connection.counters.garbageArgs++;
    this.#end(AcceptStat.GARBAGE_ARGS);
  }

  /** The program has no such procedure. */
  procedureUnavailable(): void {
    this.connection.counters.proceduresUnavailable++;
    this.#end(AcceptStat.PROC_UNAVAIL);
  }

  programUnavailable(): void {
    this.connection.counters.programsUnavailable++;
    this.#end(AcceptStat.PROG_UNAVAIL);
  }

  programMismatch(low: number, high: number): void {
    this.connection.counters.programMismatches++;
    const writer = this.#freshRecord();
    writeProgramMismatch(writer, this.xid, this.#security?.verifier ?? null, low, high);
    this.#finish(writer, undefined);
  }

  /** Something went wrong here that is not the caller's fault, say memory ran out. */
  systemError(): void {
    this.connection.counters.systemErrors++;
    this.#end(AcceptStat.SYSTEM_ERR);
  }

  /** The credential is not good for this call (AUTH_TOOWEAK, say). */
  authError(stat: AuthStat): void {
    this.connection.counters.authErrors++;
    const writer = this.#freshRecord();
    writeAuthError(writer, this.xid, stat);
    this.#finish(writer, undefined);
  }

  /** Sends no reply: the caller will ask again, or the call is a duplicate of one that is being executed. */
  drop(): void {
    if (this.#state === "replying") this.#abandon();
    this.#mustBe("open");
    this.#state = "answered";
    this.#owner.dropped(this);
  }

  /** For flavors: how the answer is verified and wrapped, and who the caller is. */
  secure(security: CallSecurity): void {
    this.#security = security;
  }

  /** For the connection: it has ended, or everything is over. */
  cancel(reason: unknown): void {
    this.#abort?.abort(reason);
  }

  /** For the connection: the call is settled, its memory can go. */
  settle(): void {
    this.#record.release();
  }

  #end(stat: AcceptStat): void {
    const writer = this.#freshRecord();
    writeAcceptedHeader(writer, this.xid, this.#security?.verifier ?? null, stat);
    this.#finish(writer, undefined);
  }

  #freshRecord(): XdrWriter {
    if (this.#state === "replying") this.#abandon();
    this.#mustBe("open");
    return this.#owner.beginRecord();
  }

  #abandon(): void {
    this.#owner.discard(this.#writer!);
    this.#writer = null;
    this.#state = "open";
  }

  #finish(writer: XdrWriter, releases: readonly (() => void)[] | undefined): void {
    if (writer.position > MAX_FRAGMENT_BYTES) {
      throw new RpcError("RPC_RECORD_TOO_LONG", `a reply of ${writer.position} bytes`);
    }
    this.#writer = null;
    this.#state = "answered";
    this.#owner.answered(this, writer, this.#record, releases);
  }

  #mustBe(state: State): void {
    if (this.#state !== state) throw new Error(`the call is ${this.#state}, not ${state}`);
  }
}

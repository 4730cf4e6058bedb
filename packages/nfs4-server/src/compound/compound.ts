/**
 * COMPOUND (RFC 8881 §16.2, RFC 7530 §14.2): operations one after the other until one fails, each decoded when its turn comes and its result written
 * straight into the reply. Where no operation waits, nothing is awaited.
 */
import {
  beginCompoundReply,
  type CompoundReplyPlaces,
  decodeCompoundCall,
  endCompoundReply,
  LAST_MINOR_VERSION,
  NFS4_OK,
  NFS4ERR_BADXDR,
  NFS4ERR_IO,
  NFS4ERR_MINOR_VERS_MISMATCH,
  NFS4ERR_NOFILEHANDLE,
  NFS4ERR_NOT_ONLY_OP,
  NFS4ERR_NOTSUPP,
  NFS4ERR_OP_ILLEGAL,
  NFS4ERR_OP_NOT_IN_SESSION,
  NFS4ERR_REP_TOO_BIG,
  NFS4ERR_REP_TOO_BIG_TO_CACHE,
  NFS4ERR_RESOURCE,
  NFS4ERR_RETRY_UNCACHED_REP,
  NFS4ERR_SEQUENCE_POS,
  NFS4ERR_SERVERFAULT,
  nfs_opnum4,
  type nfsstat4,
  OP_BIND_CONN_TO_SESSION,
  OP_ILLEGAL,
  OP_SEQUENCE,
  type Operation,
  operationByNumber,
} from "@nfs4/protocol";
import type { RpcCall } from "@nfs4/rpc";
import { XdrError, type XdrWriter } from "@xdr-ts/xdr";
import { faultChannel } from "../channels.ts";
import { errnoOfThrown, statusOfErrno } from "../filesystem/errno.ts";
import type { Services } from "../services.ts";
import { DuplicateRequestCache } from "../state/duplicate-request-cache.ts";
import { statusOf } from "../state/sequenced.ts";
import { KEPT_UNASKED } from "../state/slot-table.ts";
import { CompoundContext } from "./context.ts";
import { requestFingerprint } from "./fingerprint.ts";
import type { Handler, ResultWriter } from "./handler.ts";
import { handlerOf } from "./handlers.ts";

/** Operations that may stand alone without a SEQUENCE in front (RFC 8881 §18.46.3 and each one's own section). */
const WITHOUT_SESSION: ReadonlySet<number> = new Set([
  nfs_opnum4.OP_EXCHANGE_ID,
  nfs_opnum4.OP_CREATE_SESSION,
  nfs_opnum4.OP_BIND_CONN_TO_SESSION,
  nfs_opnum4.OP_DESTROY_SESSION,
  nfs_opnum4.OP_DESTROY_CLIENTID,
]);

/** 4.0 operations without a seqid that must run once. */
const NOT_REPEATABLE: ReadonlySet<number> = new Set([
  nfs_opnum4.OP_CREATE,
  nfs_opnum4.OP_LINK,
  nfs_opnum4.OP_REMOVE,
  nfs_opnum4.OP_RENAME,
  nfs_opnum4.OP_SETATTR,
]);

/**
 * Operations other than WRITE and COMMIT that change a file's data: if the disk has failed them, what was written UNSTABLE before may be lost with it, and
 * every client must write again (RFC 8881 §18.3.3).
 */
const CHANGES_DATA: ReadonlySet<number> = new Set([
  nfs_opnum4.OP_ALLOCATE,
  nfs_opnum4.OP_DEALLOCATE,
  nfs_opnum4.OP_OPEN,
  nfs_opnum4.OP_SETATTR,
]);

/** More operations than anybody needs in 4.0, which has no session to say so. */
const MAX_OPERATIONS_40 = 256;
/** Tags are for people; a longer one would only be sent back. */
const MAX_TAG = 1024;
/** The status and tag of a reply that could still be cut to, and one failed result. */
const REPLY_RESERVE = 16;
/** An operation's number and status. */
const RESULT_HEADER = 8;
/** Of an accepted reply with an empty verifier (RFC 5531 §9): it counts (RFC 8881 §18.36.3). */
const RPC_HEADER = 24;

/** Runs the COMPOUND of a call and answers it. */
export function runCompound(services: Services, call: RpcCall): void | Promise<void> {
  const { tag, minorVersion, count } = decodeCompoundCall(call.args);
  if (tag.length > MAX_TAG) return call.garbageArgs();
  services.counters.compounds++;
  const writer = call.beginReply();
  const replyStart = writer.position;
  const places = beginCompoundReply(writer, tag);
  if (minorVersion > LAST_MINOR_VERSION) {
    endCompoundReply(writer, places, NFS4ERR_MINOR_VERS_MISMATCH, 0);
    return call.sendReply();
  }
  const duplicateKey =
    minorVersion === 0
      ? DuplicateRequestCache.key(
          call.connection.peerAddress.address,
          call.xid,
          requestFingerprint(call.argsBytes, call.credential),
        )
      : null;
  if (duplicateKey !== null) {
    const verdict = services.duplicates.judge(duplicateKey);
    if (verdict.kind === "running") return verdict.reply.then((reply) => replay(services, call, reply));
    if (verdict.kind === "done") return replay(services, call, verdict.reply);
  }
  return new CompoundRun(services, call, writer, places, replyStart, minorVersion, count, duplicateKey).run();
}

/** Gives the reply to an earlier sending of the call again. */
function replay(services: Services, call: RpcCall, reply: Uint8Array): void {
  services.counters.replays++;
  call.replyEncoded([{ bytes: reply }]);
}

class CompoundRun {
  readonly #services: Services;
  readonly #call: RpcCall;
  readonly #writer: XdrWriter;
  readonly #places: CompoundReplyPlaces;
  readonly #replyStart: number;
  readonly #context: CompoundContext;
  readonly #count: number;
  /** 4.0: how a retry of this call is known. */
  readonly #duplicateKey: string | null;
  /** Something ran that must not run twice. */
  #mustNotRepeat = false;
  /** Another run of the same call came first, and this one is answered with its reply, now or when the promise resolves. */
  #superseded: { readonly answered: Promise<void> | undefined } | null = null;
  /** What the reply referred to before the operation that runs. */
  #releasesBefore = 0;
  #done = 0;
  #status: nfsstat4 = NFS4_OK;

  constructor(
    services: Services,
    call: RpcCall,
    writer: XdrWriter,
    places: CompoundReplyPlaces,
    replyStart: number,
    minorVersion: number,
    count: number,
    duplicateKey: string | null,
  ) {
    this.#duplicateKey = duplicateKey;
    this.#services = services;
    this.#call = call;
    this.#writer = writer;
    this.#places = places;
    this.#replyStart = replyStart;
    this.#count = count;
    this.#context = new CompoundContext(services, call, minorVersion, count);
  }

  /** Runs operations for as long as they answer at once; goes on after a promise. */
  run(): void | Promise<void> {
    while (this.#done < this.#count && this.#status === NFS4_OK) {
      const waiting = this.#step();
      if (waiting) return waiting.then(() => this.run());
      if (this.#context.replay) return this.#sendReplay(this.#context.replay);
      if (this.#superseded) return this.#superseded.answered;
    }
    this.#finish();
  }

  #step(): Promise<void> | undefined {
    const context = this.#context;
    const { args } = this.#call;
    context.index = this.#done;
    let number = 0;
    try {
      number = args.uint32();
    } catch (error) {
      if (!(error instanceof XdrError)) throw error;
      return this.#refuse(OP_ILLEGAL, undefined, NFS4ERR_BADXDR);
    }
    const operation = operationByNumber(number);
    const { minorVersion } = context;
    if (!operation || minorVersion < operation.minorVersions[0]) {
      return this.#refuse(OP_ILLEGAL, undefined, NFS4ERR_OP_ILLEGAL);
    }
    this.#services.counters.operations[number] = (this.#services.counters.operations[number] ?? 0) + 1;
    if (context.uncachedRetry) {
      // Operations that are gone are known by that even in a retry (RFC 8881 §2.10.6.1.3).
      const gone = minorVersion > operation.minorVersions[1];
      return this.#refuse(number, operation, gone ? NFS4ERR_NOTSUPP : NFS4ERR_RETRY_UNCACHED_REP);
    }
    const misplaced = this.#placeStatus(number);
    if (misplaced !== NFS4_OK) return this.#refuse(number, operation, misplaced);
    // Legal once, and not to be implemented any more (RFC 8881 §17, "MNI"; RFC 7862 §13).
    if (minorVersion > operation.minorVersions[1]) return this.#refuse(number, operation, NFS4ERR_NOTSUPP);
    if (NOT_REPEATABLE.has(number) && !this.#runsOnce()) return undefined;
    this.#releasesBefore = context.releases.length;
    context.replied = RPC_HEADER + this.#writer.position - this.#replyStart + REPLY_RESERVE + RESULT_HEADER;
    context.room = this.#room();
    let answer: unknown;
    try {
      const decoded = operation.decodeArguments(args);
      if (operation.needsFilehandle && !context.current) return this.#refuse(number, operation, NFS4ERR_NOFILEHANDLE);
      answer = (handlerOf(number) as Handler<unknown, object>)(context, decoded);
    } catch (error) {
      return this.#refuse(number, operation, this.#statusOfThrown(error));
    }
    if (answer instanceof Promise) {
      return answer.then(
        (settled) => this.#record(number, operation, settled),
        (error: unknown) => this.#refuse(number, operation, this.#statusOfThrown(error)) as undefined,
      );
    }
    this.#record(number, operation, answer);
    return undefined;
  }

  /** 4.0: from here on a retry must not run. False if another run of the same call has come here first: this one ends. */
  #runsOnce(): boolean {
    if (this.#duplicateKey === null || this.#mustNotRepeat) return true;
    const { duplicates } = this.#services;
    const verdict = duplicates.judge(this.#duplicateKey);
    if (verdict.kind === "new") {
      this.#mustNotRepeat = true;
      duplicates.begin(this.#duplicateKey);
      return true;
    }
    for (const release of this.#context.releases) release();
    if (verdict.kind === "running")
      this.#superseded = { answered: verdict.reply.then((reply) => this.#sendReplay(reply)) };
    else {
      this.#superseded = { answered: undefined };
      this.#sendReplay(verdict.reply);
    }
    return false;
  }

  /** What is wrong with an operation's place in the COMPOUND, or with there being so many (RFC 8881 §2.10.6.4, §16.2.3). */
  #placeStatus(number: number): nfsstat4 {
    const { index, minorVersion } = this.#context;
    if (minorVersion === 0) return this.#count > MAX_OPERATIONS_40 ? NFS4ERR_RESOURCE : NFS4_OK;
    if (index > 0) {
      if (number === OP_SEQUENCE) return NFS4ERR_SEQUENCE_POS;
      if (number === OP_BIND_CONN_TO_SESSION) return NFS4ERR_NOT_ONLY_OP;
      return this.#context.session || WITHOUT_SESSION.has(number) ? NFS4_OK : NFS4ERR_OP_NOT_IN_SESSION;
    }
    if (number === OP_SEQUENCE) return NFS4_OK;
    if (!WITHOUT_SESSION.has(number)) return NFS4ERR_OP_NOT_IN_SESSION;
    return this.#count > 1 ? NFS4ERR_NOT_ONLY_OP : NFS4_OK;
  }

  #statusOfThrown(error: unknown): nfsstat4 {
    this.#context.failed();
    if (error instanceof XdrError) {
      this.#services.counters.undecodable++;
      return NFS4ERR_BADXDR;
    }
    const errno = errnoOfThrown(error);
    return errno ? statusOfErrno(errno) : this.#fault(error);
  }

  #fault(error: unknown): nfsstat4 {
    this.#services.counters.faults++;
    if (faultChannel.hasSubscribers) faultChannel.publish({ error });
    return NFS4ERR_SERVERFAULT;
  }

  #refuse(number: number, operation: Operation | undefined, status: nfsstat4): undefined {
    this.#writer.uint32(number);
    if (operation) operation.encodeFailure(this.#writer, status);
    else this.#writer.uint32(status);
    this.#settle(number, status);
    return undefined;
  }

  /** Writes an answer, or in its place what is wrong with its size, or with what a file system has given us to write. */
  #record(number: number, operation: Operation, answer: unknown): void {
    const before = this.#writer.position;
    let status: nfsstat4;
    let instead: nfsstat4;
    try {
      status = this.#write(number, operation, answer);
      instead = this.#sizeStatus();
    } catch (error) {
      status = instead = this.#fault(error);
    }
    if (instead === NFS4_OK) {
      this.#settle(number, status);
      return;
    }
    this.#writer.truncate(before);
    for (const release of this.#context.releases.splice(this.#releasesBefore)) release();
    this.#refuse(number, operation, instead);
  }

  #write(number: number, operation: Operation, answer: unknown): nfsstat4 {
    const writer = this.#writer;
    writer.uint32(number);
    if (typeof answer === "function") return (answer as ResultWriter)(writer);
    if (typeof answer === "number") {
      if (answer === NFS4_OK) writer.uint32(NFS4_OK);
      else operation.encodeFailure(writer, answer as nfsstat4);
      return answer as nfsstat4;
    }
    operation.encodeResult(writer, answer);
    return statusOf(answer as object);
  }

  #settle(number: number, status: nfsstat4): void {
    this.#done++;
    this.#status = status;
    if (status === NFS4ERR_IO && CHANGES_DATA.has(number)) this.#services.writeVerifier.change();
    if (status !== NFS4_OK) {
      const { errors } = this.#services.counters;
      errors.set(status, (errors.get(status) ?? 0) + 1);
    }
  }

  /** What is left for the body of a result, behind its operation's number and status. */
  #room(): number {
    const { session, cacheThis, replied } = this.#context;
    if (!session) return this.#services.limits.maxMessage - replied;
    const { ca_maxresponsesize, ca_maxresponsesize_cached } = session.fore;
    return (cacheThis ? Math.min(ca_maxresponsesize, ca_maxresponsesize_cached) : ca_maxresponsesize) - replied;
  }

  /** A reply must fit the session's channel, and its slot if it is to be kept (RFC 8881 §2.10.6.4). */
  #sizeStatus(): nfsstat4 {
    const { session, cacheThis } = this.#context;
    const size = RPC_HEADER + this.#writer.position - this.#replyStart;
    // 4.0 has nobody to agree with on a bound, so it is the server's own (RFC 7530 §13.1.3.4).
    if (!session) return size > this.#services.limits.maxMessage ? NFS4ERR_RESOURCE : NFS4_OK;
    if (size + REPLY_RESERVE > session.fore.ca_maxresponsesize) return NFS4ERR_REP_TOO_BIG;
    return cacheThis && size + REPLY_RESERVE > session.fore.ca_maxresponsesize_cached
      ? NFS4ERR_REP_TOO_BIG_TO_CACHE
      : NFS4_OK;
  }

  #finish(): void {
    endCompoundReply(this.#writer, this.#places, this.#status, this.#done);
    const { releases, session, slot } = this.#context;
    if (session && slot) {
      const { slots } = session;
      slots.finish(slot, this.#cacheable() ? this.#call.encodedResults(slots.memoryOf(slot)) : null);
    }
    if (this.#mustNotRepeat && this.#duplicateKey !== null)
      this.#services.duplicates.finish(this.#duplicateKey, this.#call.encodedResults());
    this.#call.sendReply(releases);
  }

  /** What the client asked to keep is kept, and what is small or failed at once is kept for free. */
  #cacheable(): boolean {
    const { cacheThis, releases } = this.#context;
    return cacheThis || (releases.length === 0 && this.#writer.position - this.#replyStart <= KEPT_UNASKED);
  }

  #sendReplay(reply: Uint8Array): void {
    replay(this.#services, this.#call, reply);
  }
}

/** What the operations of one COMPOUND work on: current and saved filehandle and stateid, session and slot, and who asks (RFC 8881 §16.2.3). */
import { NFS4ERR_NOFILEHANDLE, NFS4ERR_ROFS, type nfsstat4, type stateid4 } from "@nfs4/protocol";
import type { RpcCall } from "@nfs4/rpc";
import type { Export } from "../exports/export.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import type { CallContext } from "../filesystem/types.ts";
import type { Services } from "../services.ts";
import type { Client } from "../state/client.ts";
import type { Session } from "../state/session.ts";
import type { Slot } from "../state/slot-table.ts";
import { specialStateid } from "../state/stateid.ts";
import { callContextOf } from "./caller.ts";

export class CompoundContext {
  readonly services: Services;
  readonly call: RpcCall;
  readonly minorVersion: number;
  readonly operationCount: number;
  /** Index of the operation that runs. */
  index = 0;

  current: NodeReference | null = null;
  saved: NodeReference | null = null;
  /** What the special stateid (1, zeros) stands for (RFC 8881 §16.2.3.1.2); null after a change of the current filehandle. */
  currentStateid: stateid4 | null = null;
  savedStateid: stateid4 | null = null;

  session: Session | null = null;
  slot: Slot | null = null;
  /** The reply is to be kept in the slot. */
  cacheThis = false;
  /** Bytes of the reply in front of the body of the running operation's result, with what must still fit behind it. */
  replied = 0;
  /** How many bytes that body may have (RFC 8881 §2.10.6.4). */
  room = 0;
  /** 4.1: of the session; 4.0: not known until an operation names it. */
  client: Client | null = null;

  /** To be called when the reply has left: memory that the reply refers to. */
  readonly releases: (() => void)[] = [];
  /** What must be let go of if the operation that runs throws. */
  #cleanups: Set<() => void> | null = null;
  /** Set by SEQUENCE for a retry: this encoded reply goes out and nothing runs. */
  replay: Uint8Array | null = null;
  /** Set by SEQUENCE for a retry whose reply was not kept: what comes next must not run. */
  uncachedRetry = false;

  /** The last one asked for, and on which export. */
  #caller: CallContext | null = null;
  #callerOn: Export | null = null;

  constructor(services: Services, call: RpcCall, minorVersion: number, operationCount: number) {
    this.services = services;
    this.call = call;
    this.minorVersion = minorVersion;
    this.operationCount = operationCount;
  }

  get peerAddress(): string {
    return this.call.connection.peerAddress.address;
  }

  /** 4.0: an operation has shown whose it is. The lease goes on, and the connection is a stranger's no more. */
  renew(client: Client): void {
    const { clients, limits } = this.services;
    clients.renew(client);
    const { connection } = this.call;
    if (connection.stranger) connection.admit({ recordBytes: limits.maxMessage });
  }

  /** Registers what to let go of if the running operation throws, until `settled`. */
  onFailure(cleanup: () => void): void {
    this.#cleanups ??= new Set();
    this.#cleanups.add(cleanup);
  }

  settled(cleanup: () => void): void {
    this.#cleanups?.delete(cleanup);
  }

  /** An operation threw. */
  failed(): void {
    for (const cleanup of this.#cleanups ?? []) cleanup();
    this.#cleanups = null;
  }

  /** Who the caller is on an export, after squashing. */
  caller(exported: Export): CallContext {
    if (this.#caller === null || this.#callerOn !== exported) {
      this.#caller = callContextOf(this.call, exported);
      this.#callerOn = exported;
    }
    return this.#caller;
  }

  setCurrent(node: NodeReference): void {
    this.current = node;
    this.currentStateid = null;
  }

  /** Resolves the "current" special stateid; anything else is itself. Null: there is no current stateid (BAD_STATEID). */
  resolveStateid(stateid: stateid4): stateid4 | null {
    if (this.minorVersion === 0 || specialStateid(stateid) !== "current") return stateid;
    return this.currentStateid;
  }

  /** A stateid that an operation returns becomes the current one. */
  returnStateid(stateid: stateid4): stateid4 {
    this.currentStateid = stateid;
    return stateid;
  }
}

/** The current filehandle, or the status that says that there is none. */
export function needCurrent(context: CompoundContext): NodeReference | nfsstat4 {
  return context.current ?? NFS4ERR_NOFILEHANDLE;
}

/** As `needCurrent`, for what changes something. */
export function needWritable(context: CompoundContext): NodeReference | nfsstat4 {
  const { current } = context;
  if (!current) return NFS4ERR_NOFILEHANDLE;
  return current.export.readOnly ? NFS4ERR_ROFS : current;
}

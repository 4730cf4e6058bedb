/**
 * Calls from the server to its clients: proving the way there, and telling a waiter that its lock is free. 4.1 clients are called over the connections that
 * they bound for it, in the backchannel's slots; 4.0 clients by dialling the address that they gave (RFC 8881 §2.10.3.1, §20; RFC 7530 §10.2).
 */

import type { Connector } from "@nfs4/bytestream";
import {
  beginCallbackCompoundCall,
  CALLBACKS,
  decodeCompoundReply,
  NFS4_OK,
  NFS4ERR_RETRY_UNCACHED_REP,
  NFS4ERR_SEQ_FALSE_RETRY,
  type nfsstat4,
  OP_CB_NOTIFY_LOCK,
  OP_CB_SEQUENCE,
} from "@nfs4/protocol";
import { parseUniversalAddress, RpcClient, type RpcConnection } from "@nfs4/rpc";
import type { Clock, RandomSource } from "@nfs4/timecounter";
import type { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import { fromLatin1 } from "../latin1.ts";
import type { BackchannelSlot } from "./backchannel-slots.ts";
import type { Client } from "./client.ts";
import type { FileState } from "./file-state.ts";
import type { LockOwner } from "./owners.ts";
import type { Session } from "./session.ts";

const CB_VERSION = 1;
const CB_NULL = 0;
const CB_COMPOUND = 1;
const CALLBACK_TIMEOUT_MS = 10_000;
/** 4.0: how many clients are dialled at a time; others stay unproven until they confirm again. */
const MAX_DIALS = 64;
/** What CB_SEQUENCE answers to the sequence of a call that has been there (RFC 8881 §20.9.3). */
const SEEN_BEFORE: ReadonlySet<nfsstat4> = new Set([NFS4ERR_RETRY_UNCACHED_REP, NFS4ERR_SEQ_FALSE_RETRY]);
const NO_TAG = new Uint8Array(0);

export interface CallbackServiceOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  /** How to dial a 4.0 client; null: its callbacks stay unproven. */
  readonly connector: Connector | null;
  /** The longest request that an admitted client may send. */
  readonly recordBytes: number;
}

export interface CallbackCounters {
  sent: number;
  failed: number;
  /** Ways to a client that were shown to work. */
  proven: number;
}

export class CallbackService {
  readonly counters: CallbackCounters = { sent: 0, failed: 0, proven: 0 };
  readonly #options: CallbackServiceOptions;
  #dials = 0;
  /** Sessions of each connection, to be unbound when it ends. */
  readonly #sessions: WeakMap<RpcConnection, Set<Session>> = new WeakMap();

  constructor(options: CallbackServiceOptions) {
    this.#options = options;
  }

  /** A connection now belongs to a session; if it may carry callbacks, that is tried out. */
  bound(session: Session, connection: RpcConnection): void {
    connection.admit({ recordBytes: this.#options.recordBytes });
    let sessions = this.#sessions.get(connection);
    if (!sessions) {
      sessions = new Set();
      this.#sessions.set(connection, sessions);
      const all = sessions;
      void connection.closed.then(() => {
        for (const one of all) one.unbind(connection);
      });
    }
    sessions.add(session);
    if (session.backConnections.has(connection)) session.unproven.add(connection);
  }

  /** The session is no more. */
  unbound(session: Session): void {
    for (const connection of [...session.foreConnections, ...session.backConnections])
      this.#sessions.get(connection)?.delete(session);
  }

  /**
   * The client uses the session, so it has seen the reply that made it or bound the connection: now it can answer callbacks, and not before
   * (Linux answers BADSESSION until then).
   */
  inUse(session: Session): void {
    for (const connection of session.unproven) void this.#prove(session, connection);
    session.unproven.clear();
  }

  /** CB_NULL, then CB_SEQUENCE alone. A connection that cannot carry calls is given up, and the client is told by SEQUENCE. */
  async #prove(session: Session, connection: RpcConnection): Promise<void> {
    try {
      await connection.call({
        program: session.callbackProgram,
        version: CB_VERSION,
        procedure: CB_NULL,
        timeoutMs: CALLBACK_TIMEOUT_MS,
      });
      const status = await this.#compound(session, connection, null);
      if (status === NFS4_OK) this.counters.proven++;
      else this.counters.failed++;
    } catch {
      this.counters.failed++;
      session.backConnections.delete(connection);
    }
  }

  /** A CB_COMPOUND with CB_SEQUENCE and at most one more operation; answers the status. */
  async #compound(
    session: Session,
    connection: RpcConnection,
    operation: ((writer: XdrWriter) => void) | null,
  ): Promise<nfsstat4> {
    const slot = await session.backchannel.take();
    try {
      const status = await this.#callIn(slot, session, connection, operation);
      // The last call in this slot had reached the client, though its reply never came: this is the next one.
      return SEEN_BEFORE.has(status) ? await this.#callIn(slot, session, connection, operation) : status;
    } finally {
      session.backchannel.give(slot);
    }
  }

  #callIn(
    slot: BackchannelSlot,
    session: Session,
    connection: RpcConnection,
    operation: ((writer: XdrWriter) => void) | null,
  ): Promise<nfsstat4> {
    this.counters.sent++;
    return connection.call({
      program: session.callbackProgram,
      version: CB_VERSION,
      procedure: CB_COMPOUND,
      credential: session.callbackCredential,
      timeoutMs: CALLBACK_TIMEOUT_MS,
      encode: (writer) => {
        const count = beginCallbackCompoundCall(writer, NO_TAG, session.minorVersion, 0);
        writer.patchUint32(count, operation ? 2 : 1);
        writer.uint32(OP_CB_SEQUENCE);
        CALLBACKS.CB_SEQUENCE.encodeArguments(writer, {
          csa_sessionid: session.id,
          csa_sequenceid: slot.sequence,
          csa_slotid: slot.id,
          csa_highest_slotid: session.backchannel.highest,
          csa_cachethis: false,
          csa_referring_call_lists: [],
        });
        operation?.(writer);
      },
      decode: (reader: XdrReader) => {
        const reply = decodeCompoundReply(reader);
        // The slot's sequence counts if CB_SEQUENCE itself went well.
        if (reply.status === NFS4_OK || reply.count > 1 || SEEN_BEFORE.has(reply.status))
          slot.sequence = (slot.sequence + 1) >>> 0;
        return reply.status;
      },
    });
  }

  /**
   * Tells a 4.1 client that a lock it waits for may be free (RFC 8881 §20.11). A hint: if it is lost, the client asks again. False: there is no way to
   * tell it.
   */
  lockAvailable(file: FileState, owner: LockOwner): boolean {
    for (const session of owner.client.sessions) {
      const [connection] = session.backConnections;
      if (!connection) continue;
      void this.#compound(session, connection, (writer) => {
        writer.uint32(OP_CB_NOTIFY_LOCK);
        CALLBACKS.CB_NOTIFY_LOCK.encodeArguments(writer, {
          cnla_fh: file.node.handle,
          cnla_lock_owner: { clientid: owner.client.id, owner: fromLatin1(owner.name) },
        });
      }).catch(() => {
        this.counters.failed++;
      });
      return true;
    }
    return false;
  }

  /** 4.0: dials the client's callback address and sends CB_NULL. Until that has worked, it gets nothing that would need a recall. */
  probe(client: Client, connection: RpcConnection): void {
    connection.admit({ recordBytes: this.#options.recordBytes });
    const { callback } = client;
    const { connector } = this.#options;
    if (!callback || !connector || callback.program === 0) return;
    const address = parseUniversalAddress(callback.netid, callback.universalAddress);
    if (!address || address.port === 0 || this.#dials === MAX_DIALS) return;
    void this.#dial(connector, client, address);
  }

  async #dial(
    connector: Connector,
    client: Client,
    address: { readonly address: string; readonly port: number },
  ): Promise<void> {
    const { callback } = client;
    if (!callback) return;
    this.#dials++;
    try {
      const stream = await connector.connect(address, { timeoutMs: CALLBACK_TIMEOUT_MS });
      await using rpc = new RpcClient({
        stream,
        environment: { clock: this.#options.clock, random: this.#options.random },
      });
      this.counters.sent++;
      await rpc.call({
        program: callback.program,
        version: CB_VERSION,
        procedure: CB_NULL,
        timeoutMs: CALLBACK_TIMEOUT_MS,
      });
      callback.proven = true;
      this.counters.proven++;
    } catch {
      this.counters.failed++;
    } finally {
      this.#dials--;
    }
  }
}

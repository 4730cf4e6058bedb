import {
  CDFC4_FORE_OR_BOTH,
  CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
  type channel_attrs4,
  EXCHGID4_FLAG_SUPP_MOVED_REFER,
  encodeName,
  NFS4_OK,
  NFS4ERR_BAD_HIGH_SLOT,
  NFS4ERR_BADSESSION,
  NFS4ERR_BADSLOT,
  NFS4ERR_CONN_NOT_BOUND_TO_SESSION,
  NFS4ERR_DEADSESSION,
  NFS4ERR_DELAY,
  NFS4ERR_RETRY_UNCACHED_REP,
  NFS4ERR_SEQ_FALSE_RETRY,
  NFS4ERR_STALE_CLIENTID,
  SEQ4_STATUS_ADMIN_STATE_REVOKED,
  SEQ4_STATUS_BACKCHANNEL_FAULT,
  SEQ4_STATUS_CB_PATH_DOWN,
  SEQ4_STATUS_CB_PATH_DOWN_SESSION,
  SEQ4_STATUS_EXPIRED_ALL_STATE_REVOKED,
  SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED,
  type SEQUENCE4resok,
} from "@nfs4/protocol";
import type { RpcClient } from "@nfs4/rpc";
import { type Clock, type Sleep, sleepOn } from "@nfs4/timecounter";
import type { Uint64Pair } from "@xdr-ts/xdr";
import { NfsError } from "../errors.ts";
import { CALLBACK_PROGRAM, type CallbackService } from "./callbacks.ts";
import { Compound, Step } from "./compound.ts";
import { type Acquaintance, AcquaintanceLost, type Dialect, type DialectEvents, type SendOptions } from "./dialect.ts";
import { isConnectionLoss, type Link } from "./link.ts";
import { type Slot, SlotTable } from "./slots.ts";

/** Beside the data of a READ or WRITE: headers, SEQUENCE, PUTFH, GETATTR. */
const OVERHEAD = 4096;
/** sr_status_flags (RFC 8881 §18.46.3). */
const CB_PATH_DOWN = SEQ4_STATUS_CB_PATH_DOWN | SEQ4_STATUS_CB_PATH_DOWN_SESSION | SEQ4_STATUS_BACKCHANNEL_FAULT;
const STATE_REVOKED =
  SEQ4_STATUS_EXPIRED_ALL_STATE_REVOKED | SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED | SEQ4_STATUS_ADMIN_STATE_REVOKED;
/** How long a server may put SEQUENCE and its like off, each time. */
const DELAY_US = 100_000;
const LEAVING_MS = 2000;

export interface SessionOptions {
  readonly clock: Clock;
  readonly link: Link;
  readonly callbacks: CallbackService;
  readonly minorVersion: 1 | 2;
  /** co_ownerid and co_verifier: the same for as long as the client lives. */
  readonly ownerId: Uint8Array;
  readonly verifier: Uint8Array;
  /** Bytes of data in a READ or WRITE, and COMPOUNDs under way, at most. */
  readonly transferBytes: number;
  readonly slots: number;
  readonly events: DialectEvents;
}

interface Session {
  readonly id: Uint8Array;
  readonly slots: SlotTable;
  readonly fore: channel_attrs4;
  /** The connection (by the link's count) that is bound to it; another must be. */
  generation: number;
  binding: Promise<void> | null;
}

/** NFSv4.1 and 4.2: a client ID with one session (RFC 8881 §2.4, §2.10). */
export class SessionDialect implements Dialect {
  readonly minorVersion: 1 | 2;
  clientId: Uint64Pair = { hi: 0, lo: 0 };
  lastRenewal = 0;
  readonly #options: SessionOptions;
  readonly #link: Link;
  readonly #sleep: Sleep;
  /** csa_sequence of the next CREATE_SESSION. */
  #createSequence = 0;
  #known = false;
  #session: Session | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#sleep = sleepOn(options.clock);
    this.minorVersion = options.minorVersion;
  }

  get maxRead(): number {
    return (this.#session?.fore.ca_maxresponsesize ?? 0) - OVERHEAD;
  }

  get maxWrite(): number {
    return (this.#session?.fore.ca_maxrequestsize ?? 0) - OVERHEAD;
  }

  get concurrency(): number {
    return this.#session?.slots.limit ?? 1;
  }

  // ——— Acquaintance ———

  async introduce(): Promise<Acquaintance> {
    // Servers themselves know who may still reclaim (RFC 8881 §8.4.3).
    if (this.#known && (await this.#createSession())) return { stateLost: false, mayReclaim: true };
    const before = this.#known ? this.clientId : null;
    await this.#exchangeId();
    if (!(await this.#createSession()))
      throw new NfsError("EIO", "the server forgets client IDs as soon as it gives them");
    this.#known = true;
    const stateLost = before === null || before.hi !== this.clientId.hi || before.lo !== this.clientId.lo;
    return { stateLost, mayReclaim: true };
  }

  forget(): void {
    this.#session = null;
  }

  async #exchangeId(): Promise<void> {
    const { ownerId, verifier } = this.#options;
    const compound = new Compound("exchange id");
    const step = compound.op("EXCHANGE_ID", {
      eia_clientowner: { co_verifier: verifier, co_ownerid: ownerId },
      eia_flags: EXCHGID4_FLAG_SUPP_MOVED_REFER,
      eia_state_protect: { spa_how: 0 },
      eia_client_impl_id: [
        { nii_domain: encodeName("nfs4"), nii_name: encodeName("@nfs4/client"), nii_date: { seconds: 0, nseconds: 0 } },
      ],
    });
    await this.#sendBare(compound);
    const { eir_clientid, eir_sequenceid } = step.body;
    this.clientId = eir_clientid;
    this.#createSequence = eir_sequenceid;
  }

  /** False: the server does not know the client ID. */
  async #createSession(): Promise<boolean> {
    const { transferBytes, slots, callbacks } = this.#options;
    const size = transferBytes + OVERHEAD;
    const fore: channel_attrs4 = {
      ca_headerpadsize: 0,
      ca_maxrequestsize: size,
      ca_maxresponsesize: size,
      ca_maxresponsesize_cached: OVERHEAD,
      ca_maxoperations: 128,
      ca_maxrequests: slots,
      ca_rdma_ird: [],
    };
    const back = { ...fore, ca_maxrequestsize: 4096, ca_maxresponsesize: 4096, ca_maxoperations: 8, ca_maxrequests: 4 };
    const compound = new Compound("create session");
    const step = compound.op("CREATE_SESSION", {
      csa_clientid: this.clientId,
      csa_sequence: this.#createSequence,
      csa_flags: CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
      csa_fore_chan_attrs: fore,
      csa_back_chan_attrs: back,
      csa_cb_program: CALLBACK_PROGRAM,
      csa_sec_parms: [{ cb_secflavor: 0 }],
    });
    await this.#sendBare(compound);
    if (step.status === NFS4ERR_STALE_CLIENTID) return false;
    const { csr_sessionid, csr_fore_chan_attrs, csr_back_chan_attrs } = step.body;
    this.#createSequence = (this.#createSequence + 1) >>> 0;
    this.#session = {
      id: csr_sessionid,
      slots: new SlotTable(csr_fore_chan_attrs.ca_maxrequests),
      fore: csr_fore_chan_attrs,
      generation: this.#link.generation,
      binding: null,
    };
    callbacks.useSession(csr_sessionid, csr_back_chan_attrs.ca_maxrequests);
    return true;
  }

  async reclaimComplete(): Promise<void> {
    const compound = new Compound("reclaim complete");
    compound.op("RECLAIM_COMPLETE", { rca_one_fs: false });
    await this.send(compound, { attemptTimeoutMs: 60_000 });
  }

  async renew(): Promise<void> {
    await this.send(new Compound("renew"), { attemptTimeoutMs: 60_000 });
  }

  async leave(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    const rpc = await this.#link.connect(1).catch(() => null);
    if (session === null || rpc === null) return;
    const endSession = new Compound("destroy session");
    endSession.op("DESTROY_SESSION", { dsa_sessionid: session.id });
    const endClient = new Compound("destroy client id");
    endClient.op("DESTROY_CLIENTID", { dca_clientid: this.clientId });
    try {
      for (const compound of [endSession, endClient]) {
        compound.prepare();
        await this.#attempt(rpc, compound, null, LEAVING_MS);
      }
    } catch {
      // The server finds out by the lease.
    }
  }

  // ——— COMPOUNDs ———

  async send(compound: Compound, options: SendOptions): Promise<void> {
    for (;;) {
      const session = this.#session;
      if (session === null) throw new AcquaintanceLost("session");
      const slot = await session.slots.acquire();
      try {
        // Before the slot is taken up: it may throw.
        compound.prepare();
        slot.sequence = (slot.sequence + 1) >>> 0;
        if (await this.#exchange(session, slot, compound, options)) return;
      } finally {
        session.slots.release(slot);
      }
    }
  }

  /** Sends until there is an answer. False: not in this slot. */
  async #exchange(session: Session, slot: Slot, compound: Compound, options: SendOptions): Promise<boolean> {
    const sequence = new Step(compound, "SEQUENCE", () => ({
      sa_sessionid: session.id,
      sa_sequenceid: slot.sequence,
      sa_slotid: slot.id,
      sa_highest_slotid: session.slots.highest,
      sa_cachethis: compound.needsReplyCache,
    }));
    // A retry that differs in anything, sa_highest_slotid say, is no retry to the server (RFC 8881 §2.10.6.1.3.1).
    sequence.prepare();
    const next = (): void => {
      slot.sequence = (slot.sequence + 1) >>> 0;
      sequence.prepare();
    };
    for (;;) {
      if (this.#session !== session) throw new AcquaintanceLost("session");
      const rpc = await this.#bound(session);
      const sentAt = this.#options.clock.coarse();
      try {
        await this.#attempt(rpc, compound, sequence as unknown as Step, options.attemptTimeoutMs);
      } catch (error) {
        if (isConnectionLoss(error)) continue;
        throw error;
      }
      switch (sequence.status) {
        case undefined:
          // The COMPOUND was refused as a whole: it cannot be decoded, say. So the slot has not been used.
          slot.sequence = (slot.sequence - 1) >>> 0;
          return true;
        case NFS4_OK:
          this.lastRenewal = sentAt;
          this.#note(session, sequence.body);
          return true;
        case NFS4ERR_DELAY:
          await this.#sleep(DELAY_US);
          break;
        case NFS4ERR_CONN_NOT_BOUND_TO_SESSION:
          session.generation = -1;
          break;
        case NFS4ERR_BADSLOT:
        case NFS4ERR_BAD_HIGH_SLOT:
          session.slots.resize(slot.id === 0 ? 1 : slot.id);
          if (slot.id === 0) throw this.#forget(session);
          return false;
        case NFS4ERR_SEQ_FALSE_RETRY:
          next();
          break;
        case NFS4ERR_RETRY_UNCACHED_REP:
          // It was executed, and how it went is lost.
          if (compound.needsReplyCache) throw compound.error();
          next();
          break;
        case NFS4ERR_BADSESSION:
        case NFS4ERR_DEADSESSION:
          throw this.#forget(session);
        default:
          // SEQ_MISORDERED and whatever else says that the two ends count differently: a new session counts from the beginning.
          throw this.#forget(session);
      }
    }
  }

  #forget(session: Session): AcquaintanceLost {
    if (this.#session === session) this.#session = null;
    return new AcquaintanceLost("session");
  }

  #note(session: Session, body: SEQUENCE4resok): void {
    session.slots.resize(body.sr_target_highest_slotid + 1);
    if ((body.sr_status_flags & CB_PATH_DOWN) !== 0) session.generation = -1;
    if ((body.sr_status_flags & STATE_REVOKED) !== 0) this.#options.events.stateRevoked();
  }

  // ——— Connections ———

  /** A connection that is bound to the session (RFC 8881 §2.10.3). */
  async #bound(session: Session): Promise<RpcClient> {
    const rpc = await this.#link.connect();
    if (session.generation === this.#link.generation) return rpc;
    session.binding ??= this.#bind(session, rpc).finally(() => {
      session.binding = null;
    });
    await session.binding;
    return rpc;
  }

  async #bind(session: Session, rpc: RpcClient): Promise<void> {
    const { generation } = this.#link;
    const compound = new Compound("bind connection");
    const step = compound.op("BIND_CONN_TO_SESSION", {
      bctsa_sessid: session.id,
      bctsa_dir: CDFC4_FORE_OR_BOTH,
      bctsa_use_conn_in_rdma_mode: false,
    });
    compound.prepare();
    try {
      await this.#attempt(rpc, compound, null, 60_000);
    } catch (error) {
      // The one who sends over it finds that out, too.
      if (isConnectionLoss(error)) return;
      throw error;
    }
    if (step.status === NFS4ERR_BADSESSION || step.status === NFS4ERR_DEADSESSION) throw this.#forget(session);
    // A server that binds connections by itself (SP4_NONE) may not like to be asked.
    session.generation = generation;
  }

  /** A COMPOUND without SEQUENCE, sent until it is answered. */
  async #sendBare(compound: Compound): Promise<void> {
    compound.prepare();
    for (;;) {
      const rpc = await this.#link.connect();
      try {
        await this.#attempt(rpc, compound, null, 60_000);
      } catch (error) {
        if (isConnectionLoss(error)) continue;
        throw error;
      }
      if (compound.failed?.status !== NFS4ERR_DELAY) return;
      await this.#sleep(DELAY_US);
    }
  }

  #attempt(rpc: RpcClient, compound: Compound, first: Step | null, timeoutMs: number): Promise<void> {
    return this.#link.send(
      rpc,
      rpc.takeXid(),
      {
        encode: (writer) => compound.encode(writer, this.minorVersion, first),
        decode: (reader) => compound.decode(reader, first),
      },
      timeoutMs,
    );
  }
}

/** A 4.1 or 4.2 client with one session (RFC 8881 §18.35, §18.36, §18.46). */
import { type CREATE_SESSION4args, type channel_attrs4, type EXCHANGE_ID4args, OPERATIONS } from "@nfs4/protocol";
import { type Uint64Pair, XdrWriter } from "@xdr-ts/xdr";
import { utf8, verifier } from "./bytes.ts";
import { Compound, type Name, NO_CLIENT } from "./compound.ts";
import { Mount } from "./mount.ts";
import { type LockOptions, lockArgs, type Opened, type OpenOptions, openArgs, TO_END } from "./open-options.ts";
import { Reply } from "./reply.ts";
import type { Wire } from "./wire.ts";

export const CALLBACK_PROGRAM = 0x4000_0000;

export const CHANNEL: channel_attrs4 = {
  ca_headerpadsize: 0,
  ca_maxrequestsize: 1 << 20,
  ca_maxresponsesize: 1 << 20,
  ca_maxresponsesize_cached: 8192,
  ca_maxoperations: 64,
  ca_maxrequests: 16,
  ca_rdma_ird: [],
};

/** How a SEQUENCE differs from the one that would be due. */
export interface SlotOptions {
  readonly slot?: number;
  readonly sequence?: number;
  readonly highest?: number;
  readonly cache?: boolean;
  readonly sessionid?: Uint8Array;
}

export class Session {
  readonly client: Client41;
  readonly id: Uint8Array;
  readonly fore: channel_attrs4;
  /** Last sequence used, by slot. */
  readonly slots: number[] = [];

  constructor(client: Client41, id: Uint8Array, fore: channel_attrs4) {
    this.client = client;
    this.id = id;
    this.fore = fore;
  }
}

/** A COMPOUND behind a SEQUENCE. */
export class SessionCompound extends Compound {
  options: SlotOptions = {};
  session: Session;
  override readonly sender: Client41;

  constructor(sender: Client41, session: Session) {
    super(sender);
    this.sender = sender;
    this.session = session;
  }

  on(options: SlotOptions): this {
    this.options = { ...this.options, ...options };
    return this;
  }

  over(wire: Wire): Promise<Reply> {
    return this.sender.wire.world.run(this.sender.transmit(this, wire));
  }
}

export class Client41 extends Mount {
  session!: Session;
  #clientid: Uint64Pair = NO_CLIENT;
  /** Of the next CREATE_SESSION. */
  sequence = 1;

  constructor(wire: Wire, name: string, minor: 1 | 2 = 1) {
    super(wire, name, minor);
  }

  get clientid(): Uint64Pair {
    return this.#clientid;
  }

  override compound(session: Session = this.session): SessionCompound {
    return new SessionCompound(this, session);
  }

  /** A COMPOUND without SEQUENCE. */
  bare(): Compound {
    const { wire, minor, user } = this;
    return new Compound({
      minor,
      wire,
      user,
      transmit: (compound) => send(wire, compound, compound.encode()),
    });
  }

  exchangeIdArgs(changes: Partial<EXCHANGE_ID4args> & { readonly verifier?: number } = {}): EXCHANGE_ID4args {
    const { verifier: number = 1, ...rest } = changes;
    return {
      eia_clientowner: { co_verifier: verifier(number), co_ownerid: utf8(this.name) },
      eia_flags: 0,
      eia_state_protect: { spa_how: 0 },
      eia_client_impl_id: [],
      ...rest,
    };
  }

  async exchangeId(changes: Partial<EXCHANGE_ID4args> & { readonly verifier?: number } = {}): Promise<Reply> {
    const reply = await this.bare().op("EXCHANGE_ID", this.exchangeIdArgs(changes)).send();
    if (reply.status === "NFS4_OK") {
      const { eir_clientid, eir_sequenceid } = reply.get("EXCHANGE_ID");
      if (eir_clientid.lo !== this.#clientid.lo || eir_clientid.hi !== this.#clientid.hi)
        this.sequence = eir_sequenceid;
      this.#clientid = eir_clientid;
    }
    return reply;
  }

  createSessionArgs(changes: Partial<CREATE_SESSION4args> = {}): CREATE_SESSION4args {
    return {
      csa_clientid: this.#clientid,
      csa_sequence: this.sequence,
      csa_flags: 0,
      csa_fore_chan_attrs: CHANNEL,
      csa_back_chan_attrs: { ...CHANNEL, ca_maxrequestsize: 4096, ca_maxresponsesize: 4096, ca_maxrequests: 4 },
      csa_cb_program: CALLBACK_PROGRAM,
      csa_sec_parms: [{ cb_secflavor: 0 }],
      ...changes,
    };
  }

  async createSession(changes: Partial<CREATE_SESSION4args> = {}): Promise<Reply> {
    const reply = await this.bare().op("CREATE_SESSION", this.createSessionArgs(changes)).send();
    if (reply.status === "NFS4_OK") {
      const { csr_sessionid, csr_fore_chan_attrs } = reply.get("CREATE_SESSION");
      this.session = new Session(this, csr_sessionid, csr_fore_chan_attrs);
      this.sequence = (this.sequence + 1) >>> 0;
    }
    return reply;
  }

  async introduce(
    options: {
      readonly verifier?: number;
      readonly reclaimComplete?: boolean;
      readonly session?: Partial<CREATE_SESSION4args>;
    } = {},
  ): Promise<void> {
    (await this.exchangeId({ verifier: options.verifier ?? 1 })).ok();
    (await this.createSession(options.session)).ok();
    if (options.reclaimComplete ?? true) (await this.reclaimComplete()).ok();
  }

  reclaimComplete(): Promise<Reply> {
    return this.compound().op("RECLAIM_COMPLETE", { rca_one_fs: false }).send();
  }

  async transmit(compound: Compound, wire: Wire = this.wire): Promise<Reply> {
    const { session, options } = compound as SessionCompound;
    const slot = options.slot ?? 0;
    const sequence = options.sequence ?? ((session.slots[slot] ?? 0) + 1) >>> 0;
    const writer = new XdrWriter();
    writer.uint32(OPERATIONS.SEQUENCE.number);
    OPERATIONS.SEQUENCE.encodeArguments(writer, {
      sa_sessionid: options.sessionid ?? session.id,
      sa_sequenceid: sequence,
      sa_slotid: slot,
      sa_highest_slotid: options.highest ?? slot,
      sa_cachethis: options.cache ?? false,
    });
    const reply = await send(wire, compound, compound.encode([writer.bytes().slice()]));
    if (reply.operations[0]?.status === "NFS4_OK" && options.sequence === undefined) session.slots[slot] = sequence;
    return reply;
  }

  /** The same request again, byte for byte, over the same or another connection. */
  async retry(reply: Reply, wire: Wire = this.wire): Promise<Reply> {
    const xid = wire.world.takeXid();
    const bytes = await wire.world.run(wire.start(reply.request, { xid, user: this.user }));
    return new Reply(bytes, reply.request, xid);
  }

  addOpen(compound: Compound, name: Name, options: OpenOptions): Compound {
    return compound.op("OPEN", openArgs(name, options, this.#clientid, 0));
  }

  protected async opened(reply: Reply, options: OpenOptions, handle: Uint8Array): Promise<Opened> {
    const { stateid, rflags } = reply.get("OPEN");
    return { handle, owner: options.owner ?? "owner", stateid, rflags };
  }

  close(opened: Opened): Promise<Reply> {
    return this.compound().putfh(opened.handle).close(opened.stateid).send();
  }

  async downgrade(opened: Opened, access: number, deny: number): Promise<Reply> {
    const reply = await this.compound()
      .putfh(opened.handle)
      .op("OPEN_DOWNGRADE", { open_stateid: opened.stateid, seqid: 0, share_access: access, share_deny: deny })
      .send();
    if (reply.status === "NFS4_OK") opened.stateid = reply.get("OPEN_DOWNGRADE").open_stateid;
    return reply;
  }

  protected requestLock(opened: Opened, options: LockOptions): Promise<Reply> {
    const known = this.locks.get(this.lockKey(opened, options.owner));
    return this.compound()
      .putfh(opened.handle)
      .op(
        "LOCK",
        lockArgs(
          options,
          known
            ? { new_lock_owner: false, lock_owner: { lock_stateid: known, lock_seqid: 0 } }
            : {
                new_lock_owner: true,
                open_owner: {
                  open_seqid: 0,
                  open_stateid: opened.stateid,
                  lock_seqid: 0,
                  lock_owner: { clientid: this.#clientid, owner: utf8(options.owner ?? "locker") },
                },
              },
        ),
      )
      .send();
  }

  async unlock(opened: Opened, options: LockOptions = {}): Promise<Reply> {
    const key = this.lockKey(opened, options.owner);
    const lock_stateid = this.locks.get(key);
    if (!lock_stateid) throw new Error("no lock stateid");
    const reply = await this.compound()
      .putfh(opened.handle)
      .op("LOCKU", {
        locktype: 2,
        seqid: 0,
        lock_stateid,
        offset: options.offset ?? 0n,
        length: options.length ?? TO_END,
      })
      .send();
    if (reply.status === "NFS4_OK")
      this.locks.set(key, (reply.get("LOCKU") as unknown as { lock_stateid: typeof lock_stateid }).lock_stateid);
    return reply;
  }
}

async function send(wire: Wire, compound: Compound, request: Uint8Array): Promise<Reply> {
  const xid = compound.xid ?? wire.world.takeXid();
  const bytes = await wire.start(request, { xid, user: compound.user });
  return new Reply(bytes, request, xid);
}

/** A 4.0 client: its id, and its owners with their sequence numbers (RFC 7530 §9.1). */
import type { SETCLIENTID4args } from "@nfs4/protocol";
import type { Uint64Pair } from "@xdr-ts/xdr";
import { utf8, verifier } from "./bytes.ts";
import { type Compound, type Name, NO_CLIENT } from "./compound.ts";
import { Mount } from "./mount.ts";
import { type LockOptions, lockArgs, type Opened, type OpenOptions, openArgs, TO_END } from "./open-options.ts";
import { Reply } from "./reply.ts";
import type { Wire } from "./wire.ts";

/** Statuses after which an owner's number does not move (RFC 7530 §9.1.7). */
const STAY = new Set([
  "NFS4ERR_STALE_CLIENTID",
  "NFS4ERR_STALE_STATEID",
  "NFS4ERR_BAD_STATEID",
  "NFS4ERR_BAD_SEQID",
  "NFS4ERR_BADXDR",
  "NFS4ERR_RESOURCE",
  "NFS4ERR_NOFILEHANDLE",
  "NFS4ERR_MOVED",
]);

export const OPEN_RESULT_CONFIRM = 2;

export class Client40 extends Mount {
  #clientid: Uint64Pair = NO_CLIENT;
  /** Next number of each open-owner and lock-owner. */
  readonly seqids: Map<string, number> = new Map();

  constructor(wire: Wire, name: string) {
    super(wire, name, 0);
  }

  get clientid(): Uint64Pair {
    return this.#clientid;
  }

  setClientIdArgs(changes: Partial<SETCLIENTID4args> & { readonly verifier?: number } = {}): SETCLIENTID4args {
    const { verifier: number = 1, ...rest } = changes;
    return {
      client: { verifier: verifier(number), id: utf8(this.name) },
      callback: { cb_program: 0, cb_location: { na_r_netid: "tcp", na_r_addr: "0.0.0.0.0.0" } },
      callback_ident: 1,
      ...rest,
    };
  }

  setClientId(changes: Partial<SETCLIENTID4args> & { readonly verifier?: number } = {}): Promise<Reply> {
    return this.compound().op("SETCLIENTID", this.setClientIdArgs(changes)).send();
  }

  confirm(clientid: Uint64Pair, setclientid_confirm: Uint8Array): Promise<Reply> {
    return this.compound().op("SETCLIENTID_CONFIRM", { clientid, setclientid_confirm }).send();
  }

  async introduce(changes: Partial<SETCLIENTID4args> & { readonly verifier?: number } = {}): Promise<void> {
    const { clientid, setclientid_confirm } = (await this.setClientId(changes)).ok().get("SETCLIENTID");
    (await this.confirm(clientid, setclientid_confirm)).ok();
    this.begin(clientid);
  }

  /** From now on it is known by this id, and has nothing. */
  begin(clientid: Uint64Pair): void {
    this.#clientid = clientid;
    this.seqids.clear();
    this.locks.clear();
  }

  async transmit(compound: Compound, wire: Wire = this.wire): Promise<Reply> {
    const xid = compound.xid ?? wire.world.takeXid();
    const request = compound.encode();
    return new Reply(await wire.start(request, { xid, user: compound.user }), request, xid);
  }

  /** The same call again under the same xid, over the same or another connection. */
  async retry(reply: Reply, wire: Wire = this.wire): Promise<Reply> {
    const bytes = await wire.world.run(wire.start(reply.request, { xid: reply.xid, user: this.user }));
    return new Reply(bytes, reply.request, reply.xid);
  }

  seqid(owner: string): number {
    return this.seqids.get(owner) ?? 1;
  }

  /** Moves an owner's number on, unless the reply says that it stays. */
  advance(owner: string, reply: Reply): void {
    if (!STAY.has(reply.status)) this.seqids.set(owner, this.seqid(owner) + 1);
  }

  addOpen(compound: Compound, name: Name, options: OpenOptions): Compound {
    return compound.op("OPEN", openArgs(name, options, this.#clientid, this.seqid(options.owner ?? "owner")));
  }

  override async tryOpen(path: string, options: OpenOptions = {}): Promise<Reply> {
    const reply = await super.tryOpen(path, options);
    if (reply.operations.some(({ name }) => name === "OPEN")) this.advance(options.owner ?? "owner", reply);
    return reply;
  }

  protected async opened(reply: Reply, options: OpenOptions, handle: Uint8Array): Promise<Opened> {
    const { stateid, rflags } = reply.get("OPEN");
    const opened: Opened = { handle, owner: options.owner ?? "owner", stateid, rflags };
    if (rflags & OPEN_RESULT_CONFIRM) (await this.openConfirm(opened)).ok();
    return opened;
  }

  async openConfirm(opened: Opened): Promise<Reply> {
    const seqid = this.seqid(opened.owner);
    const reply = await this.compound()
      .putfh(opened.handle)
      .op("OPEN_CONFIRM", { open_stateid: opened.stateid, seqid })
      .send();
    this.advance(opened.owner, reply);
    if (reply.status === "NFS4_OK") opened.stateid = reply.get("OPEN_CONFIRM").open_stateid;
    return reply;
  }

  async close(opened: Opened): Promise<Reply> {
    const seqid = this.seqid(opened.owner);
    const reply = await this.compound().putfh(opened.handle).close(opened.stateid, seqid).send();
    this.advance(opened.owner, reply);
    return reply;
  }

  async downgrade(opened: Opened, access: number, deny: number): Promise<Reply> {
    const seqid = this.seqid(opened.owner);
    const reply = await this.compound()
      .putfh(opened.handle)
      .op("OPEN_DOWNGRADE", { open_stateid: opened.stateid, seqid, share_access: access, share_deny: deny })
      .send();
    this.advance(opened.owner, reply);
    if (reply.status === "NFS4_OK") opened.stateid = reply.get("OPEN_DOWNGRADE").open_stateid;
    return reply;
  }

  protected async requestLock(opened: Opened, options: LockOptions): Promise<Reply> {
    const owner = options.owner ?? "locker";
    const lockOwner = `lock:${owner}`;
    const known = this.locks.get(this.lockKey(opened, owner));
    const compound = this.compound().putfh(opened.handle);
    if (known) {
      const lock_seqid = this.seqid(lockOwner);
      const locker = { new_lock_owner: false, lock_owner: { lock_stateid: known, lock_seqid } } as const;
      const reply = await compound.op("LOCK", lockArgs(options, locker)).send();
      this.advance(lockOwner, reply);
      return reply;
    }
    const locker = {
      new_lock_owner: true,
      open_owner: {
        open_seqid: this.seqid(opened.owner),
        open_stateid: opened.stateid,
        lock_seqid: this.seqid(lockOwner),
        lock_owner: { clientid: this.#clientid, owner: utf8(owner) },
      },
    } as const;
    const reply = await compound.op("LOCK", lockArgs(options, locker)).send();
    this.advance(opened.owner, reply);
    this.advance(lockOwner, reply);
    return reply;
  }

  async unlock(opened: Opened, options: LockOptions = {}): Promise<Reply> {
    const key = this.lockKey(opened, options.owner);
    const lockOwner = `lock:${options.owner ?? "locker"}`;
    const lock_stateid = this.locks.get(key);
    if (!lock_stateid) throw new Error("no lock stateid");
    const reply = await this.compound()
      .putfh(opened.handle)
      .op("LOCKU", {
        locktype: 2,
        seqid: this.seqid(lockOwner),
        lock_stateid,
        offset: options.offset ?? 0n,
        length: options.length ?? TO_END,
      })
      .send();
    this.advance(lockOwner, reply);
    if (reply.status === "NFS4_OK") {
      this.locks.set(key, (reply.result("LOCKU") as { lock_stateid: typeof lock_stateid }).lock_stateid);
    }
    return reply;
  }
}

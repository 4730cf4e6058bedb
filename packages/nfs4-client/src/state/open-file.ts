import {
  ANONYMOUS_STATEID,
  type Bitmap,
  CLAIM_FH,
  CLAIM_NULL,
  CLAIM_PREVIOUS,
  type createhow4,
  EXCLUSIVE4,
  encodeName,
  FATTR4_TIME_ACCESS,
  FATTR4_TIME_ACCESS_SET,
  FATTR4_TIME_MODIFY,
  FATTR4_TIME_MODIFY_SET,
  type Fattr4Values,
  GUARDED4,
  hasBit,
  makeFattr4,
  NFS4ERR_BAD_SEQID,
  NFS4ERR_ISDIR,
  NFS4ERR_NOTSUPP,
  NFS4ERR_SYMLINK,
  OPEN_DELEGATE_NONE,
  OPEN_DELEGATE_READ,
  OPEN_DELEGATE_WRITE,
  OPEN4_CREATE,
  OPEN4_NOCREATE,
  OPEN4_RESULT_CONFIRM,
  OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
  type OPEN4args,
  type open_claim4,
  type open_delegation4,
  type openflag4,
  SET_TO_SERVER_TIME4,
  type stateid4,
  UNCHECKED4,
} from "@nfs4/protocol";
import type { RandomSource } from "@nfs4/timecounter";
import { NfsError } from "../errors.ts";
import { Compound, type Step, type Turn } from "../protocol/compound.ts";
import type { Dialect } from "../protocol/dialect.ts";
import { FileLocks, TO_END } from "./file-locks.ts";
import { Outdated } from "./outdated.ts";
import { Sequencer } from "./sequencer.ts";
import { Turnstile } from "./turnstile.ts";

export interface OpenRequest {
  /** Adds what makes the file's directory the current filehandle. */
  readonly toDirectory: (compound: Compound) => void;
  readonly name: string;
  /** OPEN4_SHARE_ACCESS_READ, …WRITE, …BOTH. */
  readonly access: number;
  /** OPEN4_SHARE_DENY_… */
  readonly deny?: number;
  /** Makes the file if it is not there; `exclusive`: it must not be. */
  readonly create?: { readonly exclusive: boolean; readonly attributes: Fattr4Values };
  /** What to tell of the file. */
  readonly mask: Bitmap;
}

/** Sends a COMPOUND of the file's: with patience for a server that puts it off. Resolves whatever came of it. */
export type SendCompound = (compound: Compound) => Promise<void>;

/** What open files have of their client. */
export interface OpenFileHome {
  readonly dialect: Dialect;
  readonly random: RandomSource;
  /** Counts acquaintances with the server. */
  readonly epoch: number;
  /** A name for a state-owner that no other has had. */
  takeOwner(): Uint8Array;
  /** Opens a file again, while everything else waits; unless that has happened since the tenure. */
  reopen(file: OpenFile, tenure: number): Promise<void>;
  /** For what nobody waits for. */
  attempt(compound: Compound): Promise<void>;
}

export interface Opened {
  /** If something failed, it tells what. */
  readonly compound: Compound;
  readonly attributes: Step<"GETATTR">;
}

/** How often an OPEN that the server will not confirm, or whose owner it counts otherwise, is tried again under another owner. */
const MOST_OWNERS = 3;

/** What servers say to EXCLUSIVE4 that do not have it (RFC 7530 §16.16.6), or that look first at what is there under the name: GUARDED4 tells that. */
const ASK_GUARDED: ReadonlySet<number> = new Set([NFS4ERR_NOTSUPP, NFS4ERR_SYMLINK, NFS4ERR_ISDIR]);

/**
 * A file that is open at the server, under a state-owner of its own, so that no other open of ours is joined with it. It remembers how it came to be, to be opened again when
 * the server has forgotten it (RFC 8881 §8.4.2, RFC 7530 §9.6.2).
 */
export class OpenFile {
  readonly access: number;
  readonly locks: FileLocks;
  /** 4.0: all operations that carry seqids, its locks' as well, run one at a time; those that open it again after a loss go ahead of them. */
  readonly turn: Turn | null;
  /** Of the open-owner. */
  readonly sequencer: Sequencer;
  readonly #home: OpenFileHome;
  readonly #dialect: Dialect;
  readonly #request: OpenRequest;
  #owner: Uint8Array;
  #handle: Uint8Array = new Uint8Array(0);
  #stateid: stateid4 = ANONYMOUS_STATEID;
  /** The server has it open. */
  #held = false;
  #confirmed = false;
  /** It has been opened, and is to stay so until it is closed. */
  #opened = false;
  /** What opens it, for the first time or again: whoever closes it must wait for that. */
  #opening: Promise<unknown> = Promise.resolve();
  #tenure = 0;
  /** The acquaintance in which the server gave it to us, with all its locks. */
  heldSince = -1;
  /** Why nothing can be done with it any more. */
  lost: NfsError | null = null;
  closed = false;

  constructor(home: OpenFileHome, request: OpenRequest) {
    const counts = home.dialect.minorVersion === 0;
    this.#home = home;
    this.#dialect = home.dialect;
    this.#request = request;
    this.#owner = home.takeOwner();
    this.access = request.access;
    this.sequencer = new Sequencer(counts);
    this.turn = counts ? new Turnstile() : null;
    this.locks = new FileLocks(this, home);
  }

  get handle(): Uint8Array {
    return this.#handle;
  }

  /** As OPEN gave it: for CLOSE and LOCK. */
  get stateid(): Readonly<stateid4> {
    return this.#stateid;
  }

  /** For READ, WRITE and SETATTR. Since 4.1 number 0 is whichever is current (RFC 8881 §8.2.2). Throws if the file is lost. */
  get ioStateid(): Readonly<stateid4> {
    if (this.lost !== null) throw this.lost;
    const stateid = this.locks.stateid ?? this.#stateid;
    return this.#dialect.minorVersion === 0 ? stateid : { seqid: 0, other: stateid.other };
  }

  /** The name of its open-owner, and of its lock-owner, which is another all the same (RFC 7530 §9.1.1). */
  get owner(): Uint8Array {
    return this.#owner;
  }

  /** Moves on when what the server held is gone, or given up: an answer to what was sent before says nothing of what is held since. */
  get tenure(): number {
    return this.#tenure;
  }

  /** Whether it is to be opened again when the server has forgotten it. */
  get wanted(): boolean {
    return this.#opened && !this.closed && this.lost === null;
  }

  /** Opens it, once. In one COMPOUND, but for what 4.0 wants confirmed, or set after an exclusive create. Whether it went well, `wanted` tells. */
  open(send: SendCompound): Promise<Opened> {
    return this.#note(this.#open(send));
  }

  #note<T>(opening: Promise<T>): Promise<T> {
    this.#opening = opening;
    return opening;
  }

  async #open(send: SendCompound): Promise<Opened> {
    const { name, mask, create } = this.#request;
    let how = this.#how();
    /** Of an exclusive create. */
    let attrset: Bitmap | null = null;
    for (let left = MOST_OWNERS; ; left--) {
      const compound = new Compound("open");
      this.#request.toDirectory(compound);
      const { open, attributes } = this.#append(compound, how, { claim: CLAIM_NULL, file: encodeName(name) }, mask);
      await send(compound);
      let unconfirmed: Compound | null = null;
      if (open.succeeded) {
        if (isExclusive(how)) attrset = open.body.attrset;
        // Should it be asked for again, it has been made.
        how = { opentype: OPEN4_NOCREATE };
        unconfirmed = await this.#settle(open, send);
        this.#opened = this.#held && this.#confirmed && this.#handle.length > 0;
      }
      if (this.#opened) {
        this.heldSince = this.#home.epoch;
        return attrset === null ? { compound, attributes } : this.#setAttributes(create!.attributes, attrset, send);
      }
      if (isExclusive(how) && open.status !== undefined && ASK_GUARDED.has(open.status)) how = this.#how(true);
      else if (left <= 1 || (!open.succeeded && open.status !== NFS4ERR_BAD_SEQID))
        return { compound: unconfirmed ?? compound, attributes };
      else this.beginAnew();
    }
  }

  /** `guarded`: though 4.0 has better. */
  #how(guarded = false): openflag4 {
    const { create } = this.#request;
    if (create === undefined) return { opentype: OPEN4_NOCREATE };
    let how: createhow4;
    if (create.exclusive && this.#dialect.minorVersion === 0 && !guarded) {
      // It is known again by this, also after the server's restart (RFC 7530 §16.16.6).
      how = { mode: EXCLUSIVE4, createverf: this.#home.random.fill(new Uint8Array(8)) };
    } else how = { mode: create.exclusive ? GUARDED4 : UNCHECKED4, createattrs: makeFattr4(create.attributes) };
    return { opentype: OPEN4_CREATE, how };
  }

  /** What an exclusive create left open, and times that the server may have kept its verifier in: not with the OPEN (RFC 7530 §16.16.6). */
  async #setAttributes(wanted: Fattr4Values, attrset: Bitmap, send: SendCompound): Promise<Opened> {
    const used = (...attributes: number[]): boolean => attributes.some((one) => hasBit(attrset, one));
    const now = { set_it: SET_TO_SERVER_TIME4 };
    const values: Fattr4Values = {
      ...(used(FATTR4_TIME_ACCESS, FATTR4_TIME_ACCESS_SET) ? { time_access_set: now } : {}),
      ...(used(FATTR4_TIME_MODIFY, FATTR4_TIME_MODIFY_SET) ? { time_modify_set: now } : {}),
      ...wanted,
    };
    const compound = new Compound("set attributes").putFh(() => this.#handle);
    // Only a size needs an open (RFC 7530 §9.1.4.6).
    if (Object.keys(values).length > 0)
      compound.setAttributes(values, () => (values.size === undefined ? ANONYMOUS_STATEID : this.ioStateid));
    const attributes = compound.getAttributes(this.#request.mask);
    await send(compound);
    if (!compound.succeeded) {
      await this.#close(send);
      this.#opened = false;
    }
    return { compound, attributes };
  }

  /** The server holds nothing any more, or nothing of use: what comes is under another owner, whose numbers begin anew (RFC 7530 §9.1.7). */
  beginAnew(): void {
    this.#tenure++;
    this.#held = false;
    // Since 4.1 an open that the server still has is taken up again.
    if (this.#dialect.minorVersion === 0) this.#owner = this.#home.takeOwner();
    this.sequencer.beginAnew();
    this.locks.beginAnew();
  }

  /** After the server's restart (CLAIM_PREVIOUS). False: it does not give the file back so, and perhaps as anew once all reclaiming is over. */
  reclaim(send: SendCompound): Promise<boolean> {
    return this.#note(this.#reclaim(send));
  }

  async #reclaim(send: SendCompound): Promise<boolean> {
    const compound = new Compound("reclaim open").putFh(this.#handle);
    const claim = { claim: CLAIM_PREVIOUS, delegate_type: OPEN_DELEGATE_NONE } as const;
    const { open } = this.#append(compound, { opentype: OPEN4_NOCREATE }, claim, []);
    await send(compound);
    if (!open.succeeded) return false;
    await this.#settle(open, send);
    if (await this.locks.reclaim(send)) this.heldSince = this.#home.epoch;
    else this.#lose("its locks could not be reclaimed");
    return true;
  }

  /** Opens the file again without any claim: whatever was locked may have been another's meanwhile. */
  reopen(send: SendCompound): Promise<void> {
    return this.#note(this.#reopen(send));
  }

  async #reopen(send: SendCompound): Promise<void> {
    const before = this.#handle;
    this.beginAnew();
    const compound = new Compound("reopen");
    const byHandle = this.#dialect.minorVersion > 0;
    if (byHandle) compound.putFh(before);
    else this.#request.toDirectory(compound);
    const claim: open_claim4 = byHandle
      ? { claim: CLAIM_FH }
      : { claim: CLAIM_NULL, file: encodeName(this.#request.name) };
    const { open } = this.#append(compound, { opentype: OPEN4_NOCREATE }, claim, []);
    await send(compound);
    const unconfirmed = open.succeeded ? await this.#settle(open, send) : compound;
    if (unconfirmed !== null) this.#lose("it could not be opened again", unconfirmed.error());
    else if (Buffer.compare(before, this.#handle) !== 0) {
      this.#lose("another file has its name now");
      await this.#close(send);
    } else if (this.locks.held) this.#lose("its locks are gone");
    else this.heldSince = this.#home.epoch;
  }

  /** Idempotent. Unlocks first, for not every server closes what has locks (RFC 7530 §9.10). What the server no longer knows of is closed, too. */
  async close(send: SendCompound): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.#opening.catch(() => undefined);
    if (!this.#held || this.#handle.length === 0) return;
    try {
      if (!this.#confirmed) await this.#confirm(send);
      await this.locks.settled();
      if (this.locks.held) await this.locks.unlock(send, 0n, TO_END);
      await this.#close(send);
      await this.locks.release(send);
    } catch (error) {
      if (!(error instanceof Outdated)) throw error;
    }
  }

  async #close(send: SendCompound): Promise<void> {
    const compound = new Compound("close").putFh(this.#handle);
    const tenure = this.#tenure;
    const step = compound.op("CLOSE", () => {
      if (!this.#held || this.#tenure !== tenure) throw new Outdated();
      return { seqid: this.sequencer.seqid, open_stateid: this.#stateid };
    });
    compound.turn = this.turn;
    compound.whenAnswered = () => {
      if (this.#tenure !== tenure) return;
      this.sequencer.answered(step.status);
      if (step.succeeded) this.#held = false;
    };
    await send(compound);
  }

  /** Adds OPEN and what asks for the file's handle and attributes. */
  #append(
    compound: Compound,
    openhow: openflag4,
    claim: open_claim4,
    mask: Bitmap,
  ): { readonly open: Step<"OPEN">; readonly attributes: Step<"GETATTR"> } {
    let tenure = this.#tenure;
    const open = compound.op("OPEN", () => {
      tenure = this.#tenure;
      return this.#arguments(openhow, claim);
    });
    const handle = compound.getFh();
    const attributes = compound.getAttributes(mask);
    compound.turn = this.turn;
    compound.whenAnswered = () => {
      if (this.#tenure !== tenure) return;
      this.sequencer.answered(open.status);
      if (!open.succeeded) return;
      this.#held = true;
      this.#confirmed = (open.body.rflags & OPEN4_RESULT_CONFIRM) === 0;
      this.#stateid = open.body.stateid;
      if (handle.succeeded) this.#handle = handle.body.object;
    };
    return { open, attributes };
  }

  #arguments(openhow: openflag4, claim: open_claim4): OPEN4args {
    const { access, deny = 0 } = this.#request;
    return {
      seqid: this.sequencer.seqid,
      share_access: this.#dialect.minorVersion === 0 ? access : access | OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
      share_deny: deny,
      owner: { clientid: this.#dialect.clientId, owner: this.#owner },
      openhow,
      claim,
    };
  }

  /** What an OPEN still asks of us. Resolves to null, or the COMPOUND that did not confirm it. */
  async #settle(open: Step<"OPEN">, send: SendCompound): Promise<Compound | null> {
    const { delegation } = open.body;
    const unconfirmed = this.#held && !this.#confirmed ? await this.#confirm(send) : null;
    await this.#decline(delegation, send);
    return unconfirmed;
  }

  /** 4.0: a server that meets an owner for the first time wants to be sure (RFC 7530 §9.1.11, §16.18). */
  async #confirm(send: SendCompound): Promise<Compound | null> {
    const compound = new Compound("confirm open").putFh(this.#handle);
    const tenure = this.#tenure;
    const step = compound.op("OPEN_CONFIRM", () => {
      if (this.#tenure !== tenure) throw new Outdated();
      return { open_stateid: this.#stateid, seqid: this.sequencer.seqid };
    });
    compound.turn = this.turn;
    compound.whenAnswered = () => {
      if (this.#tenure !== tenure) return;
      this.sequencer.answered(step.status);
      if (!step.succeeded) return;
      this.#stateid = step.body.open_stateid;
      this.#confirmed = true;
    };
    try {
      await send(compound);
    } catch (error) {
      if (!(error instanceof Outdated)) throw error;
    }
    return this.#confirmed ? null : compound;
  }

  /** Delegations that nobody asked for go back. */
  async #decline(delegation: open_delegation4, send: SendCompound): Promise<void> {
    let deleg_stateid: stateid4;
    if (delegation.delegation_type === OPEN_DELEGATE_READ) deleg_stateid = delegation.read.stateid;
    else if (delegation.delegation_type === OPEN_DELEGATE_WRITE) deleg_stateid = delegation.write.stateid;
    else return;
    const compound = new Compound("decline delegation").putFh(this.#handle);
    compound.op("DELEGRETURN", { deleg_stateid });
    await send(compound);
  }

  #lose(why: string, cause?: NfsError): void {
    this.lost = new NfsError("EIO", `the server has lost what it knew of this open file, and ${why}`, {
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

function isExclusive(how: openflag4): boolean {
  return how.opentype === OPEN4_CREATE && how.how.mode === EXCLUSIVE4;
}

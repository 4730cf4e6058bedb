import {
  ANONYMOUS_STATEID,
  type Bitmap,
  CLAIM_FH,
  CLAIM_NULL,
  CLAIM_PREVIOUS,
  encodeName,
  type Fattr4Values,
  GUARDED4,
  makeFattr4,
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
  type stateid4,
  UNCHECKED4,
} from "@nfs4/protocol";
import { NfsError } from "../errors.ts";
import { Compound, type Step } from "../protocol/compound.ts";
import type { Dialect } from "../protocol/dialect.ts";
import { FileLocks } from "./file-locks.ts";
import { Sequencer } from "./sequencer.ts";

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

/**
 * A file that is open at the server, under a state-owner of its own, so that no other open of ours is joined with it. It remembers how it came to be, to be opened again when
 * the server has forgotten it (RFC 8881 §8.4.2).
 */
export class OpenFile {
  readonly access: number;
  readonly locks: FileLocks;
  readonly #dialect: Dialect;
  readonly #request: OpenRequest;
  readonly #owner: Uint8Array;
  readonly #sequencer: Sequencer;
  #handle: Uint8Array = new Uint8Array(0);
  #stateid: stateid4 = ANONYMOUS_STATEID;
  /** Why nothing can be done with it any more. */
  lost: NfsError | null = null;
  closed = false;

  constructor(dialect: Dialect, request: OpenRequest, owner: Uint8Array) {
    this.#dialect = dialect;
    this.#request = request;
    this.#owner = owner;
    this.access = request.access;
    this.#sequencer = new Sequencer(dialect.minorVersion === 0);
    this.locks = new FileLocks(this, dialect, owner);
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

  get sequencer(): Sequencer {
    return this.#sequencer;
  }

  /** Opens it, in one COMPOUND. Resolves to GETATTR's step; if something failed the compound tells what. */
  async open(send: SendCompound): Promise<{ readonly compound: Compound; readonly attributes: Step<"GETATTR"> }> {
    const { toDirectory, name, create, mask } = this.#request;
    const how: openflag4 =
      create === undefined
        ? { opentype: OPEN4_NOCREATE }
        : {
            opentype: OPEN4_CREATE,
            how: { mode: create.exclusive ? GUARDED4 : UNCHECKED4, createattrs: makeFattr4(create.attributes) },
          };
    const compound = new Compound("open");
    toDirectory(compound);
    const { attributes } = await this.#run(compound, how, { claim: CLAIM_NULL, file: encodeName(name) }, send, mask);
    return { compound, attributes };
  }

  /** After the server's restart (CLAIM_PREVIOUS). False: it does not give the file back so, and perhaps as anew once all reclaiming is over. */
  async reclaim(send: SendCompound): Promise<boolean> {
    const compound = new Compound("reclaim open").putFh(this.#handle);
    const claim = { claim: CLAIM_PREVIOUS, delegate_type: OPEN_DELEGATE_NONE } as const;
    const { open } = await this.#run(compound, { opentype: OPEN4_NOCREATE }, claim, send, []);
    if (!open.succeeded) return false;
    if (!(await this.locks.reclaim(send))) this.#lose("its locks could not be reclaimed");
    return true;
  }

  /** Opens the file again without any claim: whatever was locked may have been another's meanwhile. */
  async reopen(send: SendCompound): Promise<void> {
    const before = this.#handle;
    const compound = new Compound("reopen");
    const byHandle = this.#dialect.minorVersion > 0;
    if (byHandle) compound.putFh(before);
    else this.#request.toDirectory(compound);
    const claim: open_claim4 = byHandle
      ? { claim: CLAIM_FH }
      : { claim: CLAIM_NULL, file: encodeName(this.#request.name) };
    const { open } = await this.#run(compound, { opentype: OPEN4_NOCREATE }, claim, send, []);
    if (!open.succeeded) this.#lose("it could not be opened again", compound.error());
    else if (Buffer.compare(before, this.#handle) !== 0) this.#lose("another file has its name now");
    else if (this.locks.held) this.#lose("its locks are gone");
  }

  /** Idempotent. What the server no longer knows of is closed, too. */
  async close(send: SendCompound): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.lost !== null) return;
    await this.#sequencer.run(async () => {
      const compound = new Compound("close").putFh(this.#handle);
      const step = compound.op("CLOSE", () => ({ seqid: this.#sequencer.seqid, open_stateid: this.#stateid }));
      await send(compound);
      return step.status;
    });
  }

  async #run(
    compound: Compound,
    openhow: openflag4,
    claim: open_claim4,
    send: SendCompound,
    mask: Bitmap,
  ): Promise<{ readonly open: Step<"OPEN">; readonly attributes: Step<"GETATTR"> }> {
    const open = compound.op("OPEN", () => this.#arguments(openhow, claim));
    const handle = compound.getFh();
    const attributes = compound.getAttributes(mask);
    await this.#sequencer.run(async () => {
      await send(compound);
      return open.status;
    });
    if (open.succeeded) {
      const { stateid, rflags, delegation } = open.body;
      this.#stateid = stateid;
      if (handle.succeeded) this.#handle = handle.body.object;
      if ((rflags & OPEN4_RESULT_CONFIRM) !== 0) await this.#confirm(send);
      await this.#decline(delegation, send);
    }
    return { open, attributes };
  }

  #arguments(openhow: openflag4, claim: open_claim4): OPEN4args {
    const { access, deny = 0 } = this.#request;
    return {
      seqid: this.#sequencer.seqid,
      share_access: this.#dialect.minorVersion === 0 ? access : access | OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
      share_deny: deny,
      owner: { clientid: this.#dialect.clientId, owner: this.#owner },
      openhow,
      claim,
    };
  }

  /** 4.0: a server that meets an owner for the first time wants to be sure (RFC 7530 §16.18). */
  async #confirm(send: SendCompound): Promise<void> {
    await this.#sequencer.run(async () => {
      const compound = new Compound("confirm open").putFh(this.#handle);
      const step = compound.op("OPEN_CONFIRM", () => ({
        open_stateid: this.#stateid,
        seqid: this.#sequencer.seqid,
      }));
      await send(compound);
      if (step.succeeded) this.#stateid = step.body.open_stateid;
      return step.status;
    });
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

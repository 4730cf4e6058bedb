/** What 4.0 and 4.1 clients have in common, so that one test can speak both. */
import { type stateid4, statusName } from "@nfs4/protocol";
import { text, utf8 } from "./bytes.ts";
import { Compound, type Name, type Sender } from "./compound.ts";
import {
  type Locked,
  type LockOptions,
  type Opened,
  type OpenOptions,
  split,
  TO_END,
  WRITE_LT,
} from "./open-options.ts";
import type { Reply } from "./reply.ts";
import { ROOT, type User, type Wire } from "./wire.ts";

export abstract class Mount implements Sender {
  readonly name: string;
  readonly minor: number;
  wire: Wire;
  user: User = ROOT;

  constructor(wire: Wire, name: string, minor: number) {
    this.wire = wire;
    this.name = name;
    this.minor = minor;
  }

  abstract transmit(compound: Compound): Promise<Reply>;
  abstract introduce(): Promise<void>;
  /** Adds an OPEN with the sequence number that is due. */
  abstract addOpen(compound: Compound, name: Name, options: OpenOptions): Compound;
  /** Takes note of what an OPEN came to. */
  protected abstract opened(reply: Reply, options: OpenOptions, handle: Uint8Array): Promise<Opened>;
  abstract close(opened: Opened): Promise<Reply>;
  protected abstract requestLock(opened: Opened, options: LockOptions): Promise<Reply>;
  abstract downgrade(opened: Opened, access: number, deny: number): Promise<Reply>;

  /** The lock stateids that were granted, by owner and file. */
  readonly locks: Map<string, stateid4> = new Map();

  compound(): Compound {
    return new Compound(this);
  }

  /** PUTROOTFH and the LOOKUPs down to `path`. */
  at(path: string): Compound {
    return this.compound()
      .putroot()
      .lookup(...split(path));
  }

  /** As `at`, for the directory that `path` stands in. */
  above(path: string): { readonly compound: Compound; readonly name: string } {
    const parts = split(path);
    const name = parts.pop() ?? "";
    return { compound: this.at(parts.join("/")), name };
  }

  /** An OPEN that may fail: the reply tells. Nothing is confirmed. */
  tryOpen(path: string, options: OpenOptions = {}): Promise<Reply> {
    const { compound, name } = this.above(path);
    if (options.user) compound.as(options.user);
    return this.addOpen(compound, name, options).getfh().send();
  }

  /** An OPEN that must succeed, confirmed where 4.0 wants that. */
  async open(path: string, options: OpenOptions = {}): Promise<Opened> {
    const reply = (await this.tryOpen(path, options)).ok();
    return this.opened(reply, options, reply.get("GETFH").object);
  }

  /** Makes a file with content and closes it. */
  async writeFile(path: string, content: string | Uint8Array, mode = 0o644): Promise<Uint8Array> {
    const file = await this.open(path, { create: "unchecked", attributes: { mode } });
    if (content.length > 0) (await this.compound().putfh(file.handle).write(file.stateid, 0, content).send()).ok();
    (await this.close(file)).ok();
    return file.handle;
  }

  async readFile(path: string): Promise<string> {
    const file = await this.open(path, { access: 1 });
    const reply = (
      await this.compound()
        .putfh(file.handle)
        .read(file.stateid, 0, 1 << 20)
        .send()
    ).ok();
    (await this.close(file)).ok();
    return text(reply.get("READ").data);
  }

  async lock(opened: Opened, options: LockOptions = {}): Promise<Locked> {
    return this.locked(opened, options, await this.requestLock(opened, options));
  }

  /** A LOCK, with all that it was answered. */
  async tryLock(opened: Opened, options: LockOptions = {}): Promise<Reply> {
    const reply = await this.requestLock(opened, options);
    this.locked(opened, options, reply);
    return reply;
  }

  /** Takes note of what a LOCK came to. */
  protected locked(opened: Opened, options: LockOptions, reply: Reply): Locked {
    if (reply.status !== "NFS4_OK") {
      const result = reply.operations.at(-1)?.result as { denied?: Record<string, never> } | undefined;
      const denied = result?.denied as
        | { offset: bigint; length: bigint; locktype: number; owner: { owner: Uint8Array } }
        | undefined;
      return denied
        ? { status: reply.status, denied: { ...denied, owner: text(denied.owner.owner) } }
        : { status: reply.status };
    }
    const stateid = reply.get("LOCK").lock_stateid;
    this.locks.set(this.lockKey(opened, options.owner), stateid);
    return { status: reply.status, stateid };
  }

  abstract unlock(opened: Opened, options?: LockOptions): Promise<Reply>;

  /** LOCKT, by status name. */
  async testLock(opened: Opened, options: LockOptions = {}): Promise<string> {
    const reply = await this.compound()
      .putfh(opened.handle)
      .op("LOCKT", {
        locktype: options.type ?? WRITE_LT,
        offset: options.offset ?? 0n,
        length: options.length ?? TO_END,
        owner: { clientid: this.clientid, owner: utf8(options.owner ?? "locker") },
      })
      .send();
    return reply.status;
  }

  abstract get clientid(): { readonly hi: number; readonly lo: number };

  lockKey(opened: Opened, owner = "locker"): string {
    return `${owner}/${String(opened.handle)}`;
  }
}

/** Statuses by name, of a TEST_STATEID. */
export function namesOf(codes: readonly number[]): string[] {
  return codes.map((code) => statusName(code as never));
}

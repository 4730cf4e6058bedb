/** The arguments of OPEN and LOCK, from the little that a test wants to say. */
import {
  CLAIM_NULL,
  type createhow4,
  type Fattr4Values,
  type fattr4,
  type LOCK4args,
  OPEN4_CREATE,
  OPEN4_NOCREATE,
  type OPEN4args,
  type open_claim4,
  type stateid4,
} from "@nfs4/protocol";
import type { Uint64Pair } from "@xdr-ts/xdr";
import { names, utf8 } from "./bytes.ts";
import { fattr4Of, type Name } from "./compound.ts";
import type { User } from "./wire.ts";

export const READ = 1;
export const WRITE = 2;
export const BOTH = 3;
export const DENY_NONE = 0;
export const DENY_READ = 1;
export const DENY_WRITE = 2;
export const DENY_BOTH = 3;

export const READ_LT = 1;
export const WRITE_LT = 2;
export const READW_LT = 3;
export const WRITEW_LT = 4;
export const TO_END: bigint = 2n ** 64n - 1n;

export interface OpenOptions {
  /** Default: read and write. */
  readonly access?: number;
  readonly deny?: number;
  /** Default: "owner". */
  readonly owner?: string;
  /** Default: the file must be there. */
  readonly create?: createhow4 | "unchecked" | "guarded";
  /** For `create` by name. */
  readonly attributes?: Fattr4Values | fattr4;
  readonly claim?: open_claim4;
  readonly user?: User;
}

export interface LockOptions {
  /** Default: a write lock. */
  readonly type?: 1 | 2 | 3 | 4;
  readonly offset?: bigint;
  /** Default: to the end of the file. */
  readonly length?: bigint;
  /** The lock-owner; default: "locker". */
  readonly owner?: string;
  readonly reclaim?: boolean;
}

export interface Opened {
  readonly handle: Uint8Array;
  readonly owner: string;
  stateid: stateid4;
  readonly rflags: number;
}

export interface Locked {
  readonly status: string;
  /** Undefined if it was not granted. */
  readonly stateid?: stateid4;
  readonly denied?: {
    readonly offset: bigint;
    readonly length: bigint;
    readonly locktype: number;
    readonly owner: string;
  };
}

export function openArgs(name: Name, options: OpenOptions, clientid: Uint64Pair, seqid: number): OPEN4args {
  return {
    seqid,
    share_access: options.access ?? BOTH,
    share_deny: options.deny ?? DENY_NONE,
    owner: { clientid, owner: utf8(options.owner ?? "owner") },
    openhow: options.create
      ? { opentype: OPEN4_CREATE, how: howOf(options.create, options.attributes ?? {}) }
      : { opentype: OPEN4_NOCREATE },
    claim: options.claim ?? { claim: CLAIM_NULL, file: names(name) },
  };
}

function howOf(create: createhow4 | "unchecked" | "guarded", attributes: Fattr4Values | fattr4): createhow4 {
  if (typeof create === "object") return create;
  return { mode: create === "unchecked" ? 0 : 1, createattrs: fattr4Of(attributes) };
}

export function lockArgs(options: LockOptions, locker: LOCK4args["locker"]): LOCK4args {
  return {
    locktype: options.type ?? WRITE_LT,
    reclaim: options.reclaim ?? false,
    offset: options.offset ?? 0n,
    length: options.length ?? TO_END,
    locker,
  };
}

/** "/a/b" as its names. */
export function split(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

/** From the attributes that a client sets to what file systems understand. */
import {
  type Bitmap,
  bitmapOf,
  decodeFattr4,
  FATTR4_MODE,
  FATTR4_MODE_UMASK,
  type Fattr4Values,
  type fattr4,
  hasBit,
  isEmpty,
  NFS4_OK,
  NFS4ERR_BADOWNER,
  NFS4ERR_FBIG,
  NFS4ERR_INVAL,
  type nfsstat4,
  SET_TO_SERVER_TIME4,
  type settime4,
} from "@nfs4/protocol";
import type { AttributeChanges, Timestamp } from "../filesystem/types.ts";
import { idOf } from "./owner.ts";
import { settableStatus } from "./supported.ts";

/** Bits of the mode to be set or cleared; the others stay (mode_set_masked, RFC 8881 §6.2.5). */
export interface ModeBits {
  readonly bits: number;
  readonly mask: number;
}

export interface RequestedChanges {
  readonly changes: AttributeChanges;
  /** Not in `changes`, for the mode as it is must be known. */
  readonly modeBits: ModeBits | null;
  /** What the reply says was set. */
  readonly set: Bitmap;
}

const ALL_MODE_BITS = 0o7777;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Understands a fattr4, or says what is wrong with it. `creating`: for a new object, where mode_umask may stand (RFC 8275). */
export function requestedChanges(
  attributes: fattr4,
  minorVersion: number,
  creating: boolean,
): RequestedChanges | nfsstat4 {
  if (isEmpty(attributes.attrmask)) return { changes: {}, modeBits: null, set: [] };
  const status = settableStatus(attributes.attrmask, minorVersion, creating);
  if (status !== NFS4_OK) return status;
  const decoded = decodeFattr4(attributes);
  if (!decoded.ok) return decoded.status;
  const { values } = decoded;
  const changes: Mutable<AttributeChanges> = {};
  if (values.size !== undefined) {
    if (values.size > BigInt(Number.MAX_SAFE_INTEGER)) return NFS4ERR_FBIG;
    changes.size = Number(values.size);
  }
  const modes = modeOf(values);
  if (modes === null) return NFS4ERR_INVAL;
  if (modes.mode !== undefined) changes.mode = modes.mode;
  if (values.owner !== undefined) {
    const uid = idOf(values.owner);
    if (uid === null) return NFS4ERR_BADOWNER;
    changes.uid = uid;
  }
  if (values.owner_group !== undefined) {
    const gid = idOf(values.owner_group);
    if (gid === null) return NFS4ERR_BADOWNER;
    changes.gid = gid;
  }
  for (const [name, time] of [
    ["atime", values.time_access_set],
    ["mtime", values.time_modify_set],
  ] as const) {
    if (time === undefined) continue;
    const instant = instantOf(time);
    if (instant === null) return NFS4ERR_INVAL;
    changes[name] = instant;
  }
  const set = hasBit(attributes.attrmask, FATTR4_MODE_UMASK) ? union(attributes.attrmask) : attributes.attrmask;
  return { changes, modeBits: modes.bits ?? null, set };
}

/** The one of mode, mode_umask and mode_set_masked that was given, with bits that there are; null: there is more, or something wrong with it. */
function modeOf(values: Fattr4Values): { readonly mode?: number; readonly bits?: ModeBits } | null {
  const { mode, mode_umask, mode_set_masked } = values;
  if (mode !== undefined)
    return mode > ALL_MODE_BITS || mode_umask !== undefined || mode_set_masked !== undefined ? null : { mode };
  if (mode_umask !== undefined) {
    const { mu_mode, mu_umask } = mode_umask;
    return mu_mode > ALL_MODE_BITS || mu_umask > 0o777 ? null : { mode: mu_mode & ~mu_umask };
  }
  if (mode_set_masked === undefined) return {};
  const { mm_value_to_set: bits, mm_mask_bits: mask } = mode_set_masked;
  return bits > ALL_MODE_BITS || mask > ALL_MODE_BITS ? null : { bits: { bits, mask } };
}

/** A mode set by mode_umask is reported under both names. */
function union(mask: Bitmap): Bitmap {
  const mode = bitmapOf(FATTR4_MODE);
  return mask.map((word, i) => (word | (mode[i] ?? 0)) >>> 0);
}

function instantOf(time: settime4): Timestamp | "now" | null {
  if (time.set_it === SET_TO_SERVER_TIME4) return "now";
  const { seconds, nseconds } = time.time;
  return nseconds > 999_999_999 || !Number.isSafeInteger(seconds) ? null : { seconds, nanoseconds: nseconds };
}

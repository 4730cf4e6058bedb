/** From the attributes that a client sets to what file systems understand. */
import {
  type Bitmap,
  bitmapOf,
  decodeFattr4,
  FATTR4_MODE,
  FATTR4_MODE_UMASK,
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

export interface RequestedChanges {
  readonly changes: AttributeChanges;
  /** What the reply says was set. */
  readonly set: Bitmap;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Understands a fattr4, or says what is wrong with it. `creating`: for a new object, where mode_umask may stand (RFC 8275). */
export function requestedChanges(
  attributes: fattr4,
  minorVersion: number,
  creating: boolean,
): RequestedChanges | nfsstat4 {
  if (isEmpty(attributes.attrmask)) return { changes: {}, set: [] };
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
  if (values.mode !== undefined && values.mode_umask !== undefined) return NFS4ERR_INVAL;
  if (values.mode !== undefined) {
    if (values.mode > 0o7777) return NFS4ERR_INVAL;
    changes.mode = values.mode;
  }
  if (values.mode_umask !== undefined) {
    const { mu_mode, mu_umask } = values.mode_umask;
    if (mu_mode > 0o7777 || mu_umask > 0o777) return NFS4ERR_INVAL;
    changes.mode = mu_mode & ~mu_umask;
  }
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
  return { changes, set };
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

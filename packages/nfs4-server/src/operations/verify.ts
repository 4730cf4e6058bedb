/** VERIFY (RFC 8881 §18.30) and NVERIFY (§18.15): go on only if attributes are, or are not, as the client says. */
import {
  type Bitmap,
  decodeFattr4,
  encodeFattr4,
  type Fattr4Values,
  type fattr4,
  NFS4_OK,
  NFS4ERR_NOT_SAME,
  NFS4ERR_SAME,
  type NVERIFY4args,
  type nfsstat4,
  type VERIFY4args,
} from "@nfs4/protocol";
import { XdrWriter } from "@xdr-ts/xdr";
import { attributesOf } from "../attributes/collect.ts";
import { comparableStatus } from "../attributes/supported.ts";
import { type CompoundContext, needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { whenReady } from "../filesystem/chain.ts";
import type { Awaitable } from "../filesystem/types.ts";

/** NFS4ERR_SAME, NFS4ERR_NOT_SAME, or why they cannot be compared. */
function compare(context: CompoundContext, wanted: fattr4): Awaitable<nfsstat4> {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const status = comparableStatus(wanted.attrmask, context.minorVersion);
  if (status !== NFS4_OK) return status;
  const theirs = decodeFattr4(wanted);
  if (!theirs.ok) return theirs.status;
  return whenReady(attributesOf(context, current, wanted.attrmask), (ours): nfsstat4 => {
    if (typeof ours === "number") return ours;
    return equal(encoded(wanted.attrmask, ours), encoded(wanted.attrmask, theirs.values))
      ? NFS4ERR_SAME
      : NFS4ERR_NOT_SAME;
  });
}

function encoded(mask: Bitmap, values: Fattr4Values): Uint8Array {
  const writer = new XdrWriter();
  encodeFattr4(writer, mask, values);
  return writer.bytes();
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export const verify: Handler<VERIFY4args, never> = (context, { obj_attributes }) =>
  whenReady(compare(context, obj_attributes), (status) => (status === NFS4ERR_SAME ? NFS4_OK : status));

export const nverify: Handler<NVERIFY4args, never> = (context, { obj_attributes }) =>
  whenReady(compare(context, obj_attributes), (status) => (status === NFS4ERR_NOT_SAME ? NFS4_OK : status));

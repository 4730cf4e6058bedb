/** VERIFY (RFC 8881 §18.30) and NVERIFY (§18.15): go on only if attributes are, or are not, as the client says. */
import {
  encode_fattr4,
  encodeFattr4,
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
  return whenReady(attributesOf(context, current, wanted.attrmask), (values): nfsstat4 => {
    if (typeof values === "number") return values;
    const ours = new XdrWriter();
    encodeFattr4(ours, wanted.attrmask, values);
    const theirs = new XdrWriter();
    encode_fattr4(theirs, wanted);
    return equal(ours.bytes(), theirs.bytes()) ? NFS4ERR_SAME : NFS4ERR_NOT_SAME;
  });
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export const verify: Handler<VERIFY4args, never> = (context, { obj_attributes }) =>
  whenReady(compare(context, obj_attributes), (status) => (status === NFS4ERR_SAME ? NFS4_OK : status));

export const nverify: Handler<NVERIFY4args, never> = (context, { obj_attributes }) =>
  whenReady(compare(context, obj_attributes), (status) => (status === NFS4ERR_NOT_SAME ? NFS4_OK : status));

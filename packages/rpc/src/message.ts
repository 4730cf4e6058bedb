import type { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import {
  AcceptStat,
  AuthFlavor,
  AuthStat,
  MAX_AUTH_BYTES,
  MsgType,
  RejectStat,
  ReplyStat,
  RPC_VERSION,
} from "./constants.ts";

/** A credential or verifier on the wire (RFC 5531 §8.2). */
export interface OpaqueAuth {
  readonly flavor: number;
  /** At most 400 bytes. */
  readonly body: Uint8Array;
}

/**
 * The head of a call: `rpc_msg` with a `call_body` up to the arguments (RFC 5531 §9). Credential and verifier are places in the record, so
 * that reading a head allocates nothing; one object is filled again and again.
 */
export interface CallHeader {
  rpcVersion: number;
  program: number;
  version: number;
  procedure: number;
  credentialFlavor: number;
  /** Offset in the reader's bytes. */
  credentialOffset: number;
  credentialLength: number;
  verifierFlavor: number;
  verifierOffset: number;
  verifierLength: number;
}

export function newCallHeader(): CallHeader {
  return {
    rpcVersion: 0,
    program: 0,
    version: 0,
    procedure: 0,
    credentialFlavor: 0,
    credentialOffset: 0,
    credentialLength: 0,
    verifierFlavor: 0,
    verifierOffset: 0,
    verifierLength: 0,
  };
}

/** What can be wrong with the head of a message: it ends too early, is of another RPC version, or has more than 400 bytes of a credential. */
export type HeaderFault = "truncated" | "version" | "credential" | "verifier" | "garbage";

/** Reads a call's head from behind `xid` and `msg_type`, and leaves the reader at the arguments. Never throws. */
export function readCallHeader(reader: XdrReader, into: CallHeader): HeaderFault | null {
  if (reader.remaining < 4) return "truncated";
  into.rpcVersion = reader.uint32();
  // The rest of another version's call may look different.
  if (into.rpcVersion !== RPC_VERSION) return "version";
  if (reader.remaining < 20) return "truncated";
  into.program = reader.uint32();
  into.version = reader.uint32();
  into.procedure = reader.uint32();
  into.credentialFlavor = reader.uint32();
  into.credentialLength = reader.uint32();
  if (into.credentialLength > MAX_AUTH_BYTES) return "credential";
  into.credentialOffset = reader.offset;
  if (!skipOpaque(reader, into.credentialLength) || reader.remaining < 8) return "truncated";
  into.verifierFlavor = reader.uint32();
  into.verifierLength = reader.uint32();
  if (into.verifierLength > MAX_AUTH_BYTES) return "verifier";
  into.verifierOffset = reader.offset;
  return skipOpaque(reader, into.verifierLength) ? null : "truncated";
}

/** The head of a reply up to the results. `low` and `high` go with the two mismatches, `authStat` with AUTH_ERROR. */
export interface ReplyHeader {
  replyStat: number;
  verifierFlavor: number;
  verifierOffset: number;
  verifierLength: number;
  /** An `AcceptStat`, or with MSG_DENIED a `RejectStat`. */
  stat: number;
  low: number;
  high: number;
  authStat: number;
}

export function newReplyHeader(): ReplyHeader {
  return {
    replyStat: 0,
    verifierFlavor: 0,
    verifierOffset: 0,
    verifierLength: 0,
    stat: 0,
    low: 0,
    high: 0,
    authStat: 0,
  };
}

/** Reads a reply's head from behind `xid` and `msg_type`, and leaves the reader at the results. Never throws. */
export function readReplyHeader(reader: XdrReader, into: ReplyHeader): HeaderFault | null {
  if (reader.remaining < 8) return "truncated";
  into.replyStat = reader.uint32();
  if (into.replyStat === ReplyStat.MSG_ACCEPTED) return readAccepted(reader, into);
  if (into.replyStat !== ReplyStat.MSG_DENIED) return "garbage";
  into.stat = reader.uint32();
  if (into.stat === RejectStat.RPC_MISMATCH) return readRange(reader, into);
  if (into.stat !== RejectStat.AUTH_ERROR) return "garbage";
  if (reader.remaining < 4) return "truncated";
  into.authStat = reader.uint32();
  return null;
}

function readAccepted(reader: XdrReader, into: ReplyHeader): HeaderFault | null {
  if (reader.remaining < 8) return "truncated";
  into.verifierFlavor = reader.uint32();
  into.verifierLength = reader.uint32();
  if (into.verifierLength > MAX_AUTH_BYTES) return "verifier";
  into.verifierOffset = reader.offset;
  if (!skipOpaque(reader, into.verifierLength) || reader.remaining < 4) return "truncated";
  into.stat = reader.uint32();
  if (into.stat > AcceptStat.SYSTEM_ERR) return "garbage";
  return into.stat === AcceptStat.PROG_MISMATCH ? readRange(reader, into) : null;
}

function readRange(reader: XdrReader, into: ReplyHeader): HeaderFault | null {
  if (reader.remaining < 8) return "truncated";
  into.low = reader.uint32();
  into.high = reader.uint32();
  return null;
}

function skipOpaque(reader: XdrReader, length: number): boolean {
  const padded = (length + 3) & ~3;
  if (reader.remaining < padded) return false;
  reader.skip(padded);
  return true;
}

/** Writes a call's head up to its credential, which the flavor writes, and its verifier after it. */
export function writeCallHeader(
  writer: XdrWriter,
  xid: number,
  program: number,
  version: number,
  procedure: number,
): void {
  writer.uint32(xid);
  writer.uint32(MsgType.CALL);
  writer.uint32(RPC_VERSION);
  writer.uint32(program);
  writer.uint32(version);
  writer.uint32(procedure);
}

export function writeAuth(writer: XdrWriter, auth: OpaqueAuth): void {
  writer.uint32(auth.flavor);
  writer.opaque(auth.body, MAX_AUTH_BYTES);
}

/** Writes an accepted reply's head up to its results (for SUCCESS). `verifier` null is AUTH_NONE. */
export function writeAcceptedHeader(
  writer: XdrWriter,
  xid: number,
  verifier: OpaqueAuth | null,
  stat: AcceptStat,
): void {
  writer.uint32(xid);
  writer.uint32(MsgType.REPLY);
  writer.uint32(ReplyStat.MSG_ACCEPTED);
  if (verifier === null) {
    writer.uint32(AuthFlavor.AUTH_NONE);
    writer.uint32(0);
  } else {
    writeAuth(writer, verifier);
  }
  writer.uint32(stat);
}

/** PROG_MISMATCH, with the versions that are there. */
export function writeProgramMismatch(
  writer: XdrWriter,
  xid: number,
  verifier: OpaqueAuth | null,
  low: number,
  high: number,
): void {
  writeAcceptedHeader(writer, xid, verifier, AcceptStat.PROG_MISMATCH);
  writer.uint32(low);
  writer.uint32(high);
}

/** RPC_MISMATCH: we speak version 2 and no other. */
export function writeRpcMismatch(writer: XdrWriter, xid: number): void {
  writer.uint32(xid);
  writer.uint32(MsgType.REPLY);
  writer.uint32(ReplyStat.MSG_DENIED);
  writer.uint32(RejectStat.RPC_MISMATCH);
  writer.uint32(RPC_VERSION);
  writer.uint32(RPC_VERSION);
}

export function writeAuthError(writer: XdrWriter, xid: number, stat: AuthStat): void {
  writer.uint32(xid);
  writer.uint32(MsgType.REPLY);
  writer.uint32(ReplyStat.MSG_DENIED);
  writer.uint32(RejectStat.AUTH_ERROR);
  writer.uint32(stat === AuthStat.AUTH_OK ? AuthStat.AUTH_FAILED : stat);
}

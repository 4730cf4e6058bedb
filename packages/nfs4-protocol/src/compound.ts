import type { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import type { nfsstat4 } from "./generated/status.ts";

/*
 * What stands around the operations of COMPOUND and CB_COMPOUND (RFC 8881 §16.2 and §19.2, RFC 7530 §14.2 and §17.2). The operations
 * themselves are coded one by one: each is its number and then, by the tables, its arguments or result.
 */

/** The start of COMPOUND4args. */
export interface CompoundCall {
  /** For people; the reply repeats it. A view. */
  readonly tag: Uint8Array;
  readonly minorVersion: number;
  /** How many operations follow. */
  readonly count: number;
}

/** The start of CB_COMPOUND4args. */
export interface CallbackCompoundCall extends CompoundCall {
  /** From SETCLIENTID in 4.0, ignored since 4.1. */
  readonly callbackIdent: number;
}

/** The start of COMPOUND4res and of CB_COMPOUND4res. */
export interface CompoundReply {
  readonly status: nfsstat4;
  /** A view. */
  readonly tag: Uint8Array;
  /** How many results follow. */
  readonly count: number;
}

/** An operation is at least its number, a result that and a status. */
const MIN_CALL_BYTES = 4;
const MIN_RESULT_BYTES = 8;
const UNBOUNDED = 0xffff_ffff;

/**
 * Reads up to the first operation. A count that the bytes left cannot hold is an XdrError; how many are too many is for the caller to
 * say, after the minor version was looked at.
 */
export function decodeCompoundCall(reader: XdrReader): CompoundCall {
  const tag = reader.opaque();
  const minorVersion = reader.uint32();
  return { tag, minorVersion, count: reader.arrayLength(UNBOUNDED, MIN_CALL_BYTES) };
}

export function decodeCallbackCompoundCall(reader: XdrReader): CallbackCompoundCall {
  const tag = reader.opaque();
  const minorVersion = reader.uint32();
  const callbackIdent = reader.uint32();
  return { tag, minorVersion, callbackIdent, count: reader.arrayLength(UNBOUNDED, MIN_CALL_BYTES) };
}

/** Reads up to the first result. */
export function decodeCompoundReply(reader: XdrReader): CompoundReply {
  const status = reader.uint32() as nfsstat4;
  const tag = reader.opaque();
  return { status, tag, count: reader.arrayLength(UNBOUNDED, MIN_RESULT_BYTES) };
}

/** Writes up to the first operation and returns where the count stands, to be patched once it is known. */
export function beginCompoundCall(writer: XdrWriter, tag: Uint8Array, minorVersion: number): number {
  writer.opaque(tag);
  writer.uint32(minorVersion);
  return writer.reserve(4);
}

/** As `beginCompoundCall`, for CB_COMPOUND. */
export function beginCallbackCompoundCall(
  writer: XdrWriter,
  tag: Uint8Array,
  minorVersion: number,
  callbackIdent: number,
): number {
  writer.opaque(tag);
  writer.uint32(minorVersion);
  writer.uint32(callbackIdent);
  return writer.reserve(4);
}

/** Where in a reply the status and the count stand. */
export interface CompoundReplyPlaces {
  readonly status: number;
  readonly count: number;
}

/** Writes up to the first result, with room for status and count. */
export function beginCompoundReply(writer: XdrWriter, tag: Uint8Array): CompoundReplyPlaces {
  const status = writer.reserve(4);
  writer.opaque(tag);
  return { status, count: writer.reserve(4) };
}

/** Fills in the status, which is that of the last result, and the count. */
export function endCompoundReply(
  writer: XdrWriter,
  places: CompoundReplyPlaces,
  status: nfsstat4,
  count: number,
): void {
  writer.patchUint32(places.status, status);
  writer.patchUint32(places.count, count);
}

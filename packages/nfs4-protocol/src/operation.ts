import { codec_void, type XdrCodec, type XdrReader, type XdrWriter } from "@xdr-ts/xdr";
import { OP_ILLEGAL } from "./generated/opcodes.ts";
import type { nfsstat4 } from "./generated/status.ts";

/** The first and the last minor version that have an operation. */
export type MinorVersions = readonly [first: number, last: number];

/**
 * What is known about an operation before it runs. Its name is that of the RFC without OP_ ("READ", "CB_RECALL").
 *
 * Decoding throws XdrError; decoded opaque data are views into the reader's bytes.
 */
export interface Operation<Arguments = unknown, Result = unknown> {
  readonly number: number;
  readonly name: string;
  readonly minorVersions: MinorVersions;

  encodeArguments(writer: XdrWriter, value: Arguments): void;
  decodeArguments(reader: XdrReader): Arguments;
  /** A result begins with its status, whatever the field is called. */
  encodeResult(writer: XdrWriter, value: Result): void;
  decodeResult(reader: XdrReader): Result;
  /** Writes the result that says no more than a status other than NFS4_OK; RangeError where that status has a body. */
  encodeFailure(writer: XdrWriter, status: nfsstat4): void;

  /** Doing it again changes nothing more and gives the same answer. The others need a reply cache (RFC 8881 §2.10.6). */
  readonly idempotent: boolean;
  /** Without a current filehandle it is NFS4ERR_NOFILEHANDLE (RFC 8881 §16.2.3.1.1). */
  readonly needsFilehandle: boolean;
  /** It works on the saved filehandle, too. */
  readonly needsSavedFilehandle: boolean;
  /** Its arguments have a stateid, which may be the special one that stands for the current one (RFC 8881 §16.2.3.1.2). */
  readonly takesStateid: boolean;
  /** On success there is another current filehandle. */
  readonly setsFilehandle: boolean;
  /** On success the stateid of the result, if there is one, becomes the current one. */
  readonly setsStateid: boolean;
}

/** Operations by name, from a map of names to the types of arguments and result. */
export type OperationTable<Types extends { [Name in keyof Types]: readonly [unknown, unknown] }> = {
  readonly [Name in keyof Types]: Operation<Types[Name][0], Types[Name][1]>;
};

/** For operations that take nothing. */
export const NO_ARGUMENTS: XdrCodec<undefined> = { ...codec_void, decode: () => undefined };

/* Traits, for rows of a table. */
export const IDEMPOTENT = 0x01;
export const FH = 0x02;
export const SAVED_FH = 0x04;
export const STATEID = 0x08;
export const NEW_FH = 0x10;
export const NEW_STATEID = 0x20;
/** After any status a bitmap follows: SETATTR's. */
export const BITMAP_FOLLOWS = 0x40;

/** A row of a table: an operation that does not know its name and number yet. */
export interface Row<Arguments, Result> {
  readonly minorVersions: MinorVersions;
  readonly traits: number;
  readonly argument: XdrCodec<Arguments>;
  readonly result: XdrCodec<Result>;
  /** Statuses other than NFS4_OK after which the result goes on. */
  readonly withBody: readonly nfsstat4[];
}

export type RowTable<Types extends { [Name in keyof Types]: readonly [unknown, unknown] }> = {
  readonly [Name in keyof Types]: Row<Types[Name][0], Types[Name][1]>;
};

export function row<Arguments, Result>(
  minorVersions: MinorVersions,
  traits: number,
  argument: XdrCodec<Arguments>,
  result: XdrCodec<Result>,
  ...withBody: readonly nfsstat4[]
): Row<Arguments, Result> {
  return { minorVersions, traits, argument, result, withBody };
}

function defineOperation<Arguments, Result>(
  name: string,
  number: number,
  { minorVersions, traits, argument, result, withBody }: Row<Arguments, Result>,
): Operation<Arguments, Result> {
  const bitmapFollows = (traits & BITMAP_FOLLOWS) !== 0;
  return {
    number,
    name,
    minorVersions,
    encodeArguments: argument.encode,
    decodeArguments: argument.decode,
    encodeResult: result.encode,
    decodeResult: result.decode,
    encodeFailure(writer, status) {
      if (status === 0 || withBody.includes(status)) throw new RangeError(`after status ${status}, ${name} has a body`);
      writer.uint32(status);
      if (bitmapFollows) writer.uint32(0);
    },
    idempotent: (traits & IDEMPOTENT) !== 0,
    needsFilehandle: (traits & FH) !== 0,
    needsSavedFilehandle: (traits & SAVED_FH) !== 0,
    takesStateid: (traits & STATEID) !== 0,
    setsFilehandle: (traits & NEW_FH) !== 0,
    setsStateid: (traits & NEW_STATEID) !== 0,
  };
}

/** Gives the rows their names and numbers. */
export function defineOperations<Types extends { [Name in keyof Types]: readonly [unknown, unknown] }>(
  rows: RowTable<Types>,
  numberOf: (name: keyof Types & string) => number,
): OperationTable<Types> {
  const operations: { [Name in keyof Types]?: Operation<Types[Name][0], Types[Name][1]> } = {};
  for (const name of Object.keys(rows) as (keyof Types & string)[]) {
    operations[name] = defineOperation(name, numberOf(name), rows[name]);
  }
  return operations as OperationTable<Types>;
}

/** The operations at the places of their numbers, without the one that stands for all illegal numbers. */
export function indexByNumber<Types extends { [Name in keyof Types]: readonly [unknown, unknown] }>(
  operations: OperationTable<Types>,
): readonly (Operation | undefined)[] {
  const index: (Operation | undefined)[] = [];
  for (const operation of Object.values(operations) as Operation[]) {
    if (operation.number !== OP_ILLEGAL) index[operation.number] = operation;
  }
  return Array.from(index);
}

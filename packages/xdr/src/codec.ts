import { XdrError } from "./errors.ts";
import { locate } from "./locate.ts";
import { XdrReader } from "./reader.ts";
import type { XdrSchema } from "./schema.ts";
import { XdrWriter } from "./writer.ts";

/** How one type is written and read. Generated modules have a `codec_X` for every type X. */
export interface XdrCodec<T> {
  readonly name: string;
  /** Where `name` is described; it serves to name the field in errors. */
  readonly schema: XdrSchema;
  encode(writer: XdrWriter, value: T): void;
  decode(reader: XdrReader): T;
}

/** One procedure of a generated program table. Where it takes or gives nothing stands `codec_void`. */
export interface XdrProcedure<Argument = unknown, Result = unknown> {
  readonly name: string;
  readonly number: number;
  readonly argument: XdrCodec<Argument>;
  readonly result: XdrCodec<Result>;
}

/** The codec of `void`, which takes no bytes. */
export const codec_void: XdrCodec<void> = {
  name: "void",
  schema: { imports: () => [], types: { void: "void" } },
  encode: () => {},
  decode: () => {},
};

/** Reads a value; other than `codec.decode` it gives an XdrError its path. */
export function decodeValue<T>(codec: XdrCodec<T>, reader: XdrReader): T {
  const start = reader.offset;
  try {
    return codec.decode(reader);
  } catch (error) {
    if (error instanceof XdrError) {
      error.path = locate(codec.schema, codec.name, reader.bytes.subarray(0, reader.end), start, error.offset);
    }
    throw error;
  }
}

/** Writes a value; other than `codec.encode` it gives an XdrError its path. The writer is left where the error found it. */
export function encodeValue<T>(codec: XdrCodec<T>, writer: XdrWriter, value: T): void {
  const start = writer.position;
  try {
    codec.encode(writer, value);
  } catch (error) {
    if (error instanceof XdrError) {
      error.path = locate(codec.schema, codec.name, writer.bytes().subarray(0, writer.position), start, error.offset);
    }
    throw error;
  }
}

/** The whole of `bytes` as one value, opaque data as views into it. Throws XdrError, also where bytes are left. */
export function fromBytes<T>(codec: XdrCodec<T>, bytes: Uint8Array): T {
  const reader = new XdrReader(bytes);
  const value = decodeValue(codec, reader);
  reader.expectEnd();
  return value;
}

/** `value` as a message of its own, owned by the caller. Throws XdrError where the value does not fit its type. */
export function toBytes<T>(codec: XdrCodec<T>, value: T): Uint8Array {
  const writer = new XdrWriter({ chunkSize: 512 });
  encodeValue(codec, writer, value);
  return writer.bytes();
}

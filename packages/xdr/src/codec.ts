import { XdrReader } from "./reader.ts";
import { XdrWriter } from "./writer.ts";

/** How one type is written and read. Generated modules have a `codec_X` for every type X. */
export interface XdrCodec<T> {
  readonly name: string;
  encode(writer: XdrWriter, value: T): void;
  decode(reader: XdrReader): T;
}

/** One procedure of a generated program table. `void` stands as a codec that takes no bytes. */
export interface XdrProcedure<Argument = unknown, Result = unknown> {
  readonly name: string;
  readonly number: number;
  readonly argument: XdrCodec<Argument>;
  readonly result: XdrCodec<Result>;
}

/** The codec of `void`. */
export const codec_void: XdrCodec<void> = { name: "void", encode: () => {}, decode: () => {} };

/** The whole of `bytes` as one value, opaque data as views into it. Throws XdrError, also where bytes are left. */
export function fromBytes<T>(codec: XdrCodec<T>, bytes: Uint8Array): T {
  const reader = new XdrReader(bytes);
  const value = codec.decode(reader);
  reader.expectEnd();
  return value;
}

/** `value` as a message of its own, owned by the caller. Throws XdrError where the value does not fit its type. */
export function toBytes<T>(codec: XdrCodec<T>, value: T): Uint8Array {
  const writer = new XdrWriter({ chunkSize: 512 });
  codec.encode(writer, value);
  return writer.bytes();
}

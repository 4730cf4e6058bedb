export {
  codec_void,
  decodeValue,
  encodeValue,
  fromBytes,
  toBytes,
  type XdrCodec,
  type XdrProcedure,
} from "./codec.ts";
export { XdrError, XdrErrorCode } from "./errors.ts";
export { locate } from "./locate.ts";
export { type RandomMessageOptions, randomMessage } from "./random-message.ts";
export { XdrReader, type XdrReaderOptions } from "./reader.ts";
export { findType, type XdrSchema, type XdrSchemaField, type XdrSchemaType } from "./schema.ts";
export {
  compareUint64,
  equalUint64,
  SATURATED_NUMBER,
  UINT64_MAX,
  UINT64_ZERO,
  type Uint64Pair,
  uint64FromBigint,
  uint64FromNumber,
  uint64ToBigint,
  uint64ToNumber,
} from "./uint64.ts";
export type { UnlistedValue } from "./unlisted.ts";
export { XdrWriter, type XdrWriterOptions } from "./writer.ts";

import { XdrReader } from "@xdr-ts/xdr";

/** A reader of a copy of what is left, for views that are to live on. */
export function whole(reader: XdrReader): XdrReader {
  const { bytes, offset, remaining } = reader;
  reader.skip(remaining - (remaining % 4));
  return new XdrReader(bytes.slice(offset, offset + remaining));
}

import { invalidType } from "./argument-errors.ts";

/** What can be written: as Node takes it. */
export type Data =
  | string
  | ArrayBufferView
  | Iterable<string | ArrayBufferView>
  | AsyncIterable<string | ArrayBufferView>;
export type Encoding = BufferEncoding;

export interface FileOptionsObject {
  readonly encoding?: Encoding | null | undefined;
  readonly mode?: number | string | undefined;
  readonly flag?: string | number | undefined;
  /** Makes the data stable before it resolves. */
  readonly flush?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type FileOptions = Encoding | null | undefined | FileOptionsObject;

export function optionsOf(options: FileOptions): FileOptionsObject {
  return typeof options === "object" && options !== null ? options : { encoding: options };
}

export function bytesOf(data: string | ArrayBufferView, encoding: Encoding | null | undefined): Uint8Array {
  if (typeof data === "string") return Buffer.from(data, encoding ?? "utf8");
  if (!ArrayBuffer.isView(data))
    throw invalidType("data", "of type string or an instance of Buffer, TypedArray, or DataView", data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export function textOrBytes(bytes: Uint8Array, encoding: Encoding | "buffer" | null | undefined): string | Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return encoding === null || encoding === undefined || encoding === "buffer" ? buffer : buffer.toString(encoding);
}

/** Whether pieces of data come one after another. */
export function isSequence(data: Data): data is Exclude<Data, string | ArrayBufferView> {
  return (
    typeof data === "object" &&
    data !== null &&
    !ArrayBuffer.isView(data) &&
    (Symbol.iterator in data || Symbol.asyncIterator in data)
  );
}

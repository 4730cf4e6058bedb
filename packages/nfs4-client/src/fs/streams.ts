import { Readable, Writable } from "node:stream";
import type { Encoding } from "./data.ts";
import type { FileHandle } from "./file-handle.ts";

const CHUNK = 64 * 1024;

export interface ReadStreamOptions {
  readonly encoding?: Encoding | null;
  readonly autoClose?: boolean;
  readonly emitClose?: boolean;
  /** First and last byte, the last one included. */
  readonly start?: number;
  readonly end?: number;
  readonly highWaterMark?: number;
  readonly signal?: AbortSignal;
}

export interface WriteStreamOptions {
  readonly encoding?: Encoding | null;
  readonly autoClose?: boolean;
  readonly emitClose?: boolean;
  readonly start?: number;
  readonly highWaterMark?: number;
  /** Makes the data stable before it is closed. */
  readonly flush?: boolean;
  readonly signal?: AbortSignal;
}

/** As `FileHandle.createReadStream`. */
export function readStream(
  handle: FileHandle | Promise<FileHandle>,
  path: string,
  options: ReadStreamOptions,
): Readable & { readonly path: string; bytesRead: number } {
  const { start, end = Number.POSITIVE_INFINITY, highWaterMark = CHUNK, autoClose = true } = options;
  let position = start ?? null;
  let left = end - (start ?? 0) + 1;
  const stream = new Readable({
    highWaterMark,
    emitClose: options.emitClose ?? true,
    autoDestroy: autoClose,
    ...(options.encoding === undefined || options.encoding === null ? {} : { encoding: options.encoding }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    read(size) {
      void pull(Math.min(size, left)).then(
        (chunk) => this.push(chunk),
        (error: Error) => this.destroy(error),
      );
    },
    destroy: (error, done) => closeAfter(handle, autoClose, error, done),
  });
  const pull = async (size: number): Promise<Buffer | null> => {
    if (size <= 0) return null;
    const opened = await handle;
    const { bytesRead, buffer } = await opened.read(Buffer.allocUnsafe(size), 0, size, position);
    if (position !== null) position += bytesRead;
    left -= bytesRead;
    extended.bytesRead += bytesRead;
    return bytesRead === 0 ? null : buffer.subarray(0, bytesRead);
  };
  const extended = Object.assign(stream, { path, bytesRead: 0 });
  return extended;
}

/** As `FileHandle.createWriteStream`. */
export function writeStream(
  handle: FileHandle | Promise<FileHandle>,
  path: string,
  options: WriteStreamOptions,
): Writable & { readonly path: string; bytesWritten: number } {
  const { start, highWaterMark = CHUNK, autoClose = true } = options;
  let position = start ?? null;
  const write = async (bytes: Uint8Array): Promise<void> => {
    const opened = await handle;
    const { bytesWritten } = await opened.write(bytes, 0, bytes.length, position);
    if (position !== null) position += bytesWritten;
    extended.bytesWritten += bytesWritten;
  };
  const stream = new Writable({
    highWaterMark,
    emitClose: options.emitClose ?? true,
    autoDestroy: autoClose,
    defaultEncoding: options.encoding ?? "utf8",
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    write(chunk: Buffer, _encoding, done) {
      write(chunk).then(() => done(), done);
    },
    writev(chunks: { readonly chunk: Buffer }[], done) {
      write(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => done(), done);
    },
    final(done) {
      const flush = async (): Promise<void> => {
        if (options.flush === true) await (await handle).sync();
      };
      flush().then(() => done(), done);
    },
    destroy: (error, done) => closeAfter(handle, autoClose, error, done),
  });
  const extended = Object.assign(stream, { path, bytesWritten: 0 });
  return extended;
}

/** A stream is destroyed: closes its file, if that is the stream's to do, and tells of the first thing that went wrong. */
function closeAfter(
  handle: FileHandle | Promise<FileHandle>,
  autoClose: boolean,
  error: Error | null,
  done: (error: Error | null) => void,
): void {
  if (!autoClose) {
    done(error);
    return;
  }
  const closed = Promise.resolve(handle).then((opened) => opened.close());
  closed.then(
    () => done(error),
    (failure: Error) => done(error ?? failure),
  );
}

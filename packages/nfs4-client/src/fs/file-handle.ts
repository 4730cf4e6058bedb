import { EventEmitter } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { bitmapOf, FATTR4_SIZE, type Fattr4Values } from "@nfs4/protocol";
import type { DateObject } from "../adapters/date.ts";
import type { RunOptions } from "../client.ts";
import { NfsError } from "../errors.ts";
import type { Mount } from "../mount.ts";
import { Compound } from "../protocol/compound.ts";
import type { OpenFile } from "../state/open-file.ts";
import { fileClosed, outOfRange } from "./argument-errors.ts";
import { bytesOf, type Data, type Encoding, type FileOptions, isSequence, optionsOf, textOrBytes } from "./data.ts";
import type { OpenMode } from "./flags.ts";
import { attributesOf } from "./resolver.ts";
import { type BigIntStats, STAT_ATTRIBUTES, type StatOptions, type Stats, statsOf } from "./stats.ts";
import { type ReadStreamOptions, readStream, type WriteStreamOptions, writeStream } from "./streams.ts";
import { ownersOf, timesOf } from "./times.ts";
import { Transfer } from "./transfer.ts";

const SIZE = bitmapOf(FATTR4_SIZE);

export interface ReadResult<T extends ArrayBufferView> {
  readonly bytesRead: number;
  readonly buffer: T;
}

export interface WriteResult<T> {
  readonly bytesWritten: number;
  readonly buffer: T;
}

export interface ReadOptions<T extends ArrayBufferView> {
  readonly buffer?: T;
  readonly offset?: number | null;
  readonly length?: number | null;
  readonly position?: number | bigint | null;
}

/** As `fs.promises.FileHandle`. */
export class FileHandle extends EventEmitter implements AsyncDisposable {
  /** For those who look whether there is one; it is no descriptor of this process. */
  readonly fd: number;
  readonly #mount: Mount;
  readonly #file: OpenFile;
  readonly #mode: OpenMode;
  readonly #path: string;
  readonly #transfer: Transfer;
  #position = 0;
  #closing: Promise<void> | null = null;
  /** Writes at the end of the file go one after another. */
  #appending: Promise<unknown> = Promise.resolve();

  constructor(mount: Mount, file: OpenFile, mode: OpenMode, path: string, number: number) {
    super();
    this.#mount = mount;
    this.#file = file;
    this.#mode = mode;
    this.#path = path;
    this.#transfer = new Transfer(mount, file);
    this.fd = number;
  }

  /** The open of NFS behind it: for locks and whoever needs the protocol. */
  get openFile(): OpenFile {
    return this.#file;
  }

  // ——— Reading ———

  read<T extends ArrayBufferView = Buffer>(options?: ReadOptions<T>): Promise<ReadResult<T>>;
  read<T extends ArrayBufferView>(
    buffer: T,
    offset?: number | null,
    length?: number | null,
    position?: number | bigint | null,
  ): Promise<ReadResult<T>>;
  read<T extends ArrayBufferView>(buffer: T, options?: ReadOptions<T>): Promise<ReadResult<T>>;
  async read<T extends ArrayBufferView>(
    first?: T | ReadOptions<T>,
    second?: number | null | ReadOptions<T>,
    length?: number | null,
    position?: number | bigint | null,
  ): Promise<ReadResult<T>> {
    const request = readRequest(first, second, length, position);
    const at = request.position ?? this.#position;
    const bytesRead = await this.#read(request.bytes, at);
    if (request.position === null) this.#position = at + bytesRead;
    return { bytesRead, buffer: request.buffer };
  }

  async readv<T extends readonly ArrayBufferView[]>(
    buffers: T,
    position?: number | null,
  ): Promise<{ readonly bytesRead: number; readonly buffers: T }> {
    let at = typeof position === "number" ? position : this.#position;
    let bytesRead = 0;
    for (const buffer of buffers) {
      const bytes = viewOf(buffer);
      const count = await this.#read(bytes, at);
      bytesRead += count;
      at += count;
      if (count < bytes.length) break;
    }
    if (typeof position !== "number") this.#position = at;
    return { bytesRead, buffers };
  }

  /** From the current position to the end. */
  async readFile(options?: { readonly encoding?: null; readonly signal?: AbortSignal } | null): Promise<Buffer>;
  async readFile(options: Encoding | { readonly encoding: Encoding; readonly signal?: AbortSignal }): Promise<string>;
  async readFile(options?: FileOptions): Promise<string | Buffer> {
    const { encoding, signal } = optionsOf(options);
    const chunks: Uint8Array[] = [];
    const { size } = await this.stat();
    let wanted = Math.max(size - this.#position, 0) + 1;
    for (;;) {
      const chunk = new Uint8Array(Math.max(wanted, 1));
      const count = await this.#read(chunk, this.#position, { signal });
      this.#position += count;
      chunks.push(chunk.subarray(0, count));
      if (count < chunk.length) break;
      // It has grown.
      wanted = this.#mount.traits.maxRead;
    }
    return textOrBytes(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), encoding);
  }

  // ——— Writing ———

  write<T extends ArrayBufferView>(
    buffer: T,
    offset?: number | null | { readonly offset?: number; readonly length?: number; readonly position?: number | null },
    length?: number | null,
    position?: number | null,
  ): Promise<WriteResult<T>>;
  write(data: string, position?: number | null, encoding?: Encoding | null): Promise<WriteResult<string>>;
  async write(
    data: ArrayBufferView | string,
    second?: number | null | { readonly offset?: number; readonly length?: number; readonly position?: number | null },
    third?: number | Encoding | null,
    fourth?: number | null,
  ): Promise<WriteResult<ArrayBufferView | string>> {
    let bytes: Uint8Array;
    let position: number | null | undefined;
    if (typeof data === "string") {
      bytes = bytesOf(data, third as Encoding);
      position = second as number | null | undefined;
    } else {
      const at = typeof second === "object" && second !== null ? second : undefined;
      const offset = (at === undefined ? (second as number | null | undefined) : at.offset) ?? 0;
      const all = viewOf(data);
      const length = (at === undefined ? (third as number | null | undefined) : at.length) ?? all.length - offset;
      position = at === undefined ? fourth : at.position;
      bytes = part(all, offset, length);
    }
    await this.#write(bytes, typeof position === "number" ? position : null);
    return { bytesWritten: bytes.length, buffer: data };
  }

  async writev<T extends readonly ArrayBufferView[]>(
    buffers: T,
    position?: number | null,
  ): Promise<{ readonly bytesWritten: number; readonly buffers: T }> {
    const bytes = Buffer.concat(buffers.map(viewOf));
    await this.#write(bytes, position ?? null);
    return { bytesWritten: bytes.length, buffers };
  }

  /** From the current position on, without cutting off what is behind. */
  async writeFile(data: Data, options?: FileOptions): Promise<void> {
    const { encoding, signal } = optionsOf(options);
    if (!isSequence(data)) {
      await this.#write(bytesOf(data, encoding), null, { signal });
      return;
    }
    for await (const chunk of data) await this.#write(bytesOf(chunk, encoding), null, { signal });
  }

  appendFile(data: Data, options?: FileOptions): Promise<void> {
    return this.writeFile(data, options);
  }

  async truncate(length = 0): Promise<void> {
    await this.#setAttributes({ size: BigInt(Math.max(0, length)) }, "ftruncate");
  }

  /** Resolves when everything written is on stable storage. */
  async sync(): Promise<void> {
    await this.#transfer.commit(this.#context("fsync"));
  }

  async datasync(): Promise<void> {
    await this.#transfer.commit(this.#context("fdatasync"));
  }

  // ——— Attributes ———

  stat(options?: StatOptions & { readonly bigint?: false }): Promise<Stats>;
  stat(options: StatOptions & { readonly bigint: true }): Promise<BigIntStats>;
  stat(options?: StatOptions): Promise<Stats | BigIntStats>;
  async stat(options?: StatOptions): Promise<Stats | BigIntStats> {
    const context = this.#context("fstat");
    const compound = new Compound("fstat").putFh(() => this.#file.handle);
    const step = compound.getAttributes(STAT_ATTRIBUTES);
    await this.#mount.client.run(compound, { ...context, file: this.#file });
    return statsOf(attributesOf(step), options);
  }

  async chmod(mode: number): Promise<void> {
    await this.#setAttributes({ mode: mode & 0o7777 }, "fchmod");
  }

  async chown(uid: number, gid: number): Promise<void> {
    await this.#setAttributes(ownersOf(uid, gid), "fchown");
  }

  async utimes(atime: number | string | DateObject, mtime: number | string | DateObject): Promise<void> {
    await this.#setAttributes(timesOf(atime, mtime), "futimes");
  }

  async #setAttributes(values: Fattr4Values, syscall: string): Promise<void> {
    const compound = new Compound(syscall).putFh(() => this.#file.handle);
    compound.setAttributes(values, () => this.#file.ioStateid);
    await this.#mount.client.run(compound, { ...this.#context(syscall), file: this.#file });
  }

  // ——— Streams ———

  createReadStream(options: ReadStreamOptions = {}): Readable {
    return readStream(this, this.#path, options);
  }

  createWriteStream(options: WriteStreamOptions = {}): Writable {
    return writeStream(this, this.#path, options);
  }

  readLines(options: ReadStreamOptions = {}): Interface {
    return createInterface({ input: this.createReadStream(options), crlfDelay: Number.POSITIVE_INFINITY });
  }

  readableWebStream(): ReadableStream<Uint8Array> {
    const handle = this;
    return new ReadableStream({
      async pull(controller) {
        const { bytesRead, buffer } = await handle.read({ buffer: new Uint8Array(handle.#mount.traits.maxRead) });
        if (bytesRead === 0) controller.close();
        else controller.enqueue(buffer.subarray(0, bytesRead));
      },
    });
  }

  // ——— Ending ———

  /** Makes stable what was written, and closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const context = { syscall: "close" };
    try {
      await this.#transfer.commit(context);
    } finally {
      await this.#mount.client.close(this.#file, context);
      this.emit("close");
    }
  }

  // ——— Positions ———

  async #read(bytes: Uint8Array, position: number, options: RunOptions = {}): Promise<number> {
    const context = this.#context("read");
    if (!this.#mode.reads) throw new NfsError("EBADF", "bad file descriptor", context);
    if (bytes.length === 0) return 0;
    return this.#transfer.read(bytes, position, { ...options, ...context });
  }

  /** Null: at the current position, or at the end of a file that is open for appending. */
  async #write(bytes: Uint8Array, position: number | null, options: RunOptions = {}): Promise<void> {
    const context = { ...options, ...this.#context("write") };
    if (!this.#mode.writes) throw new NfsError("EBADF", "bad file descriptor", context);
    if (this.#mode.appends) {
      // Without an operation of NFS for it: where the end is now.
      const append = this.#appending.then(async () => {
        const end = await this.#size();
        await this.#transfer.write(bytes, end, this.#mode.synchronous, context);
        this.#position = end + bytes.length;
      });
      this.#appending = append.catch(() => undefined);
      await append;
      return;
    }
    const at = position ?? this.#position;
    if (position === null) this.#position = at + bytes.length;
    await this.#transfer.write(bytes, at, this.#mode.synchronous, context);
  }

  async #size(): Promise<number> {
    const compound = new Compound("size").putFh(() => this.#file.handle);
    const step = compound.getAttributes(SIZE);
    await this.#mount.client.run(compound, { ...this.#context("write"), file: this.#file });
    return Number(attributesOf(step).size ?? 0n);
  }

  #context(syscall: string): { readonly syscall: string } {
    if (this.#closing !== null) throw fileClosed(syscall);
    return { syscall };
  }
}

interface ReadRequest<T> {
  readonly buffer: T;
  readonly bytes: Uint8Array;
  /** Null: the current one. */
  readonly position: number | null;
}

function readRequest<T extends ArrayBufferView>(
  first: T | ReadOptions<T> | undefined,
  second: number | null | ReadOptions<T> | undefined,
  third: number | null | undefined,
  fourth: number | bigint | null | undefined,
): ReadRequest<T> {
  const isView = ArrayBuffer.isView(first);
  const options: ReadOptions<T> | undefined = isView
    ? typeof second === "object" && second !== null
      ? second
      : undefined
    : (first ?? {});
  const buffer = isView ? first : (options?.buffer ?? (Buffer.alloc(16_384) as unknown as T));
  const all = viewOf(buffer);
  const offset = (options === undefined ? (second as number | null | undefined) : options.offset) ?? 0;
  const length = (options === undefined ? third : options.length) ?? all.length - offset;
  const position = options === undefined ? fourth : options.position;
  const isGiven = (typeof position === "number" && position >= 0) || typeof position === "bigint";
  return { buffer, bytes: part(all, offset, length), position: isGiven ? Number(position) : null };
}

function viewOf(buffer: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function part(all: Uint8Array, offset: number, length: number): Uint8Array {
  if (!Number.isInteger(offset) || offset < 0 || offset > all.length)
    throw outOfRange("offset", `>= 0 && <= ${all.length}`, offset);
  const most = all.length - offset;
  if (!Number.isInteger(length) || length < 0) throw outOfRange("length", `>= 0`, length);
  if (length > most) throw outOfRange("length", `<= ${most}`, length);
  return all.subarray(offset, offset + length);
}

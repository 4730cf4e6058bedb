import type { constants, ReadStream, WriteStream } from "node:fs";
import type { CallOptions } from "./call-options.ts";
import type { Callback, CallbackMethod } from "./callback.ts";
import type { Data, Encoding, FileOptions, FileOptionsObject } from "./data.ts";
import type { Descriptors } from "./descriptors.ts";
import type { Dirent } from "./dirent.ts";
import type { ReadOptions } from "./file-handle.ts";
import type { GlobOptions } from "./glob.ts";
import type { NfsPromises, ReadDirOptions } from "./nfs-promises.ts";
import type { PathLike } from "./path.ts";
import type { BigIntStats, StatOptions, Stats } from "./stats.ts";
import type { ReadStreamOptions, WriteStreamOptions } from "./streams.ts";
import type { WatchFunction } from "./watcher.ts";

/** Methods of the promises' face that only get a callback. */
export type PlainMethod =
  | "access"
  | "chmod"
  | "chown"
  | "copyFile"
  | "cp"
  | "lchown"
  | "link"
  | "lutimes"
  | "mkdir"
  | "mkdtemp"
  | "opendir"
  | "readlink"
  | "rename"
  | "rm"
  | "rmdir"
  | "statfs"
  | "symlink"
  | "truncate"
  | "unlink"
  | "utimes";

type Plain = { readonly [Name in PlainMethod]: CallbackMethod<NfsPromises[Name]> };

interface StatMethod<Of> {
  (of: Of, callback: Callback<Stats>): void;
  (of: Of, options: StatOptions & CallOptions & { readonly bigint: true }, callback: Callback<BigIntStats>): void;
  (of: Of, options: (StatOptions & CallOptions) | undefined, callback: Callback<Stats>): void;
}

interface ReadFile {
  (path: PathLike | number, callback: Callback<Buffer>): void;
  (
    path: PathLike | number,
    options: Encoding | (FileOptionsObject & { readonly encoding: Encoding }),
    callback: Callback<string>,
  ): void;
  (path: PathLike | number, options: FileOptions, callback: Callback<Buffer>): void;
}

interface ReadDir {
  (path: PathLike, callback: Callback<string[]>): void;
  (path: PathLike, options: ReadDirOptions & { readonly withFileTypes: true }, callback: Callback<Dirent[]>): void;
  (path: PathLike, options: Encoding | ReadDirOptions | null | undefined, callback: Callback<string[]>): void;
}

interface GlobMethod {
  (pattern: string | readonly string[], callback: Callback<string[]>): void;
  (
    pattern: string | readonly string[],
    options: GlobOptions & { readonly withFileTypes: true },
    callback: Callback<Dirent[]>,
  ): void;
  (pattern: string | readonly string[], options: GlobOptions | undefined, callback: Callback<string[]>): void;
}

type WriteFile = (
  path: PathLike | number,
  data: Data,
  ...rest: [callback: Callback<void>] | [options: FileOptions, callback: Callback<void>]
) => void;

type Open = (
  path: PathLike,
  ...rest:
    | [callback: Callback<number>]
    | [flags: string | number | undefined, callback: Callback<number>]
    | [flags: string | number | undefined, mode: number | string | undefined, callback: Callback<number>]
) => void;

/** After bytes were moved: how many, and in what. */
type Moved<T> = (error: NodeJS.ErrnoException | null, bytes: number, data: T) => void;

interface Read {
  (fd: number, callback: Moved<Buffer>): void;
  <T extends ArrayBufferView>(fd: number, options: ReadOptions<T>, callback: Moved<T>): void;
  <T extends ArrayBufferView>(fd: number, buffer: T, options: ReadOptions<T>, callback: Moved<T>): void;
  <T extends ArrayBufferView>(
    fd: number,
    buffer: T,
    offset: number,
    length: number,
    position: Maybe<number | bigint>,
    callback: Moved<T>,
  ): void;
}

type Maybe<T> = T | null | undefined;

interface Write {
  <T extends ArrayBufferView>(
    fd: number,
    buffer: T,
    ...rest:
      | [callback: Moved<T>]
      | [offset: Maybe<number>, callback: Moved<T>]
      | [offset: Maybe<number>, length: Maybe<number>, callback: Moved<T>]
      | [offset: Maybe<number>, length: Maybe<number>, position: Maybe<number>, callback: Moved<T>]
  ): void;
  (
    fd: number,
    text: string,
    ...rest:
      | [callback: Moved<string>]
      | [position: Maybe<number>, callback: Moved<string>]
      | [position: Maybe<number>, encoding: Maybe<Encoding>, callback: Moved<string>]
  ): void;
}

type Vector = (
  fd: number,
  buffers: readonly ArrayBufferView[],
  ...rest:
    | [callback: Moved<readonly ArrayBufferView[]>]
    | [position: Maybe<number>, callback: Moved<readonly ArrayBufferView[]>]
) => void;

export type FileReadStreamOptions = ReadStreamOptions & { readonly flags?: string; readonly fd?: number };
export type FileWriteStreamOptions = WriteStreamOptions & {
  readonly flags?: string;
  readonly mode?: number;
  readonly fd?: number;
};

/**
 * An export shaped as `node:fs`: for libraries that take an `fs`. Its functions need no `this`. There are none that are synchronous, nor could there be. Descriptors are numbers of its
 * own. A mistake of the caller reaches the callback, where Node throws.
 */
export interface NfsCallbacks extends Plain {
  readonly promises: NfsPromises;
  readonly constants: typeof constants;
  readonly Stats: typeof Stats;
  readonly Dirent: typeof Dirent;
  readonly F_OK: number;
  readonly R_OK: number;
  readonly W_OK: number;
  readonly X_OK: number;
  readonly stat: StatMethod<PathLike>;
  readonly lstat: StatMethod<PathLike>;
  readonly readFile: ReadFile;
  readonly writeFile: WriteFile;
  readonly appendFile: WriteFile;
  readonly readdir: ReadDir;
  readonly glob: GlobMethod;
  readonly watch: WatchFunction;
  readonly realpath: CallbackMethod<NfsPromises["realpath"]> & {
    readonly native: CallbackMethod<NfsPromises["realpath"]>;
  };
  readonly exists: (path: PathLike, callback: (exists: boolean) => void) => void;
  readonly open: Open;
  readonly close: (fd: number, callback?: Callback<void>) => void;
  readonly read: Read;
  readonly write: Write;
  readonly readv: Vector;
  readonly writev: Vector;
  readonly fstat: StatMethod<number>;
  readonly fchmod: CallbackMethod<Descriptors["chmod"]>;
  readonly fchown: CallbackMethod<Descriptors["chown"]>;
  readonly futimes: CallbackMethod<Descriptors["utimes"]>;
  readonly ftruncate: CallbackMethod<Descriptors["truncate"]>;
  readonly fsync: CallbackMethod<Descriptors["sync"]>;
  readonly fdatasync: CallbackMethod<Descriptors["datasync"]>;
  readonly createReadStream: (path: PathLike, options?: Encoding | FileReadStreamOptions) => ReadStream;
  readonly createWriteStream: (path: PathLike, options?: Encoding | FileWriteStreamOptions) => WriteStream;
}

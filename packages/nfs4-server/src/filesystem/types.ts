/**
 * What you implement to serve your own thing as files.
 *
 * A file system is a graph of **nodes** (`N`: any object of yours) that the server walks by name, never by path. Only the members that
 * are not optional are needed for a read-only file system; each further one adds an ability, and what is missing answers EROFS or ENOTSUP.
 *
 * Rules that hold for every member:
 * - It may answer at once or by a promise. Answer at once where you can: nothing is awaited then.
 * - Failure is a value: return the name of the POSIX error (`"ENOENT"`). Throwing an error with such a `code` works too, only slower;
 *   throwing anything else answers NFS4ERR_SERVERFAULT.
 * - `name`s are strings. Bytes that are not UTF-8 come as lone surrogates U+DC80 … U+DCFF and go back to the same bytes.
 * - Byte arrays given to you are lent until you have answered.
 * - Changes must be visible to the calls that follow as soon as you have answered.
 */
import type { Errno } from "./errno.ts";

export type Awaitable<T> = T | Promise<T>;
/** A value, or the name of the error. */
export type Result<T> = T | Errno;

export type NodeType = "file" | "directory" | "symlink" | "block" | "character" | "fifo" | "socket";

/** Time since 1970-01-01 UTC; `nanoseconds` 0 … 999,999,999, also before 1970. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface Attributes {
  readonly type: NodeType;
  /** Permission bits with setuid, setgid and sticky: 0 … 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; for a symbolic link the length of its target. At most 2^53 − 1. */
  readonly size: number;
  /** Bytes of storage behind it. */
  readonly spaceUsed: number;
  /** Number of names. */
  readonly nlink: number;
  /** Unique among the nodes of this file system for as long as the node lives. */
  readonly fileid: bigint;
  /** Grows with every change of the node's data or attributes. */
  readonly change: bigint;
  readonly atime: Timestamp;
  readonly mtime: Timestamp;
  readonly ctime: Timestamp;
  readonly birthtime?: Timestamp;
  /** For `block` and `character`. */
  readonly device?: { readonly major: number; readonly minor: number };
}

/** What SETATTR and creation may set. A time is an instant, or `"now"` for the file system's clock. */
export interface AttributeChanges {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atime?: Timestamp | "now";
  readonly mtime?: Timestamp | "now";
}

/** Who asks (after squashing), and a signal that fires when the answer is no longer wanted. */
export interface CallContext {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  readonly signal: AbortSignal;
}

/** How a file is opened: bits. */
export const OPEN_READ = 1;
export const OPEN_WRITE = 2;
export type OpenAccess = 1 | 2 | 3;

/** Bits of `access`: the checks of ACCESS (RFC 8881 §18.1) that a POSIX system knows. */
export const MAY_READ = 4;
export const MAY_WRITE = 2;
export const MAY_EXECUTE = 1;

/** A directory's change attribute around an operation; `atomic` if nothing else can have come between. */
export interface ChangeInfo {
  readonly before: bigint;
  readonly after: bigint;
  readonly atomic: boolean;
}

export type CreateRequest =
  | {
      readonly type: "file";
      readonly attributes: AttributeChanges;
      /** Open the new file with this access too: permission is the creator's, whatever the mode says. */
      readonly open?: OpenAccess;
    }
  | { readonly type: "directory" | "fifo" | "socket"; readonly attributes: AttributeChanges }
  | { readonly type: "symlink"; readonly attributes: AttributeChanges; readonly target: string }
  | {
      readonly type: "block" | "character";
      readonly attributes: AttributeChanges;
      readonly device: { readonly major: number; readonly minor: number };
    };

export interface Created<N, F> {
  readonly node: N;
  /** Present if `open` was asked for. */
  readonly file?: F;
  readonly change: ChangeInfo;
}

export interface DirectoryEntry<N> {
  readonly name: string;
  /**
   * Where reading goes on *after* this entry. At least 3 (0 starts, 1 and 2 are reserved), at most 2^63 − 1; stays good while the
   * directory lives, whatever else is created or removed meanwhile: no other entry may be skipped or given twice.
   */
  readonly cookie: bigint;
  /** Give these if they are at hand: they spare a `lookup` and a `getattr` when the client wants attributes. */
  readonly node?: N;
  readonly attributes?: Attributes;
}

export interface DirectoryPage<N> {
  /** Without "." and "..". */
  readonly entries: readonly DirectoryEntry<N>[];
  /** True if nothing follows the last entry. */
  readonly end: boolean;
}

/** UNSTABLE may be lost in a crash until `commit`; DATA_SYNC and FILE_SYNC are on stable storage when answered (RFC 8881 §18.32). */
export type Stability = "unstable" | "data-sync" | "file-sync";

export interface ReadResult {
  /** The `buffer` that was given, cut to what was read, or bytes of yours that never change again. */
  readonly bytes: Uint8Array;
  /** True if `offset + bytes.length` is at or past the end of the file. */
  readonly end: boolean;
}

export interface WriteResult {
  readonly count: number;
  readonly stability: Stability;
}

export interface FileSystemStatistics {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** What a user without privilege may take. */
  readonly availableBytes: number;
  readonly totalFiles: number;
  readonly freeFiles: number;
  readonly availableFiles: number;
}

export interface FileSystemCapabilities {
  /** True: the file system itself checks the caller's permission in every member. Default false: the server does, by owner, group and mode. */
  readonly checksPermissions?: boolean;
  /** True: keys stay good across restarts of the process. Default false (handles turn STALE). */
  readonly persistentKeys?: boolean;
  readonly caseInsensitive?: boolean;
  readonly maxFileSize?: number;
  /** Bytes of UTF-8. Default 255. */
  readonly maxName?: number;
  readonly maxLinks?: number;
  /** Preferred bytes a READ or WRITE. Default 1 MiB. */
  readonly preferredIo?: number;
  /** Identifies the file system (fsid); default: made from the export. */
  readonly fsid?: { readonly major: bigint; readonly minor: bigint };
}

export interface FileSystem<N extends object = object, F = unknown> {
  readonly capabilities?: FileSystemCapabilities;

  /** The top directory. */
  root(): Awaitable<Result<N>>;
  /** At most 64 bytes that name the node for good: the middle of its filehandle. */
  key(node: N): Uint8Array;
  /** The node of a key; `ESTALE` if it is no more. */
  resolve(key: Uint8Array): Awaitable<Result<N>>;

  lookup(directory: N, name: string, context: CallContext): Awaitable<Result<N>>;
  /** The directory above; the root's is itself. */
  parent(directory: N, context: CallContext): Awaitable<Result<N>>;
  getattr(node: N, context: CallContext): Awaitable<Result<Attributes>>;
  /** At most `limit` entries after `cookie`. */
  readdir(directory: N, cookie: bigint, limit: number, context: CallContext): Awaitable<Result<DirectoryPage<N>>>;
  readlink?(node: N, context: CallContext): Awaitable<Result<{ readonly target: string }>>;

  /** The MAY_* bits out of `mask` that the caller has. Needed with `checksPermissions`. */
  access?(node: N, mask: number, context: CallContext): Awaitable<Result<number>>;

  /** Opens for reading, writing or both. READ and WRITE use what this gives, so permission is decided here. Default: the node itself. */
  open?(node: N, access: OpenAccess, context: CallContext): Awaitable<Result<F>>;
  /** The open file is used no more. */
  close?(file: F): Awaitable<void>;
  /** Fills `buffer` from `offset`, as far as the file goes. Reading at or past the end is not an error. */
  read(file: F, offset: number, buffer: Uint8Array, context: CallContext): Awaitable<Result<ReadResult>>;
  /** Writes all of `data`, or says how much. The stability may be better than asked, never worse. */
  write?(
    file: F,
    offset: number,
    data: Uint8Array,
    stability: Stability,
    context: CallContext,
  ): Awaitable<Result<WriteResult>>;
  /** Brings to stable storage what was written UNSTABLE. `length` 0 means to the end. An error here makes every client write again. */
  commit?(file: F, offset: number, length: number, context: CallContext): Awaitable<Result<void>>;

  /** `file` is given if the change comes by an open file (truncation needs then no permission of the mode). */
  setattr?(node: N, changes: AttributeChanges, context: CallContext, file?: F): Awaitable<Result<void>>;
  /** Makes a new node; `EEXIST` if the name is taken, whatever has it. */
  create?(directory: N, name: string, request: CreateRequest, context: CallContext): Awaitable<Result<Created<N, F>>>;
  link?(node: N, directory: N, name: string, context: CallContext): Awaitable<Result<ChangeInfo>>;
  /** Removes a name, be it a file's or an empty directory's. An open file lives on until its last close. */
  remove?(directory: N, name: string, context: CallContext): Awaitable<Result<ChangeInfo>>;
  /** Replaces the target atomically, as rename(2). */
  rename?(
    from: N,
    fromName: string,
    to: N,
    toName: string,
    context: CallContext,
  ): Awaitable<Result<{ readonly from: ChangeInfo; readonly to: ChangeInfo }>>;

  statfs?(node: N, context: CallContext): Awaitable<Result<FileSystemStatistics>>;
  /** The next data or hole at or after `offset`; `ENXIO` past the end. */
  seek?(file: F, offset: number, what: "data" | "hole", context: CallContext): Awaitable<Result<number>>;
  allocate?(file: F, offset: number, length: number, context: CallContext): Awaitable<Result<void>>;
  deallocate?(file: F, offset: number, length: number, context: CallContext): Awaitable<Result<void>>;

  /** The export goes away: let go of everything. */
  dispose?(): Awaitable<void>;
}

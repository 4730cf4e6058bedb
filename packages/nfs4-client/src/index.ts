export { type ExportAddress, type NfsVersion, parseExportUrl } from "./address.ts";
export { type ClientLimits, NfsClient, type RunOptions } from "./client.ts";
export { type ConnectOptions, connect } from "./connect.ts";
export { type ErrorContext, NfsError } from "./errors.ts";
export type { Data, Encoding, FileOptions, FileOptionsObject } from "./fs/data.ts";
export { Dir } from "./fs/dir.ts";
export { Dirent } from "./fs/dirent.ts";
export { FileHandle, type ReadOptions, type ReadResult, type WriteResult } from "./fs/file-handle.ts";
export {
  type CallOptions,
  type MkdirOptions,
  NfsPromises,
  type ReadDirOptions,
  type StatFs,
} from "./fs/nfs-promises.ts";
export type { PathLike } from "./fs/path.ts";
export { BigIntStats, type StatOptions, Stats } from "./fs/stats.ts";
export type { ReadStreamOptions, WriteStreamOptions } from "./fs/streams.ts";
export { type ExportTraits, Mount } from "./mount.ts";
export { Compound, Step } from "./protocol/compound.ts";

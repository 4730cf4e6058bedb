export { clientChannel, faultChannel, graceChannel } from "./channels.ts";
export type { ServerCounters } from "./counters.ts";
export type { Export, ExportOptions, SquashOptions } from "./exports/export.ts";
export type { Errno } from "./filesystem/errno.ts";
export { LocalFileSystem } from "./filesystem/local/local-file-system.ts";
export type { LocalFileSystemOptions } from "./filesystem/local/open-volume.ts";
export { MemoryFileSystem, type MemoryFileSystemOptions } from "./filesystem/memory/memory-file-system.ts";
export { PortableFileSystem, type PortableFileSystemOptions } from "./filesystem/portable/portable-file-system.ts";
export {
  type AttributeChanges,
  type Attributes,
  type Awaitable,
  type CallContext,
  type ChangeInfo,
  type Created,
  type CreateRequest,
  type DirectoryEntry,
  type DirectoryPage,
  type FileSystem,
  type FileSystemCapabilities,
  type FileSystemStatistics,
  MAY_EXECUTE,
  MAY_READ,
  MAY_WRITE,
  type NodeType,
  OPEN_READ,
  OPEN_WRITE,
  type OpenAccess,
  type ReadResult,
  type Result,
  type Stability,
  type Timestamp,
  type WriteResult,
} from "./filesystem/types.ts";
export { DEFAULT_LIMITS, type ServerLimits } from "./limits.ts";
export { createServer, type NfsServer, type ServerOptions } from "./server.ts";
export type { Client } from "./state/client.ts";
export { MemoryStorage } from "./storage/memory-storage.ts";
export { NodeStorage } from "./storage/node-storage.ts";
export { StateDirectory } from "./storage/state-directory.ts";
export type { Storage } from "./storage/storage.ts";

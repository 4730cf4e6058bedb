/**
 * POSIX permission checks around a file system that makes none itself: owner, group, mode, the sticky bit, and the rules of chmod, chown and utimes. The
 * superuser passes them (a squashed one is no superuser any more).
 */
import { after } from "./chain.ts";
import type { Errno } from "./errno.ts";
import {
  type AttributeChanges,
  type Attributes,
  type Awaitable,
  type CallContext,
  type ChangeInfo,
  type Created,
  type CreateRequest,
  type DirectoryPage,
  type FileSystem,
  type FileSystemCapabilities,
  type FileSystemStatistics,
  MAY_EXECUTE,
  MAY_READ,
  MAY_WRITE,
  OPEN_READ,
  OPEN_WRITE,
  type OpenAccess,
  type ReadResult,
  type Result,
  type Stability,
  type WriteResult,
} from "./types.ts";

const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const S_ISVTX = 0o1000;
const S_IXGRP = 0o0010;

function inGroup(gid: number, context: CallContext): boolean {
  return context.gid === gid || context.groups.includes(gid);
}

/** The MAY_* bits that a caller has by mode, owner and group. */
export function permittedBits(attributes: Attributes, context: CallContext): number {
  if (context.uid === 0) {
    const executable = attributes.type === "directory" || (attributes.mode & 0o111) !== 0;
    return MAY_READ | MAY_WRITE | (executable ? MAY_EXECUTE : 0);
  }
  if (attributes.uid === context.uid) return (attributes.mode >> 6) & 7;
  if (inGroup(attributes.gid, context)) return (attributes.mode >> 3) & 7;
  return attributes.mode & 7;
}

function lacks(attributes: Attributes, mask: number, context: CallContext): Errno | null {
  return (permittedBits(attributes, context) & mask) === mask ? null : "EACCES";
}

/** Wraps `inner`; whatever optional members it lacks, the result lacks. */
export function withPermissionChecks<N extends object, F>(inner: FileSystem<N, F>): FileSystem<N, F> {
  const checks = new PermissionChecks(inner);
  for (const member of OPTIONAL_MEMBERS)
    if (inner[member] === undefined) Object.defineProperty(checks, member, { value: undefined });
  return checks;
}

const OPTIONAL_MEMBERS = [
  "readlink",
  "close",
  "write",
  "commit",
  "setattr",
  "create",
  "link",
  "remove",
  "rename",
  "statfs",
  "seek",
  "allocate",
  "deallocate",
  "dispose",
] as const satisfies readonly (keyof FileSystem)[];

class PermissionChecks<N extends object, F> implements FileSystem<N, F> {
  readonly capabilities: FileSystemCapabilities;
  readonly #inner: FileSystem<N, F>;

  constructor(inner: FileSystem<N, F>) {
    this.#inner = inner;
    this.capabilities = { ...inner.capabilities, checksPermissions: true };
  }

  root(): Awaitable<Result<N>> {
    return this.#inner.root();
  }

  key(node: N): Uint8Array {
    return this.#inner.key(node);
  }

  resolve(key: Uint8Array): Awaitable<Result<N>> {
    return this.#inner.resolve(key);
  }

  getattr(node: N, context: CallContext): Awaitable<Result<Attributes>> {
    return this.#inner.getattr(node, context);
  }

  access(node: N, mask: number, context: CallContext): Awaitable<Result<number>> {
    return after(this.#inner.getattr(node, context), (attributes) => permittedBits(attributes, context) & mask);
  }

  lookup(directory: N, name: string, context: CallContext): Awaitable<Result<N>> {
    return after(this.#needDirectory(directory, MAY_EXECUTE, context), () =>
      this.#inner.lookup(directory, name, context),
    );
  }

  parent(directory: N, context: CallContext): Awaitable<Result<N>> {
    return after(this.#needDirectory(directory, MAY_EXECUTE, context), () => this.#inner.parent(directory, context));
  }

  readdir(directory: N, cookie: bigint, limit: number, context: CallContext): Awaitable<Result<DirectoryPage<N>>> {
    return after(this.#needDirectory(directory, MAY_READ, context), () =>
      this.#inner.readdir(directory, cookie, limit, context),
    );
  }

  readlink(node: N, context: CallContext): Awaitable<Result<{ readonly target: string }>> {
    return this.#inner.readlink?.(node, context) ?? "EINVAL";
  }

  open(node: N, access: OpenAccess, context: CallContext): Awaitable<Result<F>> {
    return after(this.#inner.getattr(node, context), (attributes) => {
      const denied = lacks(attributes, openMask(access, attributes, context), context);
      return denied ?? this.#inner.open?.(node, access, context) ?? (node as unknown as F);
    });
  }

  close(file: F): Awaitable<void> {
    return this.#inner.close?.(file);
  }

  read(file: F, offset: number, buffer: Uint8Array, context: CallContext): Awaitable<Result<ReadResult>> {
    return this.#inner.read(file, offset, buffer, context);
  }

  write(
    file: F,
    offset: number,
    data: Uint8Array,
    stability: Stability,
    context: CallContext,
  ): Awaitable<Result<WriteResult>> {
    return this.#inner.write?.(file, offset, data, stability, context) ?? "EROFS";
  }

  commit(file: F, offset: number, length: number, context: CallContext): Awaitable<Result<void>> {
    return this.#inner.commit?.(file, offset, length, context);
  }

  setattr(node: N, changes: AttributeChanges, context: CallContext, file?: F): Awaitable<Result<void>> {
    return after(this.#inner.getattr(node, context), (attributes) => {
      const allowed = allowedChanges(attributes, changes, context, file !== undefined);
      if (typeof allowed === "string") return allowed;
      return this.#inner.setattr ? this.#inner.setattr(node, allowed, context, file) : "EROFS";
    });
  }

  create(directory: N, name: string, request: CreateRequest, context: CallContext): Awaitable<Result<Created<N, F>>> {
    return after(this.#needDirectory(directory, MAY_WRITE | MAY_EXECUTE, context), (attributes) => {
      const { uid, gid } = request.attributes;
      if (context.uid !== 0) {
        if (uid !== undefined && uid !== context.uid) return "EPERM";
        if (gid !== undefined && !inGroup(gid, context) && !(attributes.mode & S_ISGID && gid === attributes.gid))
          return "EPERM";
        if (request.type === "block" || request.type === "character") return "EPERM";
      }
      return this.#inner.create?.(directory, name, request, context) ?? "EROFS";
    });
  }

  link(node: N, directory: N, name: string, context: CallContext): Awaitable<Result<ChangeInfo>> {
    return after(
      this.#needDirectory(directory, MAY_WRITE | MAY_EXECUTE, context),
      () => this.#inner.link?.(node, directory, name, context) ?? "EROFS",
    );
  }

  remove(directory: N, name: string, context: CallContext): Awaitable<Result<ChangeInfo>> {
    return after(
      this.#mayUnlink(directory, name, context),
      () => this.#inner.remove?.(directory, name, context) ?? "EROFS",
    );
  }

  rename(from: N, fromName: string, to: N, toName: string, context: CallContext) {
    return after(this.#mayUnlink(from, fromName, context), () =>
      after(
        this.#mayReplace(to, toName, context),
        () => this.#inner.rename?.(from, fromName, to, toName, context) ?? "EROFS",
      ),
    );
  }

  statfs(node: N, context: CallContext): Awaitable<Result<FileSystemStatistics>> {
    return this.#inner.statfs?.(node, context) ?? "ENOTSUP";
  }

  seek(file: F, offset: number, what: "data" | "hole", context: CallContext): Awaitable<Result<number>> {
    return this.#inner.seek?.(file, offset, what, context) ?? "ENOTSUP";
  }

  allocate(file: F, offset: number, length: number, context: CallContext): Awaitable<Result<void>> {
    return this.#inner.allocate ? this.#inner.allocate(file, offset, length, context) : "ENOTSUP";
  }

  deallocate(file: F, offset: number, length: number, context: CallContext): Awaitable<Result<void>> {
    return this.#inner.deallocate ? this.#inner.deallocate(file, offset, length, context) : "ENOTSUP";
  }

  dispose(): Awaitable<void> {
    return this.#inner.dispose?.();
  }

  #needDirectory(directory: N, mask: number, context: CallContext): Awaitable<Result<Attributes>> {
    return after(this.#inner.getattr(directory, context), (attributes) => {
      if (attributes.type !== "directory") return "ENOTDIR";
      return lacks(attributes, mask, context) ?? attributes;
    });
  }

  /** Write permission on the directory and, where it is sticky, ownership (of it, or of what the name means). */
  #mayUnlink(directory: N, name: string, context: CallContext): Awaitable<Result<true>> {
    return after(
      this.#needDirectory(directory, MAY_WRITE | MAY_EXECUTE, context),
      (attributes): Awaitable<Result<true>> => {
        if (!(attributes.mode & S_ISVTX) || context.uid === 0 || attributes.uid === context.uid) return true;
        return after(this.#inner.lookup(directory, name, context), (node) =>
          after(this.#inner.getattr(node, context), (its): Result<true> => (its.uid === context.uid ? true : "EPERM")),
        );
      },
    );
  }

  /** As `#mayUnlink`, but the name may be free. */
  #mayReplace(directory: N, name: string, context: CallContext): Awaitable<Result<true>> {
    const passIfFree = (result: Result<true>): Result<true> => (result === "ENOENT" ? true : result);
    const result = this.#mayUnlink(directory, name, context);
    return result instanceof Promise ? result.then(passIfFree) : passIfFree(result);
  }
}

function openMask(access: OpenAccess, attributes: Attributes, context: CallContext): number {
  let mask = 0;
  if (access & OPEN_WRITE) mask |= MAY_WRITE;
  // Execution reads: a file that may be run may be read by the server for the caller (RFC 8881 §18.22.3).
  if (access & OPEN_READ) mask |= permittedBits(attributes, context) & MAY_EXECUTE ? 0 : MAY_READ;
  return mask;
}

/** The changes as the caller may make them (set-id bits cleared where POSIX wants it), or why not. */
function allowedChanges(
  attributes: Attributes,
  changes: AttributeChanges,
  context: CallContext,
  byOpenFile: boolean,
): Result<AttributeChanges> {
  const root = context.uid === 0;
  const owner = root || attributes.uid === context.uid;
  const { mode, uid, gid, size, atime, mtime } = changes;
  if (mode !== undefined && !owner) return "EPERM";
  if (uid !== undefined && !root && !(owner && uid === attributes.uid)) return "EPERM";
  if (gid !== undefined && !root && !(owner && (gid === attributes.gid || inGroup(gid, context)))) return "EPERM";
  if (size !== undefined && !byOpenFile) {
    const denied = lacks(attributes, MAY_WRITE, context);
    if (denied) return denied;
  }
  const setsTime = (atime !== undefined && atime !== "now") || (mtime !== undefined && mtime !== "now");
  if (setsTime && !owner) return "EPERM";
  if ((atime === "now" || mtime === "now") && !owner && lacks(attributes, MAY_WRITE, context)) return "EACCES";

  let newMode = mode;
  if (newMode !== undefined && !root && attributes.type !== "directory" && !inGroup(gid ?? attributes.gid, context))
    newMode &= ~S_ISGID;
  // Linux clears the set-id bits at every chown of a file, by root too, and also when nothing changes.
  const changesOwner = uid !== undefined || gid !== undefined;
  if ((changesOwner || (size !== undefined && !root)) && newMode === undefined && attributes.type === "file") {
    let cleared = attributes.mode & ~S_ISUID;
    if (attributes.mode & S_IXGRP) cleared &= ~S_ISGID;
    if (cleared !== attributes.mode) newMode = cleared;
  }
  return newMode === mode || newMode === undefined ? changes : { ...changes, mode: newMode };
}

import { constants, createReadStream, createWriteStream } from "node:fs";
import { withCallback } from "./callback.ts";
import type { NfsCallbacks, PlainMethod } from "./callback-face.ts";
import type { Encoding } from "./data.ts";
import { Descriptors } from "./descriptors.ts";
import { Dirent } from "./dirent.ts";
import type { FileHandle } from "./file-handle.ts";
import type { NfsPromises } from "./nfs-promises.ts";
import type { PathLike } from "./path.ts";
import { Stats } from "./stats.ts";
import { watchFunction } from "./watcher.ts";

/** The callback-style face of an export. */
export function callbacksOf(nfs: NfsPromises): NfsCallbacks {
  const descriptors = new Descriptors();
  const byNumber = descriptorMethods(nfs, descriptors);
  const face: Record<keyof NfsCallbacks, unknown> = {
    ...plainMethods(nfs),
    ...fileMethods(nfs, descriptors),
    ...byNumber,
    ...streams(byNumber),
    watch: watchFunction(nfs),
    promises: nfs,
    constants,
    Stats,
    Dirent,
    F_OK: constants.F_OK,
    R_OK: constants.R_OK,
    W_OK: constants.W_OK,
    X_OK: constants.X_OK,
  };
  return face as NfsCallbacks;
}

type Methods<Names extends keyof NfsCallbacks> = Record<Names, (...args: never[]) => unknown>;

function plainMethods(nfs: NfsPromises): Methods<PlainMethod> {
  return {
    access: withCallback(nfs.access.bind(nfs)),
    chmod: withCallback(nfs.chmod.bind(nfs)),
    chown: withCallback(nfs.chown.bind(nfs)),
    copyFile: withCallback(nfs.copyFile.bind(nfs)),
    cp: withCallback(nfs.cp.bind(nfs)),
    lchown: withCallback(nfs.lchown.bind(nfs)),
    link: withCallback(nfs.link.bind(nfs)),
    lutimes: withCallback(nfs.lutimes.bind(nfs)),
    mkdir: withCallback(nfs.mkdir.bind(nfs)),
    mkdtemp: withCallback(nfs.mkdtemp.bind(nfs)),
    opendir: withCallback(nfs.opendir.bind(nfs)),
    readlink: withCallback(nfs.readlink.bind(nfs)),
    rename: withCallback(nfs.rename.bind(nfs)),
    rm: withCallback(nfs.rm.bind(nfs)),
    rmdir: withCallback(nfs.rmdir.bind(nfs)),
    statfs: withCallback(nfs.statfs.bind(nfs)),
    symlink: withCallback(nfs.symlink.bind(nfs)),
    truncate: withCallback(nfs.truncate.bind(nfs)),
    unlink: withCallback(nfs.unlink.bind(nfs)),
    utimes: withCallback(nfs.utimes.bind(nfs)),
  };
}

type FileMethods =
  | "stat"
  | "lstat"
  | "readFile"
  | "writeFile"
  | "appendFile"
  | "readdir"
  | "realpath"
  | "exists"
  | "glob";

/** Those whose types, or whose arguments, are not the promises' ones. */
function fileMethods(nfs: NfsPromises, descriptors: Descriptors): Methods<FileMethods> {
  type Arguments<Name extends "readFile" | "writeFile" | "appendFile"> =
    Parameters<NfsPromises[Name]> extends [unknown, ...infer Rest] ? Rest : never;
  const file = (of: PathLike | number, syscall: string): PathLike | FileHandle =>
    typeof of === "number" && Number.isInteger(of) ? descriptors.handle(of, syscall) : (of as PathLike);
  const realpath = withCallback(nfs.realpath.bind(nfs));
  return {
    stat: withCallback(nfs.stat.bind(nfs)),
    lstat: withCallback(nfs.lstat.bind(nfs)),
    readdir: withCallback(nfs.readdir.bind(nfs)),
    realpath: Object.assign(realpath, { native: realpath }),
    readFile: withCallback(async (of: PathLike | number, ...rest: Arguments<"readFile">) =>
      nfs.readFile(file(of, "read"), ...rest),
    ),
    writeFile: withCallback(async (of: PathLike | number, ...rest: Arguments<"writeFile">) =>
      nfs.writeFile(file(of, "write"), ...rest),
    ),
    appendFile: withCallback(async (of: PathLike | number, ...rest: Arguments<"appendFile">) =>
      nfs.appendFile(file(of, "write"), ...rest),
    ),
    glob: withCallback(async (...args: Parameters<NfsPromises["glob"]>) => {
      const found: unknown[] = [];
      for await (const one of nfs.glob(...args)) found.push(one);
      return found;
    }),
    exists: withCallback(
      (path: PathLike) =>
        nfs.access(path).then(
          () => true,
          () => false,
        ),
      // The only one without an error.
      (isThere) => [isThere],
    ),
  };
}

type DescriptorMethods =
  | "open"
  | "close"
  | "read"
  | "write"
  | "readv"
  | "writev"
  | "fstat"
  | "fchmod"
  | "fchown"
  | "futimes"
  | "ftruncate"
  | "fsync"
  | "fdatasync";

function descriptorMethods(nfs: NfsPromises, open: Descriptors): Methods<DescriptorMethods> {
  const close = withCallback(open.close.bind(open));
  return {
    open: withCallback(async (...args: Parameters<NfsPromises["open"]>) => open.add(await nfs.open(...args))),
    close: (fd: number, callback: unknown = rethrow) => close(fd, callback),
    read: withCallback(open.read.bind(open), ({ bytesRead, buffer }) => [null, bytesRead, buffer]),
    write: withCallback(open.write.bind(open), ({ bytesWritten, buffer }) => [null, bytesWritten, buffer]),
    readv: withCallback(open.readv.bind(open), ({ bytesRead, buffers }) => [null, bytesRead, buffers]),
    writev: withCallback(open.writev.bind(open), ({ bytesWritten, buffers }) => [null, bytesWritten, buffers]),
    fstat: withCallback(open.stat.bind(open)),
    fchmod: withCallback(open.chmod.bind(open)),
    fchown: withCallback(open.chown.bind(open)),
    futimes: withCallback(open.utimes.bind(open)),
    ftruncate: withCallback(open.truncate.bind(open)),
    fsync: withCallback(open.sync.bind(open)),
    fdatasync: withCallback(open.datasync.bind(open)),
  };
}

/** Of a `close` that nobody waits for. */
function rethrow(error: unknown): void {
  if (error !== null) throw error;
}

/** Node's own streams, over descriptors of ours. */
function streams(fs: Methods<DescriptorMethods>): Methods<"createReadStream" | "createWriteStream"> {
  const { open, close, read, write, writev, fsync } = fs as unknown as NfsCallbacks;
  type Options = Encoding | object | undefined;
  const over = (options: Options, functions: object): object => ({
    ...(typeof options === "string" ? { encoding: options } : options),
    fs: functions,
  });
  return {
    createReadStream: (path: string, options?: Options) => createReadStream(path, over(options, { open, close, read })),
    createWriteStream: (path: string, options?: Options) =>
      createWriteStream(path, over(options, { open, close, write, writev, fsync })),
  };
}

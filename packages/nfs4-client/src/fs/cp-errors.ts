import { type SystemErrorCode, type SystemErrorInfo, systemError } from "./system-error.ts";

function failure(code: SystemErrorCode, errno: SystemErrorInfo["code"], message: string, path: string): Error {
  return systemError(code, { code: errno, message, syscall: "cp", path });
}

/** What `cp` refuses, in Node's words. */
export const errorOf = {
  same: (dest: string): Error => failure("ERR_FS_CP_EINVAL", "EINVAL", "src and dest cannot be the same", dest),
  exists: (dest: string): Error => failure("ERR_FS_CP_EEXIST", "EEXIST", `${dest} already exists`, dest),
  directoryToFile: (src: string, dest: string): Error =>
    failure("ERR_FS_CP_DIR_TO_NON_DIR", "EISDIR", `cannot overwrite non-directory ${dest} with directory ${src}`, dest),
  fileToDirectory: (src: string, dest: string): Error =>
    failure(
      "ERR_FS_CP_NON_DIR_TO_DIR",
      "ENOTDIR",
      `cannot overwrite directory ${dest} with non-directory ${src}`,
      dest,
    ),
  intoItself: (src: string, dest: string, path: string = dest): Error =>
    failure("ERR_FS_CP_EINVAL", "EINVAL", `cannot copy ${src} to a subdirectory of self ${dest}`, path),
  linkIntoTarget: (src: string, dest: string, path: string): Error =>
    failure("ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY", "EINVAL", `cannot overwrite ${dest} with ${src}`, path),
  isDirectory: (src: string): Error => failure("ERR_FS_EISDIR", "EISDIR", `${src} is a directory (not copied)`, src),
  isSocket: (dest: string): Error => failure("ERR_FS_CP_SOCKET", "EINVAL", `cannot copy a socket file: ${dest}`, dest),
  isFifo: (dest: string): Error => failure("ERR_FS_CP_FIFO_PIPE", "EINVAL", `cannot copy a FIFO pipe: ${dest}`, dest),
  isUnknown: (dest: string): Error =>
    failure("ERR_FS_CP_UNKNOWN", "EINVAL", `cannot copy an unknown file type: ${dest}`, dest),
} as const;

import { constants } from "node:os";
import type { ErrorContext } from "../errors.ts";

/** What `rm` and `cp` find wrong by themselves, as Node shapes it. */
export interface SystemErrorInfo extends ErrorContext {
  /** The error of the system that it stands for: "EEXIST". */
  readonly code: keyof typeof constants.errno;
  readonly message: string;
  readonly syscall: string;
}

const TEXTS = {
  ERR_FS_EISDIR: "Path is a directory",
  ERR_FS_CP_DIR_TO_NON_DIR: "Cannot overwrite non-directory with directory",
  ERR_FS_CP_EEXIST: "Target already exists",
  ERR_FS_CP_EINVAL: "Invalid src or dest",
  ERR_FS_CP_FIFO_PIPE: "Cannot copy a FIFO pipe",
  ERR_FS_CP_NON_DIR_TO_DIR: "Cannot overwrite directory with non-directory",
  ERR_FS_CP_SOCKET: "Cannot copy a socket file",
  ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY: "Cannot overwrite symlink in subdirectory of self",
  ERR_FS_CP_UNKNOWN: "Cannot copy an unknown file type",
} as const;

export type SystemErrorCode = keyof typeof TEXTS;

export function systemError(code: SystemErrorCode, info: SystemErrorInfo): Error {
  const { syscall, path } = info;
  const errno = constants.errno[info.code];
  const where = path === undefined ? "" : ` ${path}`;
  const message = `${TEXTS[code]}: ${syscall} returned ${info.code} (${info.message})${where}`;
  return Object.assign(new Error(message), {
    name: "SystemError",
    code,
    info: { ...info, errno },
    // Not negative, as elsewhere.
    errno,
    syscall,
    ...(path === undefined ? {} : { path }),
  });
}

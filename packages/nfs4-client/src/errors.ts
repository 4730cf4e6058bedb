import { getSystemErrorMap } from "node:util";
import { type nfsstat4, STATUSES, type StatusName, statusErrno, statusName, statusText } from "@nfs4/protocol";

/** Where an error came up, as Node's own errors tell it. */
export interface ErrorContext {
  /** As in Node: "open", "stat", "unlink". */
  readonly syscall?: string;
  readonly path?: string | undefined;
  readonly dest?: string | undefined;
}

export interface NfsErrorDetails extends ErrorContext {
  readonly nfsStatus?: StatusName | `NFS4ERR_${number}`;
  readonly operation?: string;
  readonly cause?: unknown;
}

/** As Node numbers and words them. */
const BY_CODE: ReadonlyMap<string, { readonly errno: number; readonly text: string }> = new Map(
  [...getSystemErrorMap()].map(([errno, [code, text]]) => [code, { errno, text }]),
);

/** What a program sees of a failure, shaped like Node's errors of system calls: `code`, `errno`, `syscall`, `path`, and what the server said. */
export class NfsError extends Error {
  /** "ENOENT" */
  readonly code: string;
  /** Negative, as Node's; 0 if this system has no such number. */
  readonly errno: number;
  readonly syscall?: string;
  readonly path?: string;
  readonly dest?: string;
  /** The server's status, and the operation that ended with it; not there if the trouble is another. */
  readonly nfsStatus?: string;
  readonly operation?: string;
  readonly #text: string;

  constructor(code: string, text: string, details: NfsErrorDetails = {}) {
    super(messageOf(code, text, details), details.cause === undefined ? {} : { cause: details.cause });
    this.name = "NfsError";
    this.#text = text;
    this.code = code;
    this.errno = BY_CODE.get(code)?.errno ?? 0;
    if (details.syscall !== undefined) this.syscall = details.syscall;
    if (details.path !== undefined) this.path = details.path;
    if (details.dest !== undefined) this.dest = details.dest;
    if (details.nfsStatus !== undefined) this.nfsStatus = details.nfsStatus;
    if (details.operation !== undefined) this.operation = details.operation;
  }

  /** The same trouble, come up somewhere else. */
  as(context: ErrorContext): NfsError {
    const { nfsStatus, operation, cause } = this;
    const details = {
      ...context,
      ...(nfsStatus === undefined ? {} : { nfsStatus }),
      ...(operation === undefined ? {} : { operation }),
    };
    return new NfsError(this.code, this.#text, {
      ...(details as NfsErrorDetails),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  /** Of an operation that ended with a status other than NFS4_OK. */
  static ofStatus(status: nfsstat4, operation: string, context: ErrorContext = {}): NfsError {
    const name = statusName(status) as StatusName;
    const code = statusErrno(status) ?? "EIO";
    // Where no code fits, the server's own reason says more.
    const text = STATUSES.get(status)?.errno == null ? undefined : BY_CODE.get(code)?.text;
    return new NfsError(code, text ?? statusText(status), { ...context, nfsStatus: name, operation });
  }
}

/** "ENOENT: no such file or directory, open '/a'", "…, rename '/a' -> '/b'" */
function messageOf(code: string, text: string, { syscall, path, dest }: ErrorContext): string {
  const call = syscall === undefined ? "" : `, ${syscall}`;
  const where = path === undefined ? "" : ` '${path}'`;
  const to = dest === undefined ? "" : ` -> '${dest}'`;
  return `${code}: ${text}${call}${where}${to}`;
}

import { constants } from "node:os";

// Numbers that node:os leaves out and that calls of this package can return (Linux, asm-generic).
const MORE: Readonly<Record<string, number>> = {
  ENOTBLK: 15,
  EBADFD: 77,
  EUSERS: 87,
  EUCLEAN: 117,
  EREMOTEIO: 121,
  ENOMEDIUM: 123,
  EMEDIUMTYPE: 124,
  ENOKEY: 126,
};

// Two names share a number: the one that the manual pages use for the calls of this package.
const PREFERRED: Readonly<Record<string, number>> = { EAGAIN: 11, EOPNOTSUPP: 95 };

const names = new Map<number, string>();
for (const table of [PREFERRED, constants.errno as Readonly<Record<string, number>>, MORE]) {
  for (const [name, number] of Object.entries(table)) if (!names.has(number)) names.set(number, name);
}

/** The errno numbers by name (`errno.ENOENT === 2`), as this machine's kernel has them. */
export const errno: Readonly<Record<string, number>> = { ...constants.errno, ...MORE };

/** "ENOENT" for 2 as for -2; "errno 4711" for a number without a name. */
export function errnoName(number: number): string {
  return names.get(Math.abs(number)) ?? `errno ${Math.abs(number)}`;
}

/** A system call failed where that cannot be a value: when something is opened or set up. Shaped like Node's own system errors. */
export class NativeError extends Error {
  /** "EPERM" */
  readonly code: string;
  /** Negative, as in Node's errors. */
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, what?: string) {
    const code = errnoName(errno);
    super(`${code}: ${syscall} failed${what === undefined ? "" : `: ${what}`}`);
    this.name = "NativeError";
    this.code = code;
    this.errno = -Math.abs(errno);
    this.syscall = syscall;
  }
}

/** The result of a call that is not negative; throws a NativeError otherwise. */
export function checked(result: number, syscall: string, what?: string): number {
  if (result < 0) throw new NativeError(syscall, result, what);
  return result;
}

import { constants } from "node:fs";
import { invalidValue } from "./argument-errors.ts";

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = constants;

/** Node's flags of `open` in letters. */
const BY_LETTERS: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  "r+": O_RDWR,
  "rs+": O_RDWR | O_SYNC,
  w: O_TRUNC | O_CREAT | O_WRONLY,
  wx: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  "w+": O_TRUNC | O_CREAT | O_RDWR,
  "wx+": O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  a: O_APPEND | O_CREAT | O_WRONLY,
  ax: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  as: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  "a+": O_APPEND | O_CREAT | O_RDWR,
  "ax+": O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  "as+": O_APPEND | O_CREAT | O_RDWR | O_SYNC,
};
const SYNONYMS: Readonly<Record<string, string>> = {
  sr: "rs",
  "sr+": "rs+",
  xw: "wx",
  "xw+": "wx+",
  xa: "ax",
  "xa+": "ax+",
  sa: "as",
  "sa+": "as+",
};

/** What `open` is asked for. */
export interface OpenMode {
  readonly reads: boolean;
  readonly writes: boolean;
  readonly creates: boolean;
  readonly exclusive: boolean;
  readonly truncates: boolean;
  readonly appends: boolean;
  /** Each write is on the disk before it resolves. */
  readonly synchronous: boolean;
}

/** Throws a TypeError (ERR_INVALID_ARG_VALUE) for letters that mean nothing. */
export function openModeOf(flags: string | number = "r"): OpenMode {
  const bits = typeof flags === "number" ? flags : BY_LETTERS[SYNONYMS[flags] ?? flags];
  if (bits === undefined) throw invalidValue("flags", "is invalid", flags);
  const access = bits & (O_RDONLY | O_WRONLY | O_RDWR);
  return {
    reads: access !== O_WRONLY,
    writes: access !== O_RDONLY,
    creates: (bits & O_CREAT) !== 0,
    exclusive: (bits & O_EXCL) !== 0,
    truncates: (bits & O_TRUNC) !== 0,
    appends: (bits & O_APPEND) !== 0,
    synchronous: (bits & O_SYNC) === O_SYNC,
  };
}

/** A mode as Node takes it: a number, or octal digits. */
export function modeOf(mode: string | number | undefined | null, otherwise: number): number {
  if (mode === undefined || mode === null) return otherwise;
  const value = typeof mode === "string" ? Number.parseInt(mode, 8) : mode;
  if (!Number.isInteger(value) || value < 0)
    throw invalidValue("mode", "must be a 32-bit unsigned integer or an octal string", mode);
  return value & 0o7777;
}

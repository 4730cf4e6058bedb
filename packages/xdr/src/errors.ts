/** Why a message could not be read or written. */
export const XdrErrorCode = {
  /** The message ends inside a value, or a length promises more than is left. */
  truncated: "XDR_TRUNCATED",
  /** A length exceeds the declared maximum. */
  limit: "XDR_LIMIT",
  /** A value that the type does not have: a boolean of 2, an unknown enum member, a union arm that is not declared. */
  value: "XDR_VALUE",
  /** A string is not UTF-8, or cannot be written as UTF-8. */
  utf8: "XDR_UTF8",
  /** Padding is not zero (only where the reader is strict). */
  padding: "XDR_PADDING",
  /** Bytes are left after the last value. */
  trailing: "XDR_TRAILING",
  /** A recursive type is nested too deep. */
  depth: "XDR_DEPTH",
} as const;
export type XdrErrorCode = (typeof XdrErrorCode)[keyof typeof XdrErrorCode];

/**
 * Thrown by the reader, the writer and generated codecs, and by nothing else in this package at run time.
 *
 * `offset` counts bytes from the start of the reader's `bytes`, or is the writer's position. `path` names the field, say
 * `COMPOUND4args.argarray[3].opread.count`; it is empty until someone who knows the type fills it in (`decodeValue` and
 * `encodeValue` do).
 */
export class XdrError extends Error {
  readonly code: XdrErrorCode;
  readonly offset: number;
  /** What went wrong, without the place. */
  readonly reason: string;
  #path = "";

  constructor(code: XdrErrorCode, offset: number, reason: string) {
    super(`${reason} at byte ${offset}`);
    this.name = "XdrError";
    this.code = code;
    this.offset = offset;
    this.reason = reason;
  }

  get path(): string {
    return this.#path;
  }

  set path(path: string) {
    this.#path = path;
    this.message =
      path === "" ? `${this.reason} at byte ${this.offset}` : `${path}: ${this.reason} at byte ${this.offset}`;
  }
}

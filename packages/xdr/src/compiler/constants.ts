import type { Declarations } from "./declare.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { type Bound, type Constant, MAX_LENGTH } from "./model.ts";
import type { Value } from "./syntax.ts";

export const INT32_MIN: bigint = -(2n ** 31n);
export const INT32_MAX: bigint = 2n ** 31n - 1n;
export const UINT32_MAX: bigint = 2n ** 32n - 1n;
const UNKNOWN = 0n;

/** A value with the constant that names it, if one does. */
export interface Integer {
  readonly value: bigint;
  readonly constant: Constant | null;
}

/** Finds the values of constants, and of everything that a source may give as a number or by a constant's name. */
export class Constants {
  readonly #declarations: Declarations;
  readonly #diagnostics: Diagnostics;
  readonly #evaluated: Map<Constant, "running" | "done"> = new Map();

  constructor(declarations: Declarations, diagnostics: Diagnostics) {
    this.#declarations = declarations;
    this.#diagnostics = diagnostics;
  }

  /** Fills in what the constant stands for. */
  evaluate(constant: Constant, value: Value): void {
    const state = this.#evaluated.get(constant);
    if (state === "done") return;
    if (state === "running") {
      this.#diagnostics.report(constant.at, `"${constant.name}" is declared in terms of itself`);
      return;
    }
    this.#evaluated.set(constant, "running");
    if (value.kind === "constant") {
      constant.value = value.value;
      constant.text = constantText(value.text, value.value);
    } else {
      const source = this.#constant(value);
      if (source !== null) {
        constant.value = source.value;
        constant.text = source.text;
      }
    }
    this.#evaluated.set(constant, "done");
  }

  /** The constant that `value` names; reports and gives null where there is none. */
  #constant(value: Value & { kind: "name" }): Constant | null {
    const declared = this.#declarations.names.get(value.text);
    if (declared?.kind === "constant") {
      this.evaluate(declared.constant, declared.value);
      return declared.constant;
    }
    const found =
      declared === undefined ? `"${value.text}", which is not declared` : `the ${declared.kind} "${value.text}"`;
    this.#diagnostics.report(value.at, `expected a constant, found ${found}`);
    return null;
  }

  /** What `value` is; reports it where it is not from `min` to `max`. */
  integer(value: Value, min: bigint, max: bigint, expected: string): Integer {
    const constant = value.kind === "name" ? this.#constant(value) : null;
    if (value.kind === "name" && constant === null) return { value: UNKNOWN, constant: null };
    const known = value.kind === "constant" ? value.value : constant!.value;
    if (known < min || known > max) {
      const found = value.kind === "constant" ? value.text : `${value.text} = ${known}`;
      this.#diagnostics.report(value.at, `expected ${expected} from ${min} to ${max}, found ${found}`);
    }
    return { value: known, constant };
  }

  /** A length or maximum; without a value it is the greatest. */
  bound(value: Value | null, expected: string): Bound {
    if (value === null) return { value: MAX_LENGTH, constant: null };
    const integer = this.integer(value, 0n, UINT32_MAX, expected);
    return { value: Number(integer.value), constant: integer.constant };
  }
}

/** A constant as TypeScript writes it: octal has another prefix there, and what no number holds exactly is a bigint. */
function constantText(text: string, value: bigint): string {
  const literal = /^-?0[0-7]+$/.test(text) ? text.replace("0", "0o") : text.replace("0X", "0x");
  const exact = value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
  return exact ? literal : `${literal}n`;
}

import { inspect } from "node:util";

/** As Node words what a caller has done wrong. */

export function invalidType(argument: string, expected: string, value: unknown): TypeError {
  const kind = argument.includes(".") ? "property" : "argument";
  const message = `The "${argument}" ${kind} must be ${expected}. Received ${described(value)}`;
  return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
}

export function invalidValue(argument: string, why: string, value: unknown): TypeError {
  const message = `The argument '${argument}' ${why}. Received ${inspect(value)}`;
  return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_VALUE" });
}

export function outOfRange(argument: string, range: string, value: unknown): RangeError {
  const message = `The value of "${argument}" is out of range. It must be ${range}. Received ${inspect(value)}`;
  return Object.assign(new RangeError(message), { code: "ERR_OUT_OF_RANGE" });
}

/** Two options that contradict each other. */
export function incompatibleOptions(first: string, second: string): TypeError {
  const message = `Option "${first}" cannot be used in combination with option "${second}"`;
  return Object.assign(new TypeError(message), { code: "ERR_INCOMPATIBLE_OPTION_PAIR" });
}

/** A call on a handle that was closed. */
export function fileClosed(syscall: string): Error {
  return Object.assign(new Error("file closed"), { code: "EBADF", syscall });
}

function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "object") {
    const { name } = value.constructor ?? {};
    return name === undefined || name === "" ? inspect(value, { depth: -1 }) : `an instance of ${name}`;
  }
  const text = inspect(value, { colors: false });
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

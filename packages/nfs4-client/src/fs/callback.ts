import { promisify } from "node:util";
import { invalidType } from "./argument-errors.ts";

export type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** The arguments with those at the end left out that may be. */
type Leading<Args extends readonly unknown[]> = number extends Args["length"]
  ? Args
  : Args extends readonly []
    ? []
    : Args extends readonly [infer First, ...infer Rest]
      ? [First, ...Leading<Rest>]
      : Args extends readonly [(infer First)?, ...infer Rest]
        ? [] | [First | undefined, ...Leading<Rest>]
        : never;

/** A method that resolves, as one that takes a callback behind its other arguments. Of overloads the last one counts. */
export type CallbackMethod<Method extends AsyncMethod> = (
  ...args: [...Leading<Parameters<Method>>, Callback<Awaited<ReturnType<Method>>>]
) => void;

/**
 * What calls back with what `method` resolves to; `util.promisify` gives `method` back. `argumentsOf`: what the callback gets if there was no error. Mistakes of the caller reach the
 * callback as well, but for a callback that is missing.
 */
export function withCallback<Args extends readonly unknown[], Result>(
  method: (...args: Args) => Promise<Result>,
  argumentsOf: (result: Result) => readonly unknown[] = (result) => (result === undefined ? [null] : [null, result]),
): (...args: unknown[]) => void {
  const call = (...args: unknown[]): void => {
    const callback = args.pop();
    if (typeof callback !== "function") throw invalidType("cb", "of type function", undefined);
    // What a callback throws is no rejection of ours.
    const answer = (...values: readonly unknown[]): void => queueMicrotask(() => callback(...values));
    method(...(args as unknown as Args)).then(
      (result) => answer(...argumentsOf(result)),
      (error: unknown) => answer(error),
    );
  };
  return Object.assign(call, { [promisify.custom]: method });
}

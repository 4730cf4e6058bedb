/** Working on answers that may be values or promises, without awaiting what is there already. */
import { isErrno } from "./errno.ts";
import type { Awaitable, Result } from "./types.ts";

/** Goes on with a successful answer; a failure passes through. */
export function after<T, U>(
  answer: Awaitable<Result<T>>,
  next: (value: T) => Awaitable<Result<U>>,
): Awaitable<Result<U>> {
  if (answer instanceof Promise) return answer.then((value) => (isErrno(value) ? value : next(value)));
  return isErrno(answer) ? answer : next(answer);
}

/** Goes on with any answer. */
export function whenReady<T, U>(answer: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}

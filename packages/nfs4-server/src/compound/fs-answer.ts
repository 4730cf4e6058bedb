/** From a file system's answers to statuses. */
import type { nfsstat4 } from "@nfs4/protocol";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import type { Awaitable, Result } from "../filesystem/types.ts";

/** Goes on with what a file system answered, or gives its failure as a status. */
export function onAnswer<T, U>(
  answer: Awaitable<Result<T>>,
  next: (value: T) => Awaitable<U | nfsstat4>,
): Awaitable<U | nfsstat4> {
  if (answer instanceof Promise) return answer.then((value) => (isErrno(value) ? statusOfErrno(value) : next(value)));
  return isErrno(answer) ? statusOfErrno(answer) : next(answer);
}

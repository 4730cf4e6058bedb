/** Runs a 4.0 operation that has a seqid in its owner's sequence (RFC 7530 §9.1.7): in order, once, and with the last reply kept. In 4.1 it just runs. */
import { NFS4_OK, NFS4ERR_SERVERFAULT, type nfsstat4 } from "@nfs4/protocol";
import type { CompoundContext } from "../compound/context.ts";
import { errnoOfThrown, statusOfErrno } from "../filesystem/errno.ts";
import type { Awaitable } from "../filesystem/types.ts";
import type { OwnerSequence } from "./owner-sequence.ts";

export interface Sequenced {
  readonly sequence: OwnerSequence | null;
  readonly seqid: number;
  readonly operation: number;
}

export function inSequence<R extends object>(
  context: CompoundContext,
  { sequence, seqid, operation }: Sequenced,
  run: () => Awaitable<R | nfsstat4>,
): Awaitable<R | nfsstat4> {
  if (!sequence) return run();
  const verdict = sequence.admit(seqid, operation);
  switch (verdict.kind) {
    case "busy":
      return verdict.idle.then(() => inSequence(context, { sequence, seqid, operation }, run));
    case "error":
      return verdict.status;
    case "replay":
      context.services.counters.replays++;
      if (verdict.current) context.setCurrent(verdict.current);
      return verdict.reply as R | nfsstat4;
    case "new":
      break;
  }
  const finish = (answer: R | nfsstat4): R | nfsstat4 => {
    sequence.finish(seqid, operation, statusOf(answer), answer, context.current);
    return answer;
  };
  // It counts like any other failure: the client will go on to the next number (RFC 7530 §9.1.7).
  const thrown = (error: unknown): never => {
    const errno = errnoOfThrown(error);
    const status = errno ? statusOfErrno(errno) : NFS4ERR_SERVERFAULT;
    sequence.finish(seqid, operation, status, status, null);
    throw error;
  };
  try {
    const answer = run();
    return answer instanceof Promise ? answer.then(finish, thrown) : finish(answer);
  } catch (error) {
    return thrown(error);
  }
}

/** The status of an operation's answer: a bare one, or the first field of its result. */
export function statusOf(answer: object | nfsstat4): nfsstat4 {
  if (typeof answer === "number") return answer;
  if ("status" in answer) return answer.status as nfsstat4;
  // Some results call it otherwise, "sr_status" say.
  for (const first in answer) {
    const status: unknown = (answer as Record<string, unknown>)[first];
    return typeof status === "number" ? (status as nfsstat4) : NFS4_OK;
  }
  return NFS4_OK;
}

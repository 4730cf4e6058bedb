import type { Clock } from "@nfs4/timecounter";
import { NfsError } from "../errors.ts";

export interface Patience {
  readonly clock: Clock;
  /** Whichever is aborted first ends it, with an AbortError. */
  readonly signals: readonly AbortSignal[];
  /** Infinity: none. */
  readonly timeoutMs: number;
  readonly timedOut: () => Error;
  /** Called if it ends before the work does. */
  readonly gaveUp?: () => void;
}

/** As Node's own calls reject when their signal is aborted; what the client itself has to say stays as it is. */
function abortError(reason: unknown): unknown {
  if (reason instanceof NfsError) return reason;
  return Object.assign(new Error("The operation was aborted", { cause: reason }), {
    name: "AbortError",
    code: "ABORT_ERR",
  });
}

/** What `work` comes to, unless patience ends before. The work goes on unheard. */
export function giveUpAt<T>(work: Promise<T>, { clock, signals, timeoutMs, timedOut, gaveUp }: Patience): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (reason: unknown): void =>
      done(() => {
        gaveUp?.();
        reject(reason);
      });
    const deadline = clock.callout(() => giveUp(timedOut()));
    const onAbort = (): void => giveUp(abortError(signals.find((signal) => signal.aborted)?.reason));
    const done = (settle: () => void): void => {
      deadline.cancel();
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
      settle();
    };
    if (signals.some((signal) => signal.aborted)) {
      onAbort();
      work.catch(() => undefined);
      return;
    }
    for (const signal of signals) signal.addEventListener("abort", onAbort);
    if (timeoutMs !== Number.POSITIVE_INFINITY) deadline.scheduleAfter(timeoutMs * 1000);
    work.then(
      (value) => done(() => resolve(value)),
      (error: unknown) => done(() => reject(error)),
    );
  });
}

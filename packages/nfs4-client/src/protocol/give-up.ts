import type { Clock } from "@nfs4/timecounter";

export interface Patience {
  readonly clock: Clock;
  /** Whichever is aborted first ends it, with its reason. */
  readonly signals: readonly AbortSignal[];
  /** Infinity: none. */
  readonly timeoutMs: number;
  readonly timedOut: () => Error;
}

/** What `work` comes to, unless patience ends before. The work goes on unheard. */
export function giveUpAt<T>(work: Promise<T>, { clock, signals, timeoutMs, timedOut }: Patience): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = clock.callout(() => done(() => reject(timedOut())));
    const onAbort = (): void => {
      const aborted = signals.find((signal) => signal.aborted);
      done(() => reject(aborted?.reason));
    };
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

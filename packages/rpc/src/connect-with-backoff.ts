import type { ByteStream, Connector } from "@nfs4/bytestream";
import type { Clock, RandomSource } from "@nfs4/timecounter";

export interface BackoffOptions {
  readonly connector: Connector;
  readonly to: { readonly address: string; readonly port: number };
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Ends the attempts; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** How often to try. Default: until the signal. */
  readonly attempts?: number;
  /** For each attempt. Default: the connector's own. */
  readonly timeoutMs?: number;
  /** The first pause is about so long; each is twice the one before, up to `maxDelayMs`. Default 100. */
  readonly firstDelayMs?: number;
  /** Default 15,000. */
  readonly maxDelayMs?: number;
}

/**
 * Connects, and tries again with growing pauses while that fails: the pause before attempt n is drawn from half to all of
 * `firstDelayMs` × 2ⁿ, so that the clients of a server that restarts do not come all at once. Rejects with the last attempt's error.
 */
export async function connectWithBackoff(options: BackoffOptions): Promise<ByteStream> {
  const { connector, to, clock, random, signal } = options;
  const connectOptions = {
    ...(signal === undefined ? {} : { signal }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
  let delay = options.firstDelayMs ?? 100;
  for (let left = options.attempts ?? Number.POSITIVE_INFINITY; ; left--) {
    try {
      return await connector.connect(to, connectOptions);
    } catch (error) {
      signal?.throwIfAborted();
      if (left <= 1) throw error;
    }
    await pause(clock, delay * (0.5 + random.uint32() / 2 ** 33), signal);
    delay = Math.min(2 * delay, options.maxDelayMs ?? 15_000);
  }
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      callout.cancel();
      signal?.removeEventListener("abort", done);
      if (signal?.aborted === true) reject(signal.reason);
      else resolve();
    };
    const callout = clock.callout(done);
    callout.scheduleAfter(delayMs * 1000);
    signal?.addEventListener("abort", done);
  });
}

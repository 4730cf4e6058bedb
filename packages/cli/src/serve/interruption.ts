/** How a serving process is asked to end. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What shells give for a process that was interrupted. */
const INTERRUPTED = 130;
/** One Ctrl-C arrives twice where npm stands between: from the terminal, and passed on by npm. */
const SAME_MS = 300;

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. The second one ends the process at once, whatever is under way. */
export function interruption(): Promise<void> {
  return new Promise((resolve) => {
    let first: number | null = null;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        first ??= performance.now();
        if (performance.now() - first > SAME_MS) process.exit(INTERRUPTED);
        resolve();
      });
    }
  });
}

/** Ends the process with status 1 if `work` takes longer than `ms`, after telling why. */
export async function within(ms: number, work: Promise<void>, tell: (text: string) => void): Promise<void> {
  const timer = setTimeout(() => {
    tell(`something does not stop within ${ms / 1000} s: ending without it`);
    process.exit(1);
  }, ms);
  try {
    await work;
  } finally {
    clearTimeout(timer);
  }
}

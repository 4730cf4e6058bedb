import type { Guest } from "../harness/guest.ts";

/** A user at work on a mount beside the attacks (guest/programs/steady.py). */
export interface Bystander {
  /** Settles when a round of work that began after this call has succeeded; gives what was slowest since the last call. */
  getsOn(): Promise<string>;
  /** Ends the work; gives how much it was, and what went wrong. */
  stop(): Promise<{ readonly rounds: number; readonly errors: readonly string[] }>;
}

const script = "/run/e2e/guest/programs/steady.py";
const progress = "/tmp/steady-progress";
const stop = "/tmp/steady-stop";

export async function startBystander(guest: Guest, directory: string): Promise<Bystander> {
  const work = guest.must(`exec python3 -B ${script} ${directory} ${stop} ${progress}`, { timeoutMs: 600_000 });
  work.catch(() => undefined);
  let seen = 0;
  const getsOn = async (): Promise<string> => {
    // The round that is under way does not count, so two more.
    const output = await guest.must(
      `touch ${progress}
      wanted=$(($(wc -l < ${progress}) + 2))
      until [ $(wc -l < ${progress}) -ge $wanted ]; do sleep 0.1; done
      tail -n +${seen + 1} ${progress} | sort -rn | head -1
      wc -l < ${progress}`,
    );
    const [slowest = "", count = ""] = output.trim().split("\n");
    seen = Number(count);
    return slowest.replace(/^(\d+) /, "$1 ms for ");
  };
  await getsOn();
  return {
    getsOn,
    async stop() {
      await guest.must(`touch ${stop}`);
      return JSON.parse(await work) as { rounds: number; errors: string[] };
    },
  };
}

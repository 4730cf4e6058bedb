import { ActorError, startActor } from "../harness/actor.ts";
import type { Guest } from "../harness/guest.ts";
import { inFreshDirectory, otherClient, runProgram, type WorkloadContext } from "./context.ts";

export interface ServerCrashOptions {
  /** Kills the server in the middle of its work and starts it again on the same state; settles when it answers. */
  crash(): Promise<void>;
  /** Default 2. */
  readonly crashes?: number;
  /** Within this time after each crash the clients must get on with their work: grace, and what they wait between attempts. Default 60 s. */
  readonly recoveryMs?: number;
}

/**
 * The server crashes while one guest writes: the guest carries on by itself, everything that was synced is there, and the locks of both guests
 * are still theirs.
 */
export async function serverCrash(ctx: WorkloadContext, options: ServerCrashOptions): Promise<string> {
  const { crash, crashes = 2, recoveryMs = 60_000 } = options;
  const other = otherClient(ctx);
  return await inFreshDirectory(ctx, "server-crash", async (directory, relative) => {
    const notes = `/tmp/${relative}.notes`;
    const a = await startActor(ctx.guest, "a");
    const b = await startActor(other.guest, "b");
    try {
      for (const [actor, client] of [
        [a, ctx],
        [b, other],
      ] as const) {
        await actor.open("file", `${client.mountPoint}/${relative}/locked`);
      }
      await a.write("file", 0, "a");
      await a.lock("file", "write", 0, 100);
      await b.lock("file", "write", 200, 100);
      await b.lock("file", "read", 300, 100);

      const totalMs = 30_000 + crashes * recoveryMs;
      const writing = runProgram(ctx.guest, "durable.py", ["write", directory, notes], { timeoutMs: totalMs });
      writing.catch(() => undefined);
      const pauses: number[] = [];
      let noted = await progress(ctx.guest, notes, 50, 20_000);
      for (let round = 0; round < crashes; round++) {
        await crash();
        const began = Date.now();
        noted = await progress(ctx.guest, notes, noted + 50, recoveryMs);
        pauses.push(Date.now() - began);
      }
      await ctx.guest.must(`touch ${notes}.stop`);
      await writing;
      const kept = await runProgram(ctx.guest, "durable.py", ["check", directory, notes], { timeoutMs: 60_000 });

      await refused(b.lock("file", "read", 50, 1), "a's lock is lost");
      await refused(a.lock("file", "write", 250, 1), "b's lock is lost");
      await refused(a.lock("file", "write", 350, 1), "b's read lock is lost");
      await a.lock("file", "read", 350, 1);
      await a.write("file", 1, "still open");
      await a.sync("file");
      await a.lock("file", "unlock", 0, 0);
      await b.lock("file", "write", 0, 100);
      const read = await b.read("file", 0, 11);
      if (read !== "astill open") throw new Error(`b reads ${read} under its new lock`);
      return `${kept.trim()}; work went on ${pauses.map((ms) => (ms / 1000).toFixed(1)).join(" and ")} s after a crash`;
    } finally {
      await ctx.guest.run(`touch ${notes}.stop`);
      await a.stop();
      await b.stop();
    }
  });
}

/** Waits until there are at least so many notes; gives how many there are. */
async function progress(guest: Guest, notes: string, wanted: number, timeoutMs: number): Promise<number> {
  const output = await guest.must(
    `lines=0
    while [ $lines -lt ${wanted} ]; do
      sleep 0.2
      [ -e ${notes} ] && lines=$(wc -l < ${notes})
    done
    echo $lines`,
    { timeoutMs },
  );
  return Number(output);
}

async function refused(attempt: Promise<void>, otherwise: string): Promise<void> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof ActorError && (error.code === "EAGAIN" || error.code === "EACCES")) return;
    throw error;
  }
  throw new Error(otherwise);
}

import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

export interface RandomOperationsOptions {
  /** Default: drawn at random. A failure names it. */
  readonly seed?: number;
  /** Default 10,000. */
  readonly steps?: number;
}

/** Random operations on the mount and on a tmpfs alike, compared after each step. */
export async function randomOperations(ctx: WorkloadContext, options: RandomOperationsOptions = {}): Promise<string> {
  const { seed = Math.floor(Math.random() * 2 ** 31), steps = 10_000 } = options;
  return await inFreshDirectory(ctx, "random-operations", async (directory, relative) => {
    const local = `/tmp/${relative}`;
    await ctx.guest.must(`mkdir ${local}`);
    try {
      const args = [directory, local, seed, steps];
      return await runProgram(ctx.guest, "random_operations.py", args, { timeoutMs: 30_000 + steps * 30 });
    } finally {
      await ctx.guest.run(`rm -rf ${local}`);
    }
  });
}

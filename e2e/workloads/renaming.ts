import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

/** Rename over open files and of open files, of directories, under a reader; reading and writing what has been unlinked. */
export async function renaming(ctx: WorkloadContext): Promise<string> {
  return await inFreshDirectory(ctx, "renaming", async (directory) => {
    return await runProgram(ctx.guest, "renaming.py", [directory], { timeoutMs: 120_000 });
  });
}

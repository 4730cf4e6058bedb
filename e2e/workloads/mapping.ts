import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

/** mmap: shared and private, against read and write, flushed by msync and by munmap, beyond the end, of a growing file. */
export async function mapping(ctx: WorkloadContext): Promise<string> {
  return await inFreshDirectory(ctx, "mapping", async (directory) => {
    return await runProgram(ctx.guest, "mapping.py", [directory], { timeoutMs: 60_000 });
  });
}

import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

/** Appending from several processes, truncating, growing, O_TRUNC, offsets beyond 32 bits. */
export async function fileSizes(ctx: WorkloadContext): Promise<string> {
  return await inFreshDirectory(ctx, "file-sizes", async (directory) => {
    return await runProgram(ctx.guest, "file_sizes.py", [directory], { timeoutMs: 60_000 });
  });
}

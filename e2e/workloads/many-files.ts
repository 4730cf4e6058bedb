import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

/** Thousands of files in one directory: created, listed while half of them are exchanged for others, removed. */
export async function manyFiles(ctx: WorkloadContext, options: { files?: number } = {}): Promise<string> {
  return await inFreshDirectory(ctx, "many-files", async (directory) => {
    return await runProgram(ctx.guest, "many_files.py", [directory, options.files ?? 10_000], { timeoutMs: 300_000 });
  });
}

import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

/** Hard and symbolic links, special files, odd and long names, deep paths. */
export async function links(ctx: WorkloadContext): Promise<string> {
  return await inFreshDirectory(ctx, "links", async (directory) => {
    return await runProgram(ctx.guest, "links.py", [directory], { timeoutMs: 60_000 });
  });
}

import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

/** Other users and groups: owner, group and other bits, supplementary groups, sticky and set-group-ID directories, set-ID bits. */
export async function permissions(ctx: WorkloadContext): Promise<string> {
  return await inFreshDirectory(ctx, "permissions", async (directory) => {
    return await runProgram(ctx.guest, "permissions.py", [directory], { timeoutMs: 60_000 });
  });
}

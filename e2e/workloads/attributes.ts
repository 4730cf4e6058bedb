import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

export interface AttributesOptions {
  /** Granularity of the server's times; default 1. */
  readonly granularityNs?: number;
  /** Whether the times of symbolic links can be set; default true. */
  readonly linkTimes?: boolean;
}

/** chmod, chown, utimes in ns, what moves which time, umask, link counts, inode numbers, statfs. */
export async function attributes(ctx: WorkloadContext, options: AttributesOptions = {}): Promise<string> {
  const { granularityNs = 1, linkTimes = true } = options;
  return await inFreshDirectory(ctx, "attributes", async (directory) => {
    const args = [directory, granularityNs, linkTimes ? "yes" : "no"];
    return await runProgram(ctx.guest, "attributes.py", args, { timeoutMs: 60_000 });
  });
}

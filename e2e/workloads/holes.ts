import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

export interface HolesOptions {
  /** `exact` where the server answers SEEK (4.2); before that the client says that all is data. */
  readonly seek: "exact" | "trivial";
  /** Whether the server answers ALLOCATE and DEALLOCATE (4.2). */
  readonly allocate: boolean;
}

/** Sparse files: SEEK_HOLE and SEEK_DATA, reserving space and punching holes. */
export async function holes(ctx: WorkloadContext, options: HolesOptions): Promise<string> {
  return await inFreshDirectory(ctx, "holes", async (directory) => {
    const space = options.allocate ? "yes" : "no";
    return await runProgram(ctx.guest, "holes.py", [directory, options.seek, space], { timeoutMs: 60_000 });
  });
}

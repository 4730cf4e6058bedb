import { inFreshDirectory, runProgram, type WorkloadContext } from "./context.ts";

export interface SqliteOptions {
  /** Processes that write at once; default 3. */
  readonly writers?: number;
  /** Of each; default 25. */
  readonly transactions?: number;
}

/** SQLite in each journal mode (WAL too: its shared memory is a mapped file), with several processes writing at once. */
export async function sqlite(ctx: WorkloadContext, options: SqliteOptions = {}): Promise<string> {
  const { writers = 3, transactions = 25 } = options;
  return await inFreshDirectory(ctx, "sqlite", async (directory) => {
    return await runProgram(ctx.guest, "databases.py", [directory, writers, transactions], { timeoutMs: 240_000 });
  });
}

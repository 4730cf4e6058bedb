import { inFreshDirectory, type WorkloadContext } from "./context.ts";

export interface CrashUnderWritesOptions {
  /** Kills the server in the middle of its work and starts it again on the same state; settles when it answers. */
  crash(): Promise<void>;
  /** Default 64. */
  readonly mebibytes?: number;
}

/**
 * The server crashes while data is on its way to it that it has not promised to keep, and again while a client reads: whoever waits for the
 * data gets all of it, only later.
 */
export async function crashUnderWrites(ctx: WorkloadContext, options: CrashUnderWritesOptions): Promise<string> {
  const { crash, mebibytes = 64 } = options;
  return await inFreshDirectory(ctx, "crash-under-writes", async (directory, relative) => {
    const own = `/tmp/${relative}`;
    const timeoutMs = 180_000;
    const reach = (count: number): Promise<unknown> =>
      ctx.guest.must(`until [ "$(cat ${own}/progress)" -ge ${count} ]; do sleep 0.05; done`, { timeoutMs: 60_000 });
    // Without the lower bound the client would keep everything to itself until the end.
    await ctx.guest.must(
      `mkdir ${own} && echo 0 > ${own}/progress && echo $((4 << 20)) > /proc/sys/vm/dirty_background_bytes
      head -c ${mebibytes}M /dev/urandom > ${own}/source`,
    );
    // A mebibyte at a time, so that there is a middle to crash in.
    const slowly = (file: string): string =>
      `i=0; while [ $i -lt ${mebibytes} ]; do
        dd if=${file} bs=1M count=1 skip=$i status=none || exit 1
        i=$((i + 1)); echo $i > ${own}/progress
      done`;
    try {
      const writing = ctx.guest.must(
        `{ ${slowly(`${own}/source`)}; } | dd of='${directory}/file' bs=1M iflag=fullblock conv=fsync status=none`,
        { timeoutMs },
      );
      writing.catch(() => undefined);
      await reach(mebibytes / 2);
      await crash();
      await writing;
      const written = Date.now();
      await ctx.guest.must(`drop_caches; echo 0 > ${own}/progress`);
      const reading = ctx.guest.must(`{ ${slowly(`'${directory}/file'`)}; } | cmp - ${own}/source`, { timeoutMs });
      reading.catch(() => undefined);
      await reach(mebibytes / 4);
      await crash();
      await reading;
      return `reading took ${((Date.now() - written) / 1000).toFixed(1)} s, crash included`;
    } finally {
      await ctx.guest.run(`echo 10 > /proc/sys/vm/dirty_background_ratio; rm -r ${own}`);
    }
  });
}

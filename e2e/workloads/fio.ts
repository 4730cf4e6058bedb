import { inFreshDirectory, type WorkloadContext } from "./context.ts";

/**
 * fio writing blocks that carry their own checksums and reading them again: in order and at random, cached, direct and mapped, with several
 * processes.
 */
export async function fio(ctx: WorkloadContext, options: { mebibytes?: number } = {}): Promise<string> {
  const { mebibytes = 24 } = options;
  const jobs = {
    sequential: "rw=write bs=1M ioengine=psync verify=sha256 end_fsync=1",
    random: "rw=randwrite bsrange=512-64k blockalign=512 ioengine=psync verify=crc32c verify_backlog=512 fsync=100",
    direct: "rw=randwrite bs=4k direct=1 ioengine=libaio iodepth=16 verify=crc32c",
    mapped: "rw=randwrite bs=4k ioengine=mmap verify=crc32c",
    mixed: "rw=randrw rwmixread=50 bs=16k ioengine=psync verify=xxhash verify_backlog=64 numjobs=3",
  };
  return await inFreshDirectory(ctx, "fio", async (directory) => {
    const lines = Object.entries(jobs).map(([name, words]) => {
      const settings = words.split(" ").map((word) => `--${word}`);
      return `fio --name=${name} --directory='${directory}' --size=${mebibytes}M --do_verify=1 --verify_fatal=1 --verify_dump=0 \
        --randseed=1 --thread=0 --minimal ${settings.join(" ")} > /tmp/fio.out 2>&1 || fail "${name}: $(cat /tmp/fio.out)"
        echo "${name}: $(wc -l < /tmp/fio.out) processes"
        rm -f '${directory}'/*; drop_caches`;
    });
    return await ctx.guest.must(`cd /tmp\n${lines.join("\n")}`, { timeoutMs: 240_000 });
  });
}

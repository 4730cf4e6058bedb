import { inFreshDirectory, type WorkloadContext } from "./context.ts";

/** statfs, as df shows it: space is taken by writing and comes back by removing. */
export async function fileSystemSpace(ctx: WorkloadContext, options: { mebibytes?: number } = {}): Promise<string> {
  const { mebibytes = 64 } = options;
  return await inFreshDirectory(ctx, "file-system-space", async (directory) => {
    // Others may use the server's disk meanwhile, so half of the change has to do.
    return await ctx.guest.must(
      `cd '${directory}'
      used() { drop_caches; df -k . | awk 'NR == 2 { print $3 }'; }
      df -k . | awk 'NR == 2 && !($2 > 0 && $3 >= 0 && $4 > 0 && $3 + $4 <= $2 * 1.01) { exit 1 }' || fail "$(df -k .)"
      df -i . | awk 'NR == 2 && !($2 == 0 || $4 > 0) { exit 1 }' || fail "$(df -i .)"
      before=$(used)
      head -c ${mebibytes}M /dev/urandom > filler && sync filler || fail write
      full=$(used)
      [ $((full - before)) -ge ${mebibytes * 512} ] || fail "used $before KiB, and $full after writing ${mebibytes} MiB"
      [ $(du -k filler | cut -f1) -ge ${mebibytes * 1000} ] || fail "du: $(du -k filler)"
      rm filler
      after=$(used)
      [ $((full - after)) -ge ${mebibytes * 512} ] || fail "used $full KiB, and $after after removing ${mebibytes} MiB"`,
      { timeoutMs: 60_000 },
    );
  });
}

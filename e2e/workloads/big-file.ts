import { inFreshDirectory, type WorkloadContext } from "./context.ts";

/** A big file written and read back, through the page cache and around it (O_DIRECT), compared by checksum. */
export async function bigFile(ctx: WorkloadContext, options: { mebibytes?: number } = {}): Promise<string> {
  const { mebibytes = 256 } = options;
  return await inFreshDirectory(ctx, "big-file", async (directory) => {
    return await ctx.guest.must(
      `cd '${directory}'
      mkfifo /tmp/big-file.$$
      sha256sum < /tmp/big-file.$$ > /tmp/wanted.$$ &
      head -c ${mebibytes}M /dev/urandom | tee /tmp/big-file.$$ | dd of=cached bs=1M iflag=fullblock conv=fsync status=none || fail write
      wait $!
      read -r wanted rest < /tmp/wanted.$$
      rm /tmp/big-file.$$ /tmp/wanted.$$
      drop_caches

      same() { [ "$2" = "$wanted" ] || fail "$1: $2, expected $wanted"; }
      sum() { sha256sum | cut -d' ' -f1; }
      size=$(stat -c %s cached)
      [ "$size" = ${mebibytes * 2 ** 20} ] || fail "size $size"
      same "read through the cache" "$(sum < cached)"
      same "read directly" "$(dd if=cached bs=1M iflag=direct status=none | sum)"
      dd if=cached of=direct bs=4M oflag=direct status=none || fail "direct write"
      rm cached
      drop_caches
      same "read what was written directly" "$(dd if=direct bs=1M iflag=direct status=none | sum)"
      same "read the same through the cache" "$(sum < direct)"
      rm direct`,
      { timeoutMs: 240_000 },
    );
  });
}

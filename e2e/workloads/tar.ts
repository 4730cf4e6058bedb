import { inFreshDirectory, type WorkloadContext } from "./context.ts";

export interface TarOptions {
  /** Default 2000. */
  readonly files?: number;
  /** Whether the times of symbolic links can be set; default true. */
  readonly linkTimes?: boolean;
}

/**
 * A large tree, unpacked on the mount, compared by tar and by diff, and packed again: the second archive is the first one byte for byte, so names,
 * contents, modes, owners, times and hard links have all come through.
 */
export async function tar(ctx: WorkloadContext, options: TarOptions = {}): Promise<string> {
  const { files = 2_000, linkTimes = true } = options;
  return await inFreshDirectory(ctx, "tar", async (directory) => {
    return await ctx.guest.must(
      `w=$(mktemp -d)
      pack() { # ARCHIVE TREE [find's expression]
        archive=$1 tree=$2; shift 2
        (cd $tree && find . "$@" -print0 | sort -z) | tar --null --no-recursion --numeric-owner --format=posix \
          --pax-option='exthdr.name=%d/pax/%f,delete=atime,delete=ctime' -cf $archive -C $tree -T -
      }
      python3 -B /run/e2e/guest/programs/make_tree.py $w/tree ${files} tar || fail "no tree"
      pack $w/all.tar $w/tree || fail pack
      mkdir '${directory}/tree'
      tar --numeric-owner -xpf $w/all.tar -C '${directory}/tree' || fail unpack
      drop_caches
      tar --numeric-owner --compare -f $w/all.tar -C '${directory}/tree' || fail compare
      diff -r --no-dereference $w/tree '${directory}/tree' || fail diff
      pack $w/first.tar $w/tree ${linkTimes ? "" : "! -type l"}
      pack '${directory}/second.tar' '${directory}/tree' ${linkTimes ? "" : "! -type l"} || fail "pack on the mount"
      drop_caches
      cmp $w/first.tar '${directory}/second.tar' || fail "the second archive differs"
      rm -r '${directory}/tree' || fail remove
      du -h $w/first.tar | cut -f1
      rm -r $w`,
      { timeoutMs: 240_000 },
    );
  });
}

import { inFreshDirectory, type WorkloadContext } from "./context.ts";

/** A git repository on the mount: hundreds of files committed, changed, repacked, cloned, branched, merged and checked. */
export async function git(ctx: WorkloadContext, options: { files?: number } = {}): Promise<string> {
  const { files = 500 } = options;
  return await inFreshDirectory(ctx, "git", async (directory) => {
    return await ctx.guest.must(
      `cd '${directory}'
      export HOME=/tmp GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org
      exec 2>&1
      set -e
      git init -q -b main repository
      cd repository
      git config core.fsync all
      awk -v files=${files} 'BEGIN {
        for (i = 0; i < files; i++) {
          directory = "d" i % 20
          if (i < 20) system("mkdir " directory)
          file = directory "/file" i
          for (line = 0; line < 20 + i % 50; line++) print "file", i, "line", line, (i * 7919 + line * 104729) % 1000003 > file
          close(file)
        }
      }'
      git add .
      git commit -q -m first
      [ $(git ls-tree -r HEAD | wc -l) = ${files} ] || fail "$(git ls-tree -r HEAD | wc -l) files committed"
      [ -z "$(git status --porcelain)" ] || fail "changes after a commit: $(git status --porcelain | head)"

      for f in d1/*; do echo changed >> "$f"; done
      git rm -q d2/file2
      git mv d3/file3 d4/moved
      git commit -q -a -m second
      git checkout -q -b side HEAD~1
      echo side > d5/side
      git add d5/side
      git commit -q -m side
      git checkout -q main
      git merge -q -m merged side
      [ "$(cat d5/side)" = side ] && [ ! -e d2/file2 ] && [ -e d4/moved ] || fail "the merge lost something"
      drop_caches

      git gc -q --prune=now
      [ $(find .git/objects -type f -name '*.pack' | wc -l) = 1 ] || fail "packs: $(find .git/objects -name '*.pack')"
      git fsck --full --strict || fail fsck
      cd ..
      git clone -q --no-local repository clone
      cd clone
      git fsck --full --strict || fail "fsck of the clone"
      [ "$(git rev-parse HEAD^{tree})" = "$(git -C ../repository rev-parse HEAD^{tree})" ] || fail "another tree in the clone"
      diff -r --exclude=.git ../repository . || fail "the clone differs"
      drop_caches
      [ -z "$(git status --porcelain)" ] || fail "changes in the clone: $(git status --porcelain | head)"`,
      { timeoutMs: 180_000 },
    );
  });
}

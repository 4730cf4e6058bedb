import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Namespace } from "../harness/namespace.ts";
import { createScratchDirectory } from "../harness/scratch.ts";
import { inFreshDirectory, type WorkloadContext } from "./context.ts";

export interface LibnfsOptions {
  /** Where libnfs runs. */
  readonly namespace: Namespace;
  readonly address: string;
  /** Default 2049. */
  readonly port?: number;
  /** The server's path of the context's mount point. */
  readonly path: string;
}

/** A second implementation as the client, over 4.0, not in a guest: libnfs lists, prints and downloads what the guest has made. */
export async function libnfs(ctx: WorkloadContext, options: LibnfsOptions): Promise<string> {
  const { namespace, address, port = 2049, path } = options;
  const scratch = createScratchDirectory("libnfs");
  const download = scratch.path;
  try {
    return await inFreshDirectory(ctx, "libnfs", async (directory, relative) => {
      const sums = await ctx.guest.must(
        `cd '${directory}'
        echo "a line of text" > text
        head -c 20000000 /dev/urandom > large
        : > empty
        mkdir sub && echo below > sub/file && ln -s text link && chmod 640 text && chown 11:22 text
        i=0; while [ $i -lt 300 ]; do : > sub/n$i; i=$((i + 1)); done
        sync large
        sha256sum large | cut -d' ' -f1`,
      );
      const url = (file: string): string => `nfs://${address}${path}/${relative}/${file}?version=4&nfsport=${port}`;

      const listing = await namespace.must(["nfs-ls", url("")]);
      const lines = new Map(
        listing
          .trim()
          .split("\n")
          .map((line) => [line.trim().split(/\s+/).at(-1), line.trim().split(/\s+/)]),
      );
      same("listed names", [...lines.keys()].sort().join(), "empty,large,link,sub,text");
      same(
        "mode, links, owner, group and size of a file",
        lines.get("text")?.slice(0, 5).join(" "),
        "-rw-r----- 1 11 22 15",
      );
      same("size of a large file", lines.get("large")?.[4], "20000000");
      same("type of a directory", lines.get("sub")?.[0], "drwxr-xr-x");
      same("type of a link", lines.get("link")?.[0]?.[0], "l");
      const below = await namespace.must(["nfs-ls", url("sub")]);
      same("entries of a larger directory", below.trim().split("\n").length, 301);

      same("printed", await namespace.must(["nfs-cat", url("text")]), "a line of text\n");
      const copy = join(download, "large");
      await namespace.must(["nfs-cp", url("large"), copy], { timeoutMs: 60_000 });
      same(
        "downloaded",
        createHash("sha256")
          .update(await readFile(copy))
          .digest("hex"),
        sums.trim(),
      );

      const missing = await namespace.run(["nfs-cat", url("missing")]);
      if (missing.code === 0 || !/NOENT/.test(missing.stderr + missing.stdout)) {
        throw new Error(`a missing file: status ${missing.code}, ${missing.stderr}`);
      }
      return "";
    });
  } finally {
    scratch.remove();
  }
}

function same(what: string, actual: unknown, wanted: unknown): void {
  if (actual !== wanted) throw new Error(`libnfs: ${what}: ${String(actual)}, expected ${String(wanted)}`);
}

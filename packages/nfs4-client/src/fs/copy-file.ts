import { constants } from "node:fs";
import type { RunOptions } from "../client.ts";
import { NfsError } from "../errors.ts";
import { Compound } from "../protocol/compound.ts";
import { openModeOf } from "./flags.ts";
import { openPath } from "./opening.ts";
import type { ParsedPath } from "./path.ts";
import { attributesOf } from "./resolver.ts";
import { STAT_ATTRIBUTES, Stats } from "./stats.ts";
import { Transfer } from "./transfer.ts";
import type { Tree } from "./tree.ts";

/** Bytes that are here at once. */
const CHUNK = 4 << 20;
const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE, O_CREAT, O_EXCL, O_WRONLY } = constants;

/**
 * Copies a file's bytes and permissions, a piece at a time through this process. With COPYFILE_FICLONE_FORCE it fails (ENOSYS): the copy would have to be one of
 * references, which is not asked for yet.
 */
export async function copyFile(
  tree: Tree,
  from: ParsedPath,
  to: ParsedPath,
  mode: number,
  umask: number,
  context: RunOptions,
): Promise<void> {
  if ((mode & COPYFILE_FICLONE_FORCE) !== 0) throw new NfsError("ENOSYS", "function not implemented", context);
  const { client } = tree.mount;
  const source = await openPath(tree, from, openModeOf("r"), 0, context);
  try {
    const asked = new Compound("copyfile").putFh(() => source.handle);
    const step = asked.getAttributes(STAT_ATTRIBUTES);
    await client.run(asked, { ...context, file: source });
    const stats = new Stats(attributesOf(step));
    // Not cut off by being opened: it may be the source by another name.
    const how = openModeOf(O_WRONLY | O_CREAT | ((mode & COPYFILE_EXCL) === 0 ? 0 : O_EXCL));
    const target = await openPath(tree, to, how, stats.mode & 0o7777 & ~umask, context);
    try {
      if (Buffer.compare(source.handle, target.handle) === 0) return;
      const cut = new Compound("copyfile").putFh(() => target.handle);
      cut.setAttributes({ size: 0n }, () => target.ioStateid);
      await client.run(cut, { ...context, file: target });
      const [reading, writing] = [new Transfer(tree.mount, source), new Transfer(tree.mount, target)];
      for (let at = 0; ; ) {
        const chunk = new Uint8Array(Math.min(CHUNK, Math.max(stats.size - at, 1)));
        const count = await reading.read(chunk, at, context);
        if (count === 0) break;
        await writing.write(chunk.subarray(0, count), at, false, context);
        at += count;
      }
      await writing.commit(context);
    } finally {
      await client.close(target, context);
    }
  } finally {
    await client.close(source, context);
  }
}

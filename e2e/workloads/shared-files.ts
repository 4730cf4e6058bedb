import { type Actor, ActorError, startActor } from "../harness/actor.ts";
import { inFreshDirectory, otherClient, type WorkloadContext } from "./context.ts";

/** One file in two guests: what one has closed the other sees when it opens (close-to-open), and what one unlinks the other goes on using. */
export async function sharedFiles(ctx: WorkloadContext): Promise<string> {
  const other = otherClient(ctx);
  return await inFreshDirectory(ctx, "shared-files", async (directory, relative) => {
    const elsewhere = `${other.mountPoint}/${relative}`;
    const a = await startActor(ctx.guest, "a");
    const b = await startActor(other.guest, "b");
    try {
      await closeToOpen(a, b, `${directory}/file`, `${elsewhere}/file`);
      await unlinkedElsewhere(a, `${directory}/doomed`, () => other.guest.must(`rm '${elsewhere}/doomed'`));
    } finally {
      await a.stop();
      await b.stop();
    }
    // Names: one makes, renames and removes, the other sees it at once if it asks the server.
    await ctx.guest.must(
      `mkdir '${directory}/d' && echo x > '${directory}/d/one' && mv '${directory}/d/one' '${directory}/d/two'`,
    );
    const seen = await other.guest.must(
      `drop_caches; ls '${elsewhere}/d'; mv '${elsewhere}/d/two' '${elsewhere}/d/three'`,
    );
    if (seen !== "two\n") throw new Error(`the other guest sees ${seen}, expected two`);
    const back = await ctx.guest.must(`drop_caches; ls '${directory}/d'; rm -r '${directory}/d'`);
    if (back !== "three\n") throw new Error(`the first guest sees ${back}, expected three`);
    return "";
  });
}

async function closeToOpen(a: Actor, b: Actor, pathOfA: string, pathOfB: string): Promise<void> {
  let version = "";
  for (let round = 0; round < 10; round++) {
    const [writer, reader] = round % 2 === 0 ? ([a, b] as const) : ([b, a] as const);
    version = `version ${round} `.repeat(50 + round * 100);
    await writer.open("file", writer === a ? pathOfA : pathOfB, ["RDWR", "CREAT", "TRUNC"]);
    await writer.write("file", 0, version);
    await writer.close("file");
    await reader.open("file", reader === a ? pathOfA : pathOfB, ["RDONLY"]);
    const read = await reader.read("file", 0, 1_000_000);
    if (read !== version)
      throw new Error(`round ${round}: ${reader.name} read ${read.length} bytes beginning ${read.slice(0, 20)}`);
    await reader.close("file");
  }
}

/** A file that another client unlinks stays until its last close (RFC 8881 §18.25.4 leaves that to the server; ours promises it). */
async function unlinkedElsewhere(a: Actor, path: string, unlink: () => Promise<unknown>): Promise<void> {
  await a.open("doomed", path);
  await a.write("doomed", 0, "still here");
  await a.sync("doomed");
  await unlink();
  await a.write("doomed", 10, ", and growing");
  await a.sync("doomed");
  const read = await a.read("doomed", 0, 100);
  if (read !== "still here, and growing") throw new Error(`read from an unlinked file: ${read}`);
  await a.close("doomed");
  await a.open("doomed", path, ["RDONLY"]).then(
    () => {
      throw new Error("an unlinked file can be opened by its name");
    },
    (error: unknown) => {
      if (!(error instanceof ActorError) || (error.code !== "ENOENT" && error.code !== "ESTALE")) throw error;
    },
  );
}

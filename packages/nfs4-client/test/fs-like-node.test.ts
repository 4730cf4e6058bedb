/** The same table run with `node:fs/promises` on a local directory and with ours on an export. */
import * as fsPromises from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type NfsPromises, type NfsVersion } from "../src/index.ts";
import { CASES, type Case, type Fs } from "./fs-table.ts";
import { type LoopbackServer, startLoopbackServer } from "./loopback.ts";

let server: LoopbackServer;

beforeAll(async () => {
  server = await startLoopbackServer();
});
afterAll(() => server.close());

/** What came of a case: its value, or what of its error programs look at. The directory is "@". */
async function outcome([, run]: Case, fs: Fs, at: string): Promise<unknown> {
  try {
    return { value: await run(fs, at) };
  } catch (error) {
    const { name, code, errno, syscall, path, dest, message } = error as NodeJS.ErrnoException & { dest?: string };
    const short = (text: string | undefined): string | undefined =>
      text?.replaceAll(at, "@").replace(/(tmp-)\w{6}/, "$1XXXXXX");
    // A class of errors of our own, but for what are mistakes of the caller.
    const kind = name === "NfsError" ? "Error" : name;
    return { kind, code, errno, syscall, path: short(path), dest: short(dest), message: short(message) };
  }
}

describe.each<NfsVersion>(["4.2", "4.1"])("as node:fs/promises, over NFSv%s", (version) => {
  let nfs: NfsPromises;
  let local: string;
  let number = 0;

  beforeAll(async () => {
    nfs = await connect(server.url, { version });
    local = await fsPromises.mkdtemp(join(tmpdir(), "nfs-table-"));
    await nfs.mkdir(`/${version}`);
  });
  afterAll(async () => {
    await nfs?.close();
    await fsPromises.rm(local, { recursive: true });
  });

  it.each(CASES)("%s", async (...one) => {
    const [ours, theirs] = [`/${version}/${++number}`, join(local, String(number))];
    await Promise.all([nfs.mkdir(ours), fsPromises.mkdir(theirs)]);
    expect(await outcome(one, nfs as unknown as Fs, ours)).toEqual(await outcome(one, fsPromises, theirs));
  });
});

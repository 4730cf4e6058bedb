/** The same table run with `node:fs/promises` on a local directory and with ours on an export. */
import * as fsPromises from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type NfsPromises, type NfsVersion } from "../src/index.ts";
import { CP_CASES } from "./cp-table.ts";
import { outcome } from "./fs-outcome.ts";
import { CASES, type Case, type Fs } from "./fs-table.ts";
import { GLOB_CASES } from "./glob-table.ts";
import { type LoopbackServer, startLoopbackServer } from "./loopback.ts";
import { WATCH_CASES } from "./watch-table.ts";

const hasGlob = "glob" in fsPromises;
let server: LoopbackServer;

beforeAll(async () => {
  server = await startLoopbackServer();
});
afterAll(() => server.close());

describe.each<NfsVersion>(["4.2", "4.1", "4.0"])("as node:fs/promises, over NFSv%s", (version) => {
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

  const compare = async (...one: Case): Promise<void> => {
    const [ours, theirs] = [`/${version}/${++number}`, join(local, String(number))];
    await Promise.all([nfs.mkdir(ours), fsPromises.mkdir(theirs)]);
    expect(await outcome(one, nfs as unknown as Fs, ours)).toEqual(await outcome(one, fsPromises, theirs));
  };

  it.each([...CASES, ...CP_CASES, ...WATCH_CASES])("%s", compare);

  it.runIf(hasGlob).each(GLOB_CASES)("%s", compare);
});

it.skipIf(hasGlob)("rows about glob are left out, for this Node has none", () => {
  console.info(`left out: ${GLOB_CASES.length} rows about glob, which Node ${process.version} has not`);
});

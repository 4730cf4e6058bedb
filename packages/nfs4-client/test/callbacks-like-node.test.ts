/** The callback-style face against `node:fs`: a table of its own, and by way of promises the one of `node:fs/promises`. */
import * as nodeFs from "node:fs";
import * as fsPromises from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type NfsPromises } from "../src/index.ts";
import { CALLBACK_CASES, type CallbackFs } from "./callbacks-table.ts";
import { CP_CASES } from "./cp-table.ts";
import { outcome } from "./fs-outcome.ts";
import { CASES, type Fs } from "./fs-table.ts";
import { type LoopbackServer, startLoopbackServer } from "./loopback.ts";

let server: LoopbackServer;
let nfs: NfsPromises;
let local: string;
let number = 0;

beforeAll(async () => {
  server = await startLoopbackServer();
  nfs = await connect(server.url);
  local = await fsPromises.mkdtemp(join(tmpdir(), "nfs-callbacks-"));
});
afterAll(async () => {
  await nfs.close();
  await server.close();
  await fsPromises.rm(local, { recursive: true });
});

/** A directory on the export and one beside it. */
async function directories(): Promise<readonly [ours: string, theirs: string]> {
  const [ours, theirs] = [`/${++number}`, join(local, String(number))];
  await Promise.all([nfs.mkdir(ours), fsPromises.mkdir(theirs)]);
  return [ours, theirs];
}

/** The promises' face made of callbacks again; handles are the promises' own. */
function promisesOf({ promises, ...callbacks }: NfsPromises["callbacks"]): Fs {
  const { open, constants, opendir, ...functions } = callbacks;
  const promising = Object.entries(functions)
    .filter(([, value]) => typeof value === "function")
    .map(([name, call]) => [
      name,
      (...args: unknown[]) =>
        new Promise((resolve, reject) =>
          (call as (...all: unknown[]) => void)(...args, (error: unknown, value: unknown) =>
            error === null ? resolve(value) : reject(error),
          ),
        ),
    ]);
  return {
    ...Object.fromEntries(promising),
    constants,
    open: promises.open.bind(promises),
    opendir: promises.opendir.bind(promises),
  };
}

describe("as node:fs", () => {
  it.each(CALLBACK_CASES)("%s", async (...one) => {
    const [ours, theirs] = await directories();
    expect(await outcome(one, nfs.callbacks as unknown as CallbackFs, ours)).toEqual(
      await outcome(one, nodeFs, theirs),
    );
  });

  it("glob, which Node has since 22", async () => {
    const [ours] = await directories();
    for (const name of ["b.txt", "a.txt", "c"]) await nfs.writeFile(`${ours}/${name}`, "");
    const found = await new Promise<string[]>((resolve, reject) =>
      nfs.callbacks.glob("*.txt", { cwd: ours }, (error, value) => (error === null ? resolve(value) : reject(error))),
    );
    expect(found.sort()).toEqual(["a.txt", "b.txt"]);
  });

  it("what a callback throws is an uncaught exception, and no rejection", async () => {
    const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
    nfs.callbacks.stat("/", () => {
      throw new Error("of the callback");
    });
    expect(await thrown).toMatchObject({ message: "of the callback" });
  });
});

describe("as node:fs/promises, with callbacks between", () => {
  it.each([...CASES, ...CP_CASES])("%s", async (...one) => {
    const [ours, theirs] = await directories();
    expect(await outcome(one, promisesOf(nfs.callbacks), ours)).toEqual(await outcome(one, fsPromises, theirs));
  });
});

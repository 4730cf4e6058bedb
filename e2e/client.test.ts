/** The client for Node programs against servers that are not ours, and ours over our stack: what Node does on a local directory, in the same words. */

import * as fsPromises from "node:fs/promises";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome } from "../packages/nfs4-client/test/fs-outcome.ts";
import { CASES } from "../packages/nfs4-client/test/fs-table.ts";
import { type Ganesha, startGanesha } from "./harness/ganesha.ts";
import { isFullRun } from "./harness/matrix.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { startNfs4 } from "./harness/nfs4-command.ts";
import { createScratchDirectory, type ScratchDirectory } from "./harness/scratch.ts";

const program = fileURLToPath(new URL("client/run-table.ts", import.meta.url));

let namespace: Namespace;
let scratch: ScratchDirectory;
/** What Node's own module gives. */
const expected = new Map<string, string>();

beforeAll(async () => {
  scratch = createScratchDirectory("client");
  namespace = await createNamespace();
  for (const [index, one] of CASES.entries()) {
    const at = join(scratch.path, `case-${index}`);
    await mkdir(at);
    expected.set(
      one[0],
      inspect(await outcome(one, fsPromises, at), {
        depth: 20,
        maxArrayLength: 100,
        maxStringLength: 1000,
        breakLength: 120,
      }),
    );
  }
});

afterAll(async () => {
  await namespace?.close();
  scratch?.remove();
});

/** The cases that came out otherwise than with Node, each with both. */
async function differences(
  url: string,
  version: string,
): Promise<Record<string, readonly [string, string | undefined]>> {
  const output = await namespace.must(
    [process.execPath, "--import", "tsx", "--conditions", "source", program, url, version],
    { timeoutMs: 240_000 },
  );
  const results = JSON.parse(output) as [string, string][];
  expect(results).toHaveLength(CASES.length);
  return Object.fromEntries(
    results
      .filter(([name, text]) => text !== expected.get(name))
      .map(([name, text]) => [name, [text, expected.get(name)]]),
  );
}

/** It does not set the times of symbolic links, and says that it did. */
const NOT_GANESHA: ReadonlySet<string> = new Set(["lutimes"]);

describe("NFS-Ganesha", () => {
  let ganesha: Ganesha;
  beforeAll(async () => {
    ganesha = await startGanesha(namespace);
  });
  afterAll(() => ganesha?.stop());

  test.each(isFullRun ? ["4.2", "4.1", "4.0"] : ["4.2", "4.0"])("%s", async (version) => {
    const found = await differences(`nfs://${ganesha.address}${ganesha.path}`, version);
    expect(
      Object.keys(found)
        .filter((name) => !NOT_GANESHA.has(name))
        .map((name) => [name, found[name]]),
    ).toEqual([]);
  });
});

test.each(isFullRun ? ["4.2", "4.1", "4.0"] : ["4.1"])("our server over our stack, %s", async (version) => {
  const flags = ["--memory", "--squash", "none", "--state-dir", join(scratch.path, `state-${version}`)];
  await using server = await startNfs4(flags, { namespace });
  expect(await differences(`nfs://${server.address}:${server.port}/`, version)).toEqual({});
});

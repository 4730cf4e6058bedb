/**
 * Runs the client's table of cases (packages/nfs4-client/test/fs-table.ts) on an export, in a process of its own, since a test's is not in the server's network.
 *
 *   run-table.ts URL VERSION     prints an array of [case, outcome], as text of JSON
 */
import { inspect } from "node:util";
import { connect, type NfsVersion } from "@nfs4/client";
import { outcome } from "../../packages/nfs4-client/test/fs-outcome.ts";
import { CASES, type Fs } from "../../packages/nfs4-client/test/fs-table.ts";

const [url = "", version = "4.2"] = process.argv.slice(2);
await using nfs = await connect(url, { version: version as NfsVersion });
const results: [string, string][] = [];
for (const [index, one] of CASES.entries()) {
  const at = `/case-${version}-${index}`;
  await nfs.mkdir(at);
  results.push([one[0], textOf(await outcome(one, nfs as unknown as Fs, at))]);
}
console.log(JSON.stringify(results));

/** Values that JSON does not have, bigints and bytes, as Node prints them. */
function textOf(value: unknown): string {
  return inspect(value, { depth: 20, maxArrayLength: 100, maxStringLength: 1000, breakLength: 120 });
}

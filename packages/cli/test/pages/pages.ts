/** Pages of docs/ with parts that are made from the code. */
import { readFileSync, writeFileSync } from "node:fs";
import { countersTable, observe, sysctlsTable } from "./counters.ts";
import { flagsTable } from "./flags.ts";
import { withPart } from "./generated-part.ts";

const DOCS = new URL("../../../../docs/", import.meta.url);

export function readPage(name: string): string {
  return readFileSync(new URL(name, DOCS), "utf8");
}

/** What the pages should be, by name. */
export async function freshPages(): Promise<ReadonlyMap<string, string>> {
  const { metrics, sysctls } = await observe();
  const counters = withPart(readPage("sysctls-and-counters.md"), "sysctls", sysctlsTable(sysctls));
  return new Map([
    ["cli.md", withPart(readPage("cli.md"), "flags", flagsTable())],
    ["sysctls-and-counters.md", withPart(counters, "counters", countersTable(metrics))],
  ]);
}

export async function writePages(): Promise<void> {
  for (const [name, text] of await freshPages()) writeFileSync(new URL(name, DOCS), text);
}

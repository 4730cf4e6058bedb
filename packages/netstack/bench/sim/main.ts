/**
 * TCP over simulated paths, two stacks on an in-memory link in virtual time, as tables; the same each time:
 *   npm run bench:sim -w packages/netstack                       prints them
 *   npm run bench:sim -w packages/netstack -- --only NAME        one of them
 *   npm run bench:sim -w packages/netstack -- --write            puts what was run into docs/tcp-simulated.md
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { SimTable } from "./table.ts";
import { TABLES } from "./tables.ts";

const PAGE = fileURLToPath(new URL("../../../../docs/tcp-simulated.md", import.meta.url));
const INTRO = `# TCP over simulated paths

Two stacks of ours on an in-memory link in virtual time. Generated: \`npm run bench:sim -w packages/netstack -- --write\`, or one table of it with
\`--only NAME\`. The same code gives the same numbers, whatever machine it runs on; they say nothing of its speed.
`;

const { values } = parseArgs({
  options: { only: { type: "string" }, write: { type: "boolean", default: false } },
});
const wanted = TABLES.filter((table) => values.only === undefined || table.name === values.only);
if (wanted.length === 0) throw new Error(`no such table; there are: ${TABLES.map((table) => table.name).join(", ")}`);

const sections = new Map<string, string>();
if (existsSync(PAGE)) for (const [name, text] of sectionsOf(readFileSync(PAGE, "utf8"))) sections.set(name, text);
for (const table of wanted) sections.set(table.name, await run(table));
if (values.write) {
  const body = TABLES.map((table) => sections.get(table.name)).filter((section) => section !== undefined);
  writeFileSync(PAGE, [INTRO, ...body].join("\n"));
}

/** Runs a table, printing its rows as they come, and gives its section of the page. */
async function run(table: SimTable): Promise<string> {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  console.log(`${table.title}\n${line(table.columns)}`);
  const rows: string[] = [];
  for await (const row of table.rows()) {
    rows.push(line(row));
    console.log(line(row));
  }
  const rule = line(table.columns.map(() => "---"));
  return `## ${table.title}\n\n<!-- ${table.name} -->\n\n${table.text}\n\n${[line(table.columns), rule, ...rows].join("\n")}\n`;
}

/** The sections that the page has, by the name in the comment below each heading. */
function* sectionsOf(page: string): Generator<[string, string]> {
  for (const part of page.split(/^(?=## )/m)) {
    const name = /<!-- ([a-z0-9-]+) -->/.exec(part)?.[1];
    if (name !== undefined) yield [name, `${part.trimEnd()}\n`];
  }
}

/** What the documents point at is there: files behind links, scripts, packages and tests behind commands. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const top = fileURLToPath(new URL("../../..", import.meta.url));
const documents = [
  "CONTRIBUTING.md",
  "README.md",
  "docker/README.md",
  ...["architecture", "cli", "coverage", "dependencies", "driver-api", "netstack", "rfc9293", "status", "tcp"].map(
    (name) => `docs/${name}.md`,
  ),
  ...["sysctls-and-counters", "ways-in", "decisions/README"].map((name) => `docs/${name}.md`),
];
const read = (path: string): string => readFileSync(join(top, path), "utf8");
const tests = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.test.ts"], {
  cwd: top,
  encoding: "utf8",
}).split("\n");

it.each(documents)("the links of %s lead somewhere", (path) => {
  const targets = [...read(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
  const missing = targets.filter((target) => !existsSync(join(top, dirname(path), target)));
  expect([...new Set(missing)]).toEqual([]);
});

const commands = [...`${read("docs/status.md")}${read("README.md")}`.matchAll(/`((?:npm|unit|e2e) [^`]+)`/g)].map(
  ([, command = ""]) => command,
);

it.each([...new Set(commands)].filter((one) => !/^(unit P|e2e T)$/.test(one)))("%s names what exists", (command) => {
  const unit = /^unit (\S+)$|^npm run test:unit -- (\S+)$/.exec(command);
  const e2e = /^(?:e2e|npm run test:e2e --) (\S+)$/.exec(command);
  const script = /^npm run (\S+)(?: -w (\S+))?(?: -- .*)?$/.exec(command);
  if (unit) {
    const filter = unit[1] === undefined ? (unit[2] ?? "") : `packages/${unit[1]}`;
    if (filter !== "packages/P") expect(tests.filter((path) => path.includes(filter)).length).toBeGreaterThan(0);
  } else if (e2e) {
    expect(tests.filter((path) => path.startsWith(`e2e/${e2e[1]}`)).length).toBeGreaterThan(0);
  } else if (script) {
    const { scripts } = JSON.parse(read(join(script[2] ?? "", "package.json"))) as { scripts: Record<string, string> };
    expect(Object.keys(scripts)).toContain(script[1]);
  } else {
    expect(command).toMatch(/^npm (start|test|ci|i)\b/);
  }
});

/** docs/cli.md and docs/sysctls-and-counters.md say what the code says. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { serveCommand } from "../src/serve/command.ts";
import { settingsFrom } from "../src/serve/flags.ts";
import { planExports, refuseContradictions } from "../src/serve/plan.ts";
import { EXPORT_SETTING_NAMES, SETTING_NAMES } from "../src/serve/settings.ts";
import { type Observed, observe } from "./pages/counters.ts";
import { freshPages, readPage } from "./pages/pages.ts";

const EXAMPLE = fileURLToPath(new URL("../../../docs/examples/nfs4.json", import.meta.url));

it.each(["cli.md", "sysctls-and-counters.md"])("docs/%s is what npm run pages -w packages/cli writes", async (name) => {
  expect(readPage(name)).toBe((await freshPages()).get(name));
});

describe("docs/cli.md", () => {
  const page = readPage("cli.md");
  const words = (pattern: RegExp): Set<string> => new Set(page.match(pattern) ?? []);

  it("names every flag, and none that does not exist", () => {
    const flags = serveCommand().options.flatMap(({ long }) => (long ? [long] : []));
    // `npm start -- …` has two hyphens and nothing else.
    const named = words(/(?<![\w-])--[a-z][a-z0-9-]*/g);
    expect([...named].filter((flag) => !flags.includes(flag))).toEqual([]);
    expect(flags.filter((flag) => !named.has(flag))).toEqual([]);
  });

  it("names every setting of the configuration file", () => {
    const named = words(/`[a-zA-Z0-9]+`/g);
    expect([...SETTING_NAMES, ...EXPORT_SETTING_NAMES].filter((name) => !named.has(`\`${name}\``))).toEqual([]);
  });

  it("shows an example file that the command takes", () => {
    expect(page).toContain(`\`\`\`json\n${readFileSync(EXAMPLE, "utf8")}\`\`\``);
    const settings = settingsFrom([], { config: EXAMPLE });
    refuseContradictions(settings);
    expect(planExports(settings).map(({ path, source }) => [path, source])).toEqual([
      ["/data", "/srv/data"],
      ["/pictures", "/srv/pictures"],
      ["/scratch", null],
    ]);
    expect(settings.stateDirectory).toBe(`${dirname(EXAMPLE)}/state`);
  });
});

describe("docs/sysctls-and-counters.md", () => {
  let observed: Observed;

  beforeAll(async () => {
    observed = await observe();
  });

  it("says of every counter what it counts, not just its name", () => {
    const bare = observed.metrics.filter(({ help }) => !/^[A-Z0-9]/.test(help)).map(({ name }) => name);
    expect(bare).toEqual([]);
    expect(new Set(observed.metrics.map(({ name }) => name)).size).toBe(observed.metrics.length);
  });

  it("says of every sysctl what it is", () => {
    expect(observed.sysctls.length).toBeGreaterThan(40);
    expect(observed.sysctls.filter(({ description }) => description === "")).toEqual([]);
  });
});

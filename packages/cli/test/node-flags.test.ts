import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

it.each(["package.json", "docker/entrypoint.sh"])("%s calls Node as the first line of bin.ts does", (path) => {
  const flags = /^#!\/usr\/bin\/env -S node (.+)/.exec(read("packages/cli/src/bin.ts"))?.[1];
  expect(flags).toMatch(/^--max-semi-space-size=\d+$/);
  expect(read(path)).toContain(`exec node ${flags} `);
});

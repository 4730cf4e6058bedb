import { readdirSync, readFileSync } from "node:fs";
import { compileModules } from "@xdr-ts/xdr/compiler";
import { describe, expect, it } from "vitest";

const sources = new URL("../xdr/", import.meta.url);
const generated = new URL("./generated/", import.meta.url);

describe("generated codecs", () => {
  it("are what npm run generate makes of the .x files", () => {
    const names = readdirSync(sources)
      .filter((name) => name.endsWith(".x"))
      .toSorted();
    const modules = compileModules(
      names.map((name) => ({
        module: `./${name.replace(/\.x$/, ".ts")}`,
        sources: [{ name, text: readFileSync(new URL(name, sources), "utf8") }],
      })),
    );
    expect(readdirSync(generated).toSorted()).toEqual(names.map((name) => name.replace(/\.x$/, ".ts")));
    for (const [module, text] of modules) {
      expect(readFileSync(new URL(module, generated), "utf8") === text, `${module} is stale: npm run generate`).toBe(
        true,
      );
    }
  });
});

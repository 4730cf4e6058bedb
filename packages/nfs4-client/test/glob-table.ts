/** The rows of the table that are about `glob`, which Node has since 22. */
import type { Dirent } from "node:fs";
import type { Case, Fs } from "./fs-table.ts";
import { tree } from "./fs-table.ts";

interface Options {
  readonly cwd?: string;
  readonly exclude?: readonly string[] | ((entry: never) => boolean);
  readonly withFileTypes?: boolean;
}

type WithGlob = Fs & { glob(pattern: string | readonly string[], options: Options): AsyncIterable<string | Dirent> };

async function prepare(fs: Fs, at: string): Promise<void> {
  await tree(fs, at);
  await fs.mkdir(`${at}/.hidden`);
  await fs.writeFile(`${at}/.hidden/x`, "");
  await fs.writeFile(`${at}/tree/.dot`, "");
  await fs.writeFile(`${at}/top`, "");
}

/** What a pattern finds, sorted. */
async function found(fs: Fs, at: string, pattern: string | readonly string[], options: Options = {}): Promise<unknown> {
  const results: string[] = [];
  for await (const one of (fs as WithGlob).glob(pattern, { cwd: at, ...options }))
    results.push(
      typeof one === "string"
        ? one.replace(at, "@")
        : `${`${one.parentPath}/${one.name}`.replace(at, "@")} ${one.isDirectory()} ${one.isSymbolicLink()}`,
    );
  return results.sort();
}

const PATTERNS = [
  ...["**", "*", "*/", "**/", "tree/", "tree/**", "tree/*", "tree/*/*", "*/x", ".*", "**/x", ".hidden/*", "**/.dot"],
  ...["tree/link/*", "**/link/*", "**/inner/*", "*/link/*", "tree/link/**", "tree/link/", "tree/link", "tree/dangling"],
  ...["tree/dangling/*", "tree/loop/*", "tree/file/", "tree/file/*", "nowhere/*", "nowhere", "tree", ".", "", "./**"],
  ...["./tree/*", "tree/../top", "tree/*/../file", "{tree,.hidden}/*", "tree/{file,link}", "tree/[fl]i*", "!(tree)"],
  ...[
    "**/*",
    "**/o*",
    "tree/**/",
    "tree/**/d*/**",
    "tree/**/inner/**",
    "**/{inner,tree}/*",
    "t?p",
    "tree\\*",
    "tree//file",
  ],
];

export const GLOB_CASES: readonly Case[] = [
  ...PATTERNS.map(
    (pattern): Case => [
      `glob of "${pattern}"`,
      async (fs, at) => {
        await prepare(fs, at);
        return found(fs, at, pattern);
      },
    ],
  ),
  [
    "glob from the root, and from above",
    async (fs, at) => {
      await prepare(fs, at);
      return [await found(fs, at, `${at}/tree/*`), await found(fs, `${at}/tree/inner`, "../*")];
    },
  ],
  [
    "glob of several patterns",
    async (fs, at) => {
      await prepare(fs, at);
      return found(fs, at, ["tree/*", "top", "**/file"]);
    },
  ],
  [
    "glob with types",
    async (fs, at) => {
      await prepare(fs, at);
      return found(fs, at, ["**", "tree/inner/deep"], { withFileTypes: true });
    },
  ],
  [
    "glob without what patterns exclude",
    async (fs, at) => {
      await prepare(fs, at);
      return [
        await found(fs, at, "tree/**", { exclude: ["tree/inner"] }),
        await found(fs, at, "tree/**", { exclude: ["**/other", "tree/f*"] }),
        await found(fs, at, "tree/*", { exclude: ["tree/*"] }),
      ];
    },
  ],
  [
    "glob without what a function excludes",
    async (fs, at) => {
      await prepare(fs, at);
      return [
        await found(fs, at, "tree/**", { exclude: (name: string) => name === "inner" }),
        await found(fs, at, "tree/**", { exclude: (entry: Dirent) => entry.isSymbolicLink(), withFileTypes: true }),
      ];
    },
  ],
  [
    "glob in what is no directory, in nothing and through a link",
    async (fs, at) => {
      await prepare(fs, at);
      return [
        await found(fs, `${at}/top`, "*"),
        await found(fs, `${at}/nowhere`, "**"),
        await found(fs, `${at}/tree/link`, "*"),
      ];
    },
  ],
  ["glob of a number", (fs, at) => found(fs, at, 5 as never)],
  ["glob of what is no array", (fs, at) => found(fs, at, {} as never)],
  ["glob of an array of numbers", (fs, at) => found(fs, at, [5] as never)],
  ["glob with a number excluded", (fs, at) => found(fs, at, "*", { exclude: 5 as never })],
  ["glob with numbers excluded", (fs, at) => found(fs, at, "*", { exclude: [5] as never })],
];

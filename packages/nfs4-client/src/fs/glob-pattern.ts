import { posix } from "node:path";
import { GLOBSTAR, Minimatch, type ParseReturnFiltered } from "minimatch";
import type { Dirent } from "./dirent.ts";

/** A name, a pattern of names, or "**". */
type Part = ParseReturnFiltered;

const OPTIONS = { nonegate: true, nocomment: true, windowsPathsNoEscape: true, platform: "linux" } as const;

/** A pattern, and how many of its parts the names of a path have matched. */
export interface Progress {
  readonly parts: readonly Part[];
  readonly index: number;
}

/** Braces make several of one. */
export function progressOf(pattern: string): Progress[] {
  return new Minimatch(pattern, OPTIONS).set.map((parts) => ({ parts, index: 0 }));
}

/** Whether a whole path matches. */
export function matcherOf(pattern: string): (path: string) => boolean {
  const matcher = new Minimatch(pattern, OPTIONS);
  return (path) => matcher.match(path);
}

/** What is to be done where patterns have come to. */
export interface Plan {
  /** The path itself matches; with "directory" if it is one. */
  readonly here: "any" | "directory" | null;
  readonly elsewhere: readonly (readonly [path: string, progress: Progress])[];
  /** What the names in it must match. */
  readonly inside: readonly Progress[];
}

export function planAt(path: string, all: readonly Progress[]): Plan {
  let here: Plan["here"] = null;
  const elsewhere: [string, Progress][] = [];
  const inside: Progress[] = [];
  const open = [...all];
  for (let progress = open.pop(); progress !== undefined; progress = open.pop()) {
    const { parts, index } = progress;
    const part = parts[index];
    const isLast = index === parts.length - 1;
    const onward = { parts, index: index + 1 };
    if (part === undefined) here = "any";
    else if (part === "..") elsewhere.push([posix.join(path, ".."), onward]);
    else if (part === ".") {
      if (!isLast) open.push(onward);
    } else if (part === "") {
      if (index === 0 && !isLast) elsewhere.push(["/", onward]);
      else if (index > 0) here ??= "directory";
    } else {
      inside.push(progress);
      if (part !== GLOBSTAR) continue;
      // "**" stands for no directory as well; where it is all that is left, for the one that it begins in.
      if (isLast && (path !== "." || index === 0 || parts[0] === ".")) here = "any";
      if (!isLast && !isName(parts[index + 1])) open.push(onward);
    }
  }
  return { here, elsewhere, inside };
}

/**
 * Whether an entry of a directory matches the last part; adds to `next` what is to be matched below the entry. As Node, links are followed where a pattern has their name, and where
 * what comes behind "**" matches it.
 */
export function advance({ parts, index }: Progress, entry: Dirent, next: Progress[]): boolean {
  const part = parts[index]!;
  const isLast = index === parts.length - 1;
  if (part !== GLOBSTAR) {
    if (!matches(part, entry.name)) return false;
    const isEntered = typeof part === "string" || entry.isDirectory();
    if (!isLast && isEntered) next.push({ parts, index: index + 1 });
    return isLast;
  }
  const isHidden = entry.name.startsWith(".");
  if (!isHidden && entry.isDirectory()) next.push({ parts, index });
  if (isLast) return !isHidden;
  if (!matches(parts[index + 1]!, entry.name)) return false;
  if (entry.isSymbolicLink()) next.push({ parts, index: index + 1 });
  if (index + 1 === parts.length - 1) return true;
  if (entry.isDirectory()) next.push({ parts, index: index + 2 });
  return false;
}

function isName(part: Part | undefined): boolean {
  return part !== "" && part !== "." && part !== "..";
}

function matches(part: Part, name: string): boolean {
  if (part === GLOBSTAR) return false;
  return typeof part === "string" ? part === name : part.test(name);
}

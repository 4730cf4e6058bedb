/** How a 64-bit integer appears in TypeScript (DESIGN §2). */
export type Int64Mode = "bigint" | "pair" | "raw" | "number";

export const INT64_MODES: readonly Int64Mode[] = ["bigint", "pair", "raw", "number"];

/** A doc comment: its text, without stars and tags, and the tags that the compiler understands. */
export interface Doc {
  readonly lines: readonly string[];
  /** `@int64 mode`, as written. */
  readonly int64: string | null;
  /** `@open`: an enum whose unknown values are let through. */
  readonly open: boolean;
  /** `@file`: the comment belongs to the file, not to what follows it. */
  readonly file: boolean;
}

export const NO_DOC: Doc = { lines: [], int64: null, open: false, file: false };

/** A tag and the blanks behind it; the second group is the mode of `@int64`. */
const TAG = /(?<=^|\s)@(int64|open|file)(?:(?<=int64)[ \t]+(\S+))?(?:[ \t]+|$)/g;

/** Reads the text between the stars of a doc comment. */
export function parseDoc(comment: string): Doc {
  let int64: string | null = null;
  let open = false;
  let file = false;
  const lines = comment.split("\n").map((line) =>
    line
      .replace(/^\s*\*? ?/, "")
      .replace(TAG, (_, name: string, mode: string | undefined) => {
        if (name === "int64") int64 = mode ?? "";
        else if (name === "open") open = true;
        else file = true;
        return "";
      })
      .trimEnd(),
  );
  while (lines.length > 0 && lines[0]!.trim() === "") lines.shift();
  while (lines.length > 0 && lines[lines.length - 1]!.trim() === "") lines.pop();
  return { lines, int64, open, file };
}

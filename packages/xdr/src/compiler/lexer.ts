import type { Diagnostics, Position } from "./diagnostics.ts";
import { type Doc, NO_DOC, parseDoc } from "./doc.ts";

export type TokenKind = "identifier" | "keyword" | "constant" | "punctuation" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** As written; "" at the end. */
  readonly text: string;
  readonly at: Position;
  /** Of a constant. */
  readonly value: bigint;
  /** The last doc comment in front of the token. */
  readonly doc: Doc;
}

export interface Tokens {
  /** The last one is of kind "end". */
  readonly tokens: readonly Token[];
  /** The doc comment tagged `@file`. */
  readonly fileDoc: Doc;
}

/** RFC 4506 §6.4 (1) and RFC 5531 §12.3. */
const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "bool case const default double quadruple enum float hyper int opaque string struct switch typedef union unsigned void " +
    "program version"
  ).split(" "),
);

const PATTERN = /(?<space>\s+)|(?<comment>\/[*/])|(?<word>[A-Za-z]\w*)|(?<number>-?\d\w*)|[{}()[\]<>;:,=*]/y;
const BLANK = /^[ \t]*$/;

/** Splits a source into tokens (RFC 4506 §6.2); `//` comments and lines that start with `%` are ignored, too. */
export function tokenize(file: string, text: string, diagnostics: Diagnostics): Tokens {
  const tokens: Token[] = [];
  let fileDoc = NO_DOC;
  let doc = NO_DOC;
  let line = 1;
  let lineStart = 0;
  let offset = 0;

  function position(): Position {
    return { file, line, column: offset - lineStart + 1 };
  }

  function advance(to: number): void {
    for (let next = text.indexOf("\n", offset); next !== -1 && next < to; next = text.indexOf("\n", next + 1)) {
      line++;
      lineStart = next + 1;
    }
    offset = to;
  }

  function endOf(mark: string, from: number): number {
    const end = text.indexOf(mark, from);
    return end === -1 ? text.length : end;
  }

  while (offset < text.length) {
    const at = position();
    if (text[offset] === "%" && BLANK.test(text.slice(lineStart, offset))) {
      advance(endOf("\n", offset));
      continue;
    }
    PATTERN.lastIndex = offset;
    const match = PATTERN.exec(text);
    if (match === null) {
      const character = String.fromCodePoint(text.codePointAt(offset)!);
      diagnostics.report(at, `expected a name, a constant or punctuation, found ${JSON.stringify(character)}`);
      advance(offset + character.length);
      continue;
    }
    const found = match[0];
    const groups = match.groups!;
    if (found === "//") {
      advance(endOf("\n", offset));
      continue;
    }
    if (found === "/*") {
      const end = endOf("*/", offset + 2);
      if (end === text.length) diagnostics.report(at, 'expected "*/" to end the comment, found the end of the file');
      const comment = text.slice(offset + 2, end);
      if (/^\*[^*]/.test(comment)) {
        const parsed = parseDoc(comment.slice(1));
        if (parsed.file) fileDoc = parsed;
        else doc = parsed;
      }
      advance(Math.min(end + 2, text.length));
      continue;
    }
    advance(offset + found.length);
    if (groups["space"] !== undefined) continue;
    let kind: TokenKind = "punctuation";
    let value = 0n;
    if (groups["word"] !== undefined) kind = KEYWORDS.has(found) ? "keyword" : "identifier";
    if (groups["number"] !== undefined) {
      kind = "constant";
      const parsed = parseConstant(found);
      if (parsed === null) {
        diagnostics.report(at, `expected a decimal, hexadecimal (0x…) or octal (0…) constant, found "${found}"`);
      }
      value = parsed ?? 0n;
    }
    tokens.push({ kind, text: found, at, value, doc });
    doc = NO_DOC;
  }
  tokens.push({ kind: "end", text: "", at: position(), value: 0n, doc });
  return { tokens, fileDoc };
}

function parseConstant(text: string): bigint | null {
  const digits = text.replace(/^-/, "");
  let value: bigint;
  if (/^0x[0-9a-f]+$/i.test(digits)) value = BigInt(digits);
  else if (/^0[0-7]*$/.test(digits)) value = BigInt(`0o${digits}`);
  else if (/^[1-9]\d*$/.test(digits)) value = BigInt(digits);
  else return null;
  return digits === text ? value : -value;
}

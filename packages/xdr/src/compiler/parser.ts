import type { Diagnostics, Position } from "./diagnostics.ts";
import { type Token, tokenize } from "./lexer.ts";
import type {
  Declaration,
  Definition,
  EnumBody,
  Name,
  Primitive,
  Procedure,
  Specification,
  StructBody,
  TypeSpecifier,
  UnionBody,
  Value,
  Version,
} from "./syntax.ts";

/** Unwinds to the next definition after a mistake was reported. */
class SyntaxMistake extends Error {}

const DEFINITION_STARTS: ReadonlySet<string> = new Set(["const", "typedef", "enum", "struct", "union", "program"]);
const MAX_NESTING = 100;

/** Parses a source (RFC 4506 §6.3, RFC 5531 §12.2). Mistakes are reported; what is left of the source is parsed nevertheless. */
export function parse(file: string, text: string, diagnostics: Diagnostics): Specification {
  const { tokens, fileDoc } = tokenize(file, text, diagnostics);
  const definitions = new Parser(tokens, diagnostics).specification();
  return { file, doc: fileDoc, definitions };
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #diagnostics: Diagnostics;
  #index = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[], diagnostics: Diagnostics) {
    this.#tokens = tokens;
    this.#diagnostics = diagnostics;
  }

  specification(): Definition[] {
    const definitions: Definition[] = [];
    while (this.#token.kind !== "end") {
      const start = this.#index;
      try {
        definitions.push(this.#definition());
      } catch (error) {
        if (!(error instanceof SyntaxMistake)) throw error;
        this.#nesting = 0;
        this.#recover(start);
      }
    }
    return definitions;
  }

  #definition(): Definition {
    const { text, doc } = this.#token;
    switch (text) {
      case "const": {
        this.#index++;
        const name = this.#name("the constant's name");
        this.#expect("=");
        const value = this.#value();
        this.#expect(";");
        return { kind: "const", name, value, doc };
      }
      case "typedef": {
        this.#index++;
        const at = this.#token.at;
        const declaration = this.#declaration();
        if (declaration.kind === "void") this.#failAt(at, "expected a declaration with a name, found void");
        this.#expect(";");
        return { kind: "typedef", name: declaration.name, declaration, doc };
      }
      case "enum":
      case "struct":
      case "union": {
        this.#index++;
        const name = this.#name(`the ${text}'s name`);
        const body = text === "enum" ? this.#enumBody() : text === "struct" ? this.#structBody() : this.#unionBody();
        this.#expect(";");
        return { kind: "type", name, body, doc };
      }
      case "program":
        return this.#program();
      default:
        return this.#fail("a definition (const, typedef, enum, struct, union or program)");
    }
  }

  #declaration(): Declaration {
    const { text, at, doc } = this.#token;
    if (text === "void") {
      this.#index++;
      return { kind: "void", at, doc };
    }
    if (text === "opaque" || text === "string") {
      this.#index++;
      const name = this.#name("a name");
      const kind = text;
      if (kind === "opaque" && this.#accept("[")) {
        const bound = this.#value();
        this.#expect("]");
        return { kind, at, name, doc, shape: "fixed", bound };
      }
      if (!this.#accept("<")) this.#fail(kind === "opaque" ? '"[" or "<"' : '"<"');
      return { kind, at, name, doc, shape: "variable", bound: this.#maximum() };
    }
    const type = this.#typeSpecifier();
    if (this.#accept("*"))
      return { kind: "typed", at, name: this.#name("a name"), doc, type, shape: "optional", bound: null };
    const name = this.#name("a name");
    if (this.#accept("[")) {
      const bound = this.#value();
      this.#expect("]");
      return { kind: "typed", at, name, doc, type, shape: "fixed", bound };
    }
    if (this.#accept("<")) return { kind: "typed", at, name, doc, type, shape: "variable", bound: this.#maximum() };
    return { kind: "typed", at, name, doc, type, shape: "plain", bound: null };
  }

  /** The rest of `<maximum>` or `<>`. */
  #maximum(): Value | null {
    if (this.#accept(">")) return null;
    const bound = this.#value();
    this.#expect(">");
    return bound;
  }

  #typeSpecifier(): TypeSpecifier {
    const { text, at, kind } = this.#token;
    if (kind === "identifier") {
      const name = this.#name("a type");
      return { kind: "reference", name, at };
    }
    this.#index++;
    switch (text) {
      case "unsigned": {
        if (this.#accept("hyper")) return { kind: "primitive", name: "unsigned hyper", at };
        // A lone "unsigned" is in the sources of many protocols.
        this.#accept("int");
        return { kind: "primitive", name: "unsigned int", at };
      }
      case "int":
      case "hyper":
      case "float":
      case "double":
      case "quadruple":
      case "bool":
        return { kind: "primitive", name: text satisfies Primitive, at };
      case "enum":
      case "struct":
      case "union": {
        // "struct name" refers to a struct as C does: not in the RFC's grammar, but in many sources.
        if (this.#token.kind === "identifier") return { kind: "reference", name: this.#name("a type"), at };
        if (++this.#nesting > MAX_NESTING) this.#failAt(at, `types are nested deeper than ${MAX_NESTING} levels`);
        const body = text === "enum" ? this.#enumBody() : text === "struct" ? this.#structBody() : this.#unionBody();
        this.#nesting--;
        return body;
      }
      default:
        this.#index--;
        return this.#fail("a type");
    }
  }

  #enumBody(): EnumBody {
    const at = this.#expect("{").at;
    const members: EnumBody["members"][number][] = [];
    do {
      const doc = this.#token.doc;
      const name = this.#name("a member's name");
      this.#expect("=");
      members.push({ name, value: this.#value(), doc });
    } while (this.#accept(","));
    this.#expect("}", '"," or "}"');
    return { kind: "enum", at, members };
  }

  #structBody(): StructBody {
    const at = this.#expect("{").at;
    const fields: Declaration[] = [];
    do {
      fields.push(this.#declaration());
      this.#expect(";");
    } while (!this.#accept("}"));
    return { kind: "struct", at, fields };
  }

  #unionBody(): UnionBody {
    const at = this.#expect("switch").at;
    this.#expect("(");
    const discriminant = this.#declaration();
    this.#expect(")");
    this.#expect("{");
    const arms: UnionBody["arms"][number][] = [];
    let otherwise: UnionBody["otherwise"] = null;
    if (this.#token.text !== "case") this.#fail('"case"');
    while (this.#token.text === "case") {
      const doc = this.#token.doc;
      const cases: Value[] = [];
      while (this.#accept("case")) {
        cases.push(this.#value());
        this.#expect(":");
      }
      arms.push({ cases, declaration: this.#declaration(), doc });
      this.#expect(";");
    }
    const doc = this.#token.doc;
    if (this.#accept("default")) {
      this.#expect(":");
      otherwise = { declaration: this.#declaration(), doc };
      this.#expect(";");
    }
    this.#expect("}", otherwise === null ? '"case", "default" or "}"' : '"}"');
    return { kind: "union", at, discriminant, arms, otherwise };
  }

  #program(): Definition {
    const doc = this.#token.doc;
    this.#expect("program");
    const name = this.#name("the program's name");
    this.#expect("{");
    const versions: Version[] = [];
    do versions.push(this.#version());
    while (!this.#accept("}"));
    this.#expect("=");
    const number = this.#constant("the program's number");
    this.#expect(";");
    return { kind: "program", name, number, doc, versions };
  }

  #version(): Version {
    const doc = this.#token.doc;
    this.#expect("version");
    const name = this.#name("the version's name");
    this.#expect("{");
    const procedures: Procedure[] = [];
    do procedures.push(this.#procedure());
    while (!this.#accept("}"));
    this.#expect("=");
    const number = this.#constant("the version's number");
    this.#expect(";");
    return { name, number, doc, procedures };
  }

  #procedure(): Procedure {
    const doc = this.#token.doc;
    const result = this.#accept("void") ? null : this.#typeSpecifier();
    const name = this.#name("the procedure's name");
    this.#expect("(");
    const parameters: TypeSpecifier[] = [];
    if (!this.#accept("void")) {
      do parameters.push(this.#typeSpecifier());
      while (this.#accept(","));
    }
    this.#expect(")");
    this.#expect("=");
    const number = this.#constant("the procedure's number");
    this.#expect(";");
    return { name, number, doc, result, parameters };
  }

  #value(): Value {
    const { kind, text, at } = this.#token;
    if (kind === "identifier") {
      this.#index++;
      return { kind: "name", text, at };
    }
    return this.#constant("a constant or the name of one");
  }

  #constant(expected: string): Value {
    const { kind, text, at, value } = this.#token;
    if (kind !== "constant") this.#fail(expected);
    this.#index++;
    return { kind: "constant", value, text, at };
  }

  #name(expected: string): Name {
    const { kind, text, at } = this.#token;
    if (kind !== "identifier") this.#fail(expected);
    this.#index++;
    return { text, at };
  }

  get #token(): Token {
    return this.#tokens[this.#index]!;
  }

  #accept(text: string): boolean {
    if (this.#token.text !== text) return false;
    this.#index++;
    return true;
  }

  #expect(text: string, expected = `"${text}"`): Token {
    const token = this.#token;
    if (!this.#accept(text)) this.#fail(expected);
    return token;
  }

  #fail(expected: string): never {
    const { kind, text, at } = this.#token;
    const found = kind === "end" ? "the end of the file" : kind === "keyword" ? `the keyword "${text}"` : `"${text}"`;
    return this.#failAt(at, `expected ${expected}, found ${found}`);
  }

  #failAt(at: Position, message: string): never {
    this.#diagnostics.report(at, message);
    throw new SyntaxMistake();
  }

  /** Goes on at what looks like the next definition: a word that starts one, on brace level 0 or at the start of a line. */
  #recover(start: number): void {
    if (this.#index === start) this.#index++;
    for (; this.#token.kind !== "end"; this.#index++) {
      const { text, at } = this.#token;
      if (DEFINITION_STARTS.has(text) && at.column === 1) return;
      const previous = this.#tokens[this.#index - 1]!;
      if (DEFINITION_STARTS.has(text) && previous.text === ";" && this.#depth(start) === 0) return;
    }
  }

  /** How many braces are open between `start` and the current token. */
  #depth(start: number): number {
    let depth = 0;
    for (let i = start; i < this.#index; i++) {
      const { text } = this.#tokens[i]!;
      if (text === "{") depth++;
      else if (text === "}") depth--;
    }
    return depth;
  }
}

import { describe, expect, it } from "vitest";
import { compile, compileModules, XdrCompileError } from "./compile.ts";

/** What the compiler complains about, a line for each mistake. */
function mistakes(text: string, name = "a.x"): string[] {
  try {
    compile({ name, text });
  } catch (error) {
    if (error instanceof XdrCompileError) return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("the language", () => {
  it.each([
    ["decimal", "const A = 10;", "export const A = 10;"],
    ["negative", "const A = -10;", "export const A = -10;"],
    ["zero", "const A = 0;", "export const A = 0;"],
    ["hexadecimal", "const A = 0xAf;", "export const A = 0xAf;"],
    ["octal, in JavaScript's notation", "const A = 0755;", "export const A = 0o755;"],
    ["beyond 2^53, a bigint", "const A = 0x20000000000000;", "export const A = 0x20000000000000n;"],
    ["2^53 - 1, a number", "const A = 9007199254740991;", "export const A = 9007199254740991;"],
    ["by another name", "const A = B; const B = 3;", "export const A = 3;"],
  ])("constants: %s", (_, source, expected) => {
    expect(compile(source)).toContain(expected);
  });

  it.each([
    ["int", "number", "r.int32()", "w.int32(v);"],
    ["unsigned int", "number", "r.uint32()", "w.uint32(v);"],
    ["unsigned", "number", "r.uint32()", "w.uint32(v);"],
    ["bool", "boolean", "r.bool()", "w.bool(v);"],
    ["float", "number", "r.float()", "w.float(v);"],
    ["double", "number", "r.double()", "w.double(v);"],
    ["quadruple", "Uint8Array", "r.opaqueFixed(16)", "w.opaqueFixed(v, 16);"],
    ["hyper", "bigint", "r.int64()", "w.int64(v);"],
    ["unsigned hyper", "bigint", "r.uint64()", "w.uint64(v);"],
    ["uint32_t", "number", "r.uint32()", "w.uint32(v);"],
    ["int64_t", "bigint", "r.int64()", "w.int64(v);"],
  ])("typedef %s", (type, typescript, read, write) => {
    const text = compile(`typedef ${type} name;`);
    expect(text).toContain(`export type name = ${typescript};`);
    expect(text).toContain(`return ${read};`);
    expect(text).toContain(write);
  });

  it.each([
    ["bigint", "bigint", "r.uint64()"],
    ["pair", "Uint64Pair", "r.uint64Pair()"],
    ["raw", "Uint8Array", "r.opaqueFixed(8)"],
    ["number", "number", "r.uint64Number()"],
  ])("@int64 %s on a typedef, a field, a list and for a whole file", (mode, typescript, read) => {
    const tag = `/** @int64 ${mode} */`;
    expect(compile(`${tag} typedef unsigned hyper name;`)).toContain(`export type name = ${typescript};`);
    expect(compile(`struct s { ${tag} unsigned hyper f; };`)).toContain(`f: ${read},`);
    expect(compile(`struct s { ${tag} unsigned hyper f<>; };`)).toContain(`list[i] = ${read};`);
    expect(compile(`typedef unsigned hyper name; struct s { ${tag} name *f; };`)).toContain(
      `r.bool() ? ${read} : null`,
    );
    expect(compile(`/** @file ${tag.slice(4)} typedef unsigned hyper name;`)).toContain(`return ${read};`);
    expect(compile("typedef unsigned hyper name;", { int64: mode as "raw" })).toContain(`return ${read};`);
    const union = `union u switch (bool b) { ${tag} case TRUE: unsigned hyper f; case FALSE: void; };`;
    expect(compile(union)).toContain(`f: ${read} }`);
  });

  it("carries doc comments over, without the tags", () => {
    const text = compile(`
      /** @file About the file. */
      /* Not this one. */
      /** A constant. */
      const A = 1;
      /**
       * A struct
       * of two lines.
       *
       * See RFC 4506.
       */
      struct s {
        /** @int64 number
         * A field. */
        hyper f;
        /** Not @internal64. */
        int g;
      };
      enum e {
        /** A member. */
        M = 1
      };
      /** A union. */
      union u switch (e d) {
        /** An arm. */
        case M: int f;
      };`);
    expect(text).toContain("// About the file.");
    expect(text).not.toContain("Not this one");
    expect(text).toContain("/** A constant. */\nexport const A = 1;");
    expect(text).toContain("/**\n * A struct\n * of two lines.\n *\n * See RFC 4506.\n */\nexport interface s {");
    expect(text).toContain("  /** A field. */\n  f: number;");
    expect(text).toContain("  /** Not @internal64. */\n  g: number;");
    expect(text).toContain("/** A member. */\nexport const M = 1 as const;");
    expect(text).toContain("/** A union. */\nexport type u =\n  /** An arm. */\n  | { d: typeof M; f: number };");
  });

  it("ignores comments of both kinds and lines for the preprocessor", () => {
    const text = compile("%#include <x.h>\n  % struct broken {\nconst A = /* one */ 1; // two\nconst B = 2;");
    expect(text).toContain("export const A = 1;\nexport const B = 2;");
  });

  it("takes struct, union and enum in front of a name as C does", () => {
    expect(compile("struct a { struct b *other; enum c d; }; struct b { int i; }; enum c { X = 1 };")).toContain(
      "other: b | null;",
    );
  });

  it("makes a typedef of a body a definition of its own", () => {
    expect(compile("typedef struct { int i; } s;")).toBe(compile("struct s { int i; };"));
    expect(compile("typedef enum { A = 1 } e;")).toBe(compile("enum e { A = 1 };"));
  });

  it("turns a struct that ends in a pointer to itself into arrays, also through typedefs", () => {
    const direct = compile("struct e { int i; e *next; }; struct l { e *first; };");
    expect(direct).toContain("export interface e {\n  i: number;\n}");
    expect(direct).toContain("first: e[];");
    const typedefs = compile(
      "typedef e *list; typedef list again; struct e { int i; again next; }; struct l { list first; };",
    );
    expect(typedefs).toContain("export interface e {\n  i: number;\n}");
    expect(typedefs).toContain("export type list = e[];");
    const tree = compile("struct t { t *left; t *right; };");
    expect(tree).toContain("left: t | null;\n  right: t | null;");
    expect(tree).toContain("r.enter();");
    expect(direct).not.toContain("r.enter();");
  });

  it("finds recursion through other types", () => {
    const text = compile("struct a { b others<>; }; union b switch (bool c) { case TRUE: a inner; default: void; };");
    expect(text.match(/r\.enter\(\);/g)).toHaveLength(2);
    expect(text.match(/w\.enter\(\);/g)).toHaveLength(2);
  });

  it("makes a table of procedures for each version (RFC 5531 §12.1)", () => {
    const text = compile(`
      program PING_PROG {
        /** Latest and greatest. */
        version PING_VERS_PINGBACK {
          void PINGPROC_NULL(void) = 0;
          /** The time there and back in microseconds. */
          int PINGPROC_PINGBACK(void) = 1;
        } = 2;
        version PING_VERS_ORIG {
          void PINGPROC_NULL(void) = 0;
        } = 1;
      } = 1;
      const PING_VERS = 2;`);
    expect(text).toContain("export const PING_PROG = 1;");
    expect(text).toContain("/** Latest and greatest. */\nexport const PING_VERS_PINGBACK = 2;");
    expect(text.match(/export const PINGPROC_NULL = 0;/g)).toHaveLength(1);
    expect(text).toContain("export const PING_PROG_PING_VERS_ORIG: {");
    expect(text).toContain("readonly PINGPROC_PINGBACK: XdrProcedure<void, number>;");
  });

  it("compiles several sources to one module or to modules that import each other", () => {
    const a = { name: "a.x", text: "struct a { b *other; };" };
    const b = { name: "dir/b.x", text: "const MAX = 3; typedef opaque b<MAX>; struct c { a *back; };" };
    const together = compile([a, b]);
    expect(together).toContain("// Generated by xdr-ts from a.x, b.x.");
    expect(together).not.toContain("xdr_schema_1");
    const apart = compileModules([
      { module: "./a.ts", sources: [a] },
      { module: "./b.ts", sources: [b] },
    ]);
    expect(apart.get("./a.ts")).toContain(
      'import { type b, decode_b, encode_b, xdr_schema as xdr_schema_1 } from "./b.ts";',
    );
    expect(apart.get("./b.ts")).toContain('from "./a.ts";');
    expect(compile(a, { imports: [{ ...b, module: "./b.ts" }] })).toBe(apart.get("./a.ts"));
    expect(compile(a, { imports: [{ ...b, module: "./b.ts" }], runtime: "./xdr.ts" })).toContain('from "./xdr.ts";');
  });

  it("writes bounds by their constants, if these are in sight and not hidden", () => {
    expect(compile("const N = 4; typedef opaque o<N>;")).toContain("r.opaque(N)");
    expect(compile("const v = 4; typedef opaque o<v>;")).toContain("w.opaque(v, 4)");
    const hidden = compile("const N = 4; union u switch (int N) { case 1: opaque o<N>; };");
    expect(hidden).toContain("return { N, o: r.opaque(4) };");
  });
});

describe("mistakes", () => {
  it.each([
    // Words
    ["const A = 09;", '1:11: expected a decimal, hexadecimal (0x…) or octal (0…) constant, found "09"'],
    ["const A = 0x;", '1:11: expected a decimal, hexadecimal (0x…) or octal (0…) constant, found "0x"'],
    ["const A = 12ab;", '1:11: expected a decimal, hexadecimal (0x…) or octal (0…) constant, found "12ab"'],
    ["const A = 1; #", '1:14: expected a name, a constant or punctuation, found "#"'],
    ["const A = 1; /* no end", '1:14: expected "*/" to end the comment, found the end of the file'],
    // Syntax
    ["const = 1;", '1:7: expected the constant\'s name, found "="'],
    ["const A 1;", '1:9: expected "=", found "1"'],
    ["const A = ;", '1:11: expected a constant or the name of one, found ";"'],
    ["const A = 1", '1:12: expected ";", found the end of the file'],
    ["hello;", '1:1: expected a definition (const, typedef, enum, struct, union or program), found "hello"'],
    ["struct int { int i; };", '1:8: expected the struct\'s name, found the keyword "int"'],
    ["struct s { };", '1:12: expected a type, found "}"'],
    ["struct s { int i };", '1:18: expected ";", found "}"'],
    ["struct s { opaque o; };", '1:20: expected "[" or "<", found ";"'],
    ["struct s { string t[3]; };", '1:20: expected "<", found "["'],
    ["struct s { unsigned float f; };", '1:21: expected a name, found the keyword "float"'],
    ["struct s { void; };", "1:12: expected a field with a type, found void"],
    ["typedef void;", "1:9: expected a declaration with a name, found void"],
    ["enum e { };", '1:10: expected a member\'s name, found "}"'],
    ["enum e { A };", '1:12: expected "=", found "}"'],
    ["enum e { A = 1, };", '1:17: expected a member\'s name, found "}"'],
    ["enum e { A = 1 B = 2 };", '1:16: expected "," or "}", found "B"'],
    ["union u (int i) { case 1: void; };", '1:9: expected "switch", found "("'],
    ["union u switch (int i) { };", '1:26: expected "case", found "}"'],
    ["union u switch (int i) { case 1 void; };", '1:33: expected ":", found the keyword "void"'],
    [
      "union u switch (int i) { case 1: void; int j; };",
      '1:40: expected "case", "default" or "}", found the keyword "int"',
    ],
    [
      "union u switch (int i) { case 1: void; default: void; case 2: void; };",
      '1:55: expected "}", found the keyword "case"',
    ],
    ["program P { } = 1;", '1:13: expected "version", found "}"'],
    ["program P { version V { void N(void) = X; } = 1; } = 1;", '1:40: expected the procedure\'s number, found "X"'],
    ["program P { version V { void N(void) = 0; } = 1; };", '1:51: expected "=", found ";"'],
    // Names
    ["const A = 1; const A = 2;", '1:20: expected a new name, found "A", which is declared at a.x:1:7'],
    ["enum e { A = 1 }; struct A { int i; };", '1:26: expected a new name, found "A", which is declared at a.x:1:10'],
    ["struct s { int i; bool i; };", '1:24: expected a new name, found "i", which names an earlier field'],
    [
      "union u switch (int i) { case 1: int i; };",
      '1:38: expected a new name, found "i", which names an earlier field',
    ],
    ["struct s { t f; };", '1:12: expected a type, found "t", which is not declared'],
    ["struct s { toString f; };", '1:12: expected a type, found "toString", which is not declared'],
    ["const T = 1; struct s { T f; };", '1:25: expected a type, found the constant "T"'],
    ["const A = B;", '1:11: expected a constant, found "B", which is not declared'],
    ["struct s { int i; }; const A = s;", '1:32: expected a constant, found the struct "s"'],
    ["typedef opaque o<N>;", '1:18: expected a constant, found "N", which is not declared'],
    ["const A = B; const B = A;", '1:7: "A" is declared in terms of itself'],
    ["typedef a b; typedef b a;", '1:11: "b" is declared in terms of itself'],
    ["struct class { int i; };", '1:8: expected another name than "class", which is reserved in TypeScript'],
    ["struct XdrReader { int i; };", '1:8: expected another name than "XdrReader", which generated code uses itself'],
    ["const TRUE = 1;", '1:7: expected another name than "TRUE", which is a value of bool'],
    ["enum Array { A = 1 };", '1:6: expected another name than "Array", which generated code uses itself'],
    ["const xdr_schema_1 = 1;", '1:7: expected another name than "xdr_schema_1", which generated code uses itself'],
    ["const encode_x = 1;", '1:7: expected another name than "encode_x", which starts like a generated function'],
    // Values
    ["typedef opaque o<-1>;", "1:18: expected a maximum length from 0 to 4294967295, found -1"],
    ["typedef int i[4294967296];", "1:15: expected a length from 0 to 4294967295, found 4294967296"],
    ["const N = -2; typedef int i<N>;", "1:29: expected a maximum length from 0 to 4294967295, found N = -2"],
    ["enum e { A = 2147483648 };", "1:14: expected a member's value from -2147483648 to 2147483647, found 2147483648"],
    // Types
    ["struct s { s inner; };", '1:8: "s" contains itself without end'],
    ["struct a { b x; }; struct b { a y[2]; };", '1:8: "a" contains itself without end'],
    ["union u switch (int i) { case 1: u inner; };", '1:7: "u" contains itself without end'],
    [
      "typedef opaque none[0]; struct s { none all<>; };",
      "1:32: expected elements that take bytes, found an array of none in s",
    ],
    [
      "typedef opaque none[0]; typedef none all<>;",
      "1:38: expected elements that take bytes, found an array of none in all",
    ],
    // Unions
    [
      "union u switch (hyper h) { case 1: void; };",
      "1:17: expected a discriminant of int, unsigned int, bool or an enum, found hyper",
    ],
    [
      "union u switch (int i<>) { case 1: void; };",
      "1:17: expected a discriminant of int, unsigned int, bool or an enum, found an array of int",
    ],
    [
      "union u switch (string s<>) { case 1: void; };",
      "1:17: expected a discriminant of int, unsigned int, bool or an enum, found string",
    ],
    [
      "union u switch (void) { case 1: void; };",
      "1:17: expected a discriminant of int, unsigned int, bool or an enum, found void",
    ],
    [
      "union u switch (int i) { case 1: void; case 0x1: int j; };",
      "1:45: expected another value, found 0x1, which has its case at a.x:1:31",
    ],
    [
      "enum e { A = 1 }; const B = 1; union u switch (e d) { case A: void; case B: void; };",
      "1:74: expected another value, found B, which has its case at a.x:1:60",
    ],
    ["enum e { A = 1 }; union u switch (e d) { case 2: void; };", "1:47: expected a member of e, found 2"],
    [
      "enum e { A = 1 }; union u switch (e d) { case B: void; };",
      '1:47: expected a constant, found "B", which is not declared',
    ],
    ["union u switch (bool b) { case 2: void; };", '1:32: expected TRUE or FALSE, found "2"'],
    [
      "union u switch (int i) { case 2147483648: void; };",
      "1:31: expected a case from -2147483648 to 2147483647, found 2147483648",
    ],
    ["union u switch (unsigned int i) { case -1: void; };", "1:40: expected a case from 0 to 4294967295, found -1"],
    // Tags
    ["/** @int64 long */ typedef hyper h;", '1:28: expected bigint, pair, raw, number after @int64, found "long"'],
    ["/** @int64 */ typedef hyper h;", '1:23: expected bigint, pair, raw, number after @int64, found ""'],
    ["/** @int64 pair */ typedef int i;", "1:28: expected hyper or unsigned hyper after @int64, found int"],
    [
      "struct s { /** @int64 pair */ string t<>; };",
      "1:31: expected hyper or unsigned hyper after @int64, found a string",
    ],
    ["/** @int64 pair */ enum e { A = 1 };", "1:25: expected hyper or unsigned hyper after @int64, found e"],
    ["/** @open */ struct s { int i; };", "1:21: expected an enum after @open"],
    ["/** @open */ typedef int i;", "1:26: expected an enum after @open"],
    ["struct s { /** @open */ int i; };", "1:25: expected an enum after @open"],
    // Programs
    [
      "program P { version V { void A(void) = 0; void A(void) = 1; } = 1; } = 1;",
      '1:48: expected a new name, found "A", which names a procedure of V',
    ],
    [
      "program P { version V { void A(void) = 0; void B(void) = 0; } = 1; } = 1;",
      "1:58: expected a new number, found 0, which a procedure of V has",
    ],
    [
      "program P { version V { void A(void) = 0; } = 1; version W { void A(void) = 0; } = 1; } = 1;",
      "1:84: expected a new number, found 1, which a version of P has",
    ],
    [
      "program P { version V { void A(void) = -1; } = 1; } = 1;",
      "1:40: expected a number from 0 to 4294967295, found -1",
    ],
    [
      "const P_V = 2; program P { version V { void A(void) = 0; } = 1; } = 1;",
      '1:36: expected another name than "V", for "P_V", which is declared, would be its table of procedures',
    ],
    [
      "typedef int P_V_A_arguments; program P { version V { void A(int, int) = 0; } = 1; } = 1;",
      '1:59: expected another name than "A", for "P_V_A_arguments", which is declared, would be the struct of its arguments',
    ],
    ["program P { version V { t A(void) = 0; } = 1; } = 1;", '1:25: expected a type, found "t", which is not declared'],
  ])("%s", (source, expected) => {
    expect(mistakes(source)[0]).toBe(`a.x:${expected}`);
  });

  it("are all reported, in the order of the files and lines", () => {
    const source =
      "struct a { int };\n\nconst X = ;\nstruct b {\n  int i;\n  foo bar baz;\n};\nenum e { A = };\nconst GOOD = 1;";
    expect(mistakes(source)).toEqual([
      'a.x:1:16: expected a name, found "}"',
      'a.x:3:11: expected a constant or the name of one, found ";"',
      'a.x:6:11: expected ";", found "baz"',
      'a.x:8:14: expected a constant or the name of one, found "}"',
    ]);
    expect(mistakes("struct a { b x; c y; };\nstruct d { e z; };")).toEqual([
      'a.x:1:12: expected a type, found "b", which is not declared',
      'a.x:1:17: expected a type, found "c", which is not declared',
      'a.x:2:12: expected a type, found "e", which is not declared',
    ]);
    expect(() =>
      compile([
        { name: "z.x", text: "const A = 1;\nconst B = C;" },
        { name: "a.x", text: "const A = 2;" },
      ]),
    ).toThrow(
      'z.x:2:11: expected a constant, found "C", which is not declared\n' +
        'a.x:1:7: expected a new name, found "A", which is declared at z.x:1:7',
    );
  });

  it("do not overflow the stack, however deep the source nests", () => {
    const depth = 10_000;
    const [message] = mistakes(
      `${"struct { ".repeat(depth).replace("struct", "struct s")}int i;${" } x;".repeat(depth)}`,
    );
    expect(message).toContain("types are nested deeper than 100 levels");
  });
});

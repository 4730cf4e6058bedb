import { describe, expect, it } from "vitest";
import { main } from "./cli.ts";

/** Runs the command on files in memory. */
function run(
  argv: string[],
  files: Record<string, string> = {},
): { status: number; files: Record<string, string>; out: string; error: string } {
  const all = { ...files };
  let out = "";
  let error = "";
  const status = main(argv, {
    read: (path) => {
      const text = all[path];
      if (text === undefined) throw new Error(`no such file: ${path}`);
      return text;
    },
    write: (path, text) => {
      all[path] = text;
    },
    print: (line) => {
      out += `${line}\n`;
    },
    printError: (line) => {
      error += `${line}\n`;
    },
  });
  return { status, files: all, out, error };
}

const A = "const MAX = 3;\ntypedef opaque a<MAX>;\n";
const B = "struct b { a inner; hyper h; };\n";

describe("xdr-ts", () => {
  it("compiles several sources into one module", () => {
    const { status, files, error } = run(["compile", "in/a.x", "in/b.x", "-o", "out.ts"], { "in/a.x": A, "in/b.x": B });
    expect({ status, error }).toEqual({ status: 0, error: "" });
    expect(files["out.ts"]).toContain("export interface b");
    expect(files["out.ts"]).toContain("export const MAX = 3;");
  });

  it("compiles each source into a module of a directory", () => {
    const { status, files } = run(["compile", "in/a.x", "in/b.x", "-d", "out"], { "in/a.x": A, "in/b.x": B });
    expect(status).toBe(0);
    expect(Object.keys(files)).toEqual(["in/a.x", "in/b.x", "out/a.ts", "out/b.ts"]);
    expect(files["out/b.ts"]).toContain('from "./a.ts";');
  });

  it("imports names of modules that exist", () => {
    const argv = [
      "compile",
      "b.x",
      "-o",
      "b.ts",
      "--import",
      "a.x=../a.ts",
      "--int64",
      "pair",
      "--runtime",
      "./xdr.ts",
    ];
    const { status, files } = run(argv, { "a.x": A, "b.x": B });
    expect(status).toBe(0);
    expect(files["b.ts"]).toContain('from "../a.ts";');
    expect(files["b.ts"]).toContain('from "./xdr.ts";');
    expect(files["b.ts"]).toContain("h: Uint64Pair;");
    expect(files["b.ts"]).not.toContain("export const MAX");
  });

  it("reports every mistake with its place, and writes nothing", () => {
    const { status, files, error } = run(["compile", "b.x", "-o", "b.ts"], { "b.x": `${B}const X = Y;\n` });
    expect(status).toBe(1);
    expect(error).toBe(
      'b.x:1:12: expected a type, found "a", which is not declared\n' +
        'b.x:2:11: expected a constant, found "Y", which is not declared\n',
    );
    expect(files["b.ts"]).toBeUndefined();
  });

  it("checks without writing", () => {
    const { status, files } = run(["check", "a.x"], { "a.x": A });
    expect(status).toBe(0);
    expect(Object.keys(files)).toEqual(["a.x"]);
  });

  it("says what is wrong with a file that cannot be read", () => {
    expect(run(["check", "c.x"])).toMatchObject({ status: 1, error: "xdr-ts: no such file: c.x\n" });
  });

  it("helps", () => {
    expect(run(["--help"])).toMatchObject({ status: 0, error: "" });
    expect(run(["--help"]).out).toContain("xdr-ts compile in.x… -o out.ts");
    expect(run([]).status).toBe(2);
  });

  it.each([
    [["make", "a.x"], 'expected compile or check, found "make"'],
    [["compile", "-o", "out.ts"], "expected at least one .x file"],
    [["compile", "a.x"], "expected either -o out.ts or -d directory"],
    [["compile", "a.x", "-o", "o.ts", "-d", "d"], "expected either -o out.ts or -d directory"],
    [["check", "a.x", "-o", "o.ts"], "check writes no output"],
    [["compile", "a.x", "-o"], "expected a value after -o"],
    [["compile", "a.x", "--fast", "yes"], 'expected an option, found "--fast"'],
    [["compile", "a.x", "-o", "o.ts", "--int64", "long"], 'expected --int64 bigint|pair|raw|number, found "long"'],
    [["compile", "a.x", "-o", "o.ts", "--import", "a"], 'expected --import other.x=./other.ts, found "a"'],
    [["compile", "a.x", "b/a.x", "-d", "out"], "expected sources of different names, for each becomes a file"],
  ])("refuses %j", (argv, message) => {
    const { status, error } = run(argv, { "a.x": A, "b/a.x": A });
    expect(status).toBe(2);
    expect(error).toContain(message);
    expect(error).toContain("xdr-ts --help");
  });
});

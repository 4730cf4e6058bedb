import { docComment, type Emission } from "./emission.ts";
import { typeText } from "./emit-types.ts";
import { decodeText, encodeText } from "./emit-values.ts";
import { describe, type Program, type Type, type Version } from "./model.ts";

/** The constants of a program, each name once, and a table of procedures for each version. `taken` has the names in use. */
export function programText(program: Program, taken: Set<string>, emission: Emission): string {
  const constants: string[] = [];
  function constant(name: string, number: number, doc: readonly string[]): void {
    if (taken.has(name)) return;
    taken.add(name);
    constants.push(`${docComment(doc)}export const ${name} = ${number};\n`);
  }
  constant(program.name, program.number, program.doc.lines);
  for (const version of program.versions) {
    constant(version.name, version.number, version.doc.lines);
    for (const { name, number, doc } of version.procedures) {
      // Versions may number a procedure differently: a constant could only be right for one of them.
      const numbers = program.versions.flatMap((v) => v.procedures.filter((p) => p.name === name).map((p) => p.number));
      if (numbers.every((other) => other === number)) constant(name, number, doc.lines);
    }
  }
  const tables = program.versions.map((version) => versionText(program, version, emission));
  return [constants.join(""), ...tables].join("\n");
}

function versionText(program: Program, version: Version, emission: Emission): string {
  const procedureType = emission.runtimeType("XdrProcedure");
  const types = version.procedures.map(({ name, doc, argument, result }) => {
    const parameters = `${typeText(argument, emission)}, ${typeText(result, emission)}`;
    return `${docComment(doc.lines, "    ")}    readonly ${name}: ${procedureType}<${parameters}>;\n`;
  });
  const entries = version.procedures.map(({ name, number, argument, result }) => {
    const fields = `name: "${name}", number: ${number}`;
    return (
      `    ${name}: {\n      ${fields},\n      argument: ${codecText(argument, emission)},\n` +
      `      result: ${codecText(result, emission)},\n    },\n`
    );
  });
  return (
    `/** The procedures of ${program.name}, ${version.name}. */\n` +
    `export const ${program.name}_${version.name}: {\n  readonly program: ${program.number};\n` +
    `  readonly version: ${version.number};\n  readonly procedures: {\n${types.join("")}  };\n} = {\n` +
    `  program: ${program.number},\n  version: ${version.number},\n  procedures: {\n${entries.join("")}  },\n};\n`
  );
}

function codecText(type: Type, emission: Emission): string {
  if (type.kind === "void") return emission.runtimeValue("codec_void");
  if (type.kind === "named") return emission.functionName("codec", type.definition);
  const write = encodeText(type, "v", emission).join(" ");
  return (
    `{ name: "${describe(type)}", schema: xdr_schema, encode: (w, v) => { ${write} }, ` +
    `decode: (r) => ${decodeText(type, emission)} }`
  );
}

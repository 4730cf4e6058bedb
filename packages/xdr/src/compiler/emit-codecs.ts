import type { Emission } from "./emission.ts";
import { hasNumberDefault, isExhaustive } from "./emit-types.ts";
import { decodeText, encodeText, lines } from "./emit-values.ts";
import { type Arm, type Enum, type Field, type Struct, type Typedef, type Union, underlying } from "./model.ts";

/** More ranges of members than this are tested by a switch. */
const MAX_RANGES = 4;

export function enumCodec({ name, members, open }: Enum): string {
  const read = open
    ? [`  return r.int32() as ${name};`]
    : membershipTest(
        name,
        members.map((m) => Number(m.value)),
      );
  return lines(
    `export function encode_${name}(w: XdrWriter, v: ${name}): void {`,
    "  w.int32(v);",
    "}",
    "",
    `export function decode_${name}(r: XdrReader): ${name} {`,
    ...read,
    "}",
  );
}

/** The body of a function that reads a member: by comparisons where the members form few ranges. */
function membershipTest(name: string, values: readonly number[]): string[] {
  const sorted = [...new Set(values)].toSorted((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const value of sorted) {
    const last = ranges[ranges.length - 1];
    if (last !== undefined && last[1] === value - 1) last[1] = value;
    else ranges.push([value, value]);
  }
  const fail = `r.fail(\`expected ${name}, found \${value}\`)`;
  if (ranges.length <= MAX_RANGES) {
    const tests = ranges.map(([from, to]) =>
      from === to ? `value === ${from}` : `(value >= ${from} && value <= ${to})`,
    );
    return ["  const value = r.int32();", `  if (!(${tests.join(" || ")})) ${fail};`, `  return value as ${name};`];
  }
  return [
    "  const value = r.int32();",
    "  switch (value) {",
    ...sorted.map((value) => `    case ${value}:`),
    `      return value as ${name};`,
    "    default:",
    `      return ${fail};`,
    "  }",
  ];
}

export function typedefCodec({ name, type }: Typedef, emission: Emission): string {
  return lines(
    `export function encode_${name}(w: XdrWriter, v: ${name}): void {`,
    ...indent(encodeText(type, "v", emission)),
    "}",
    "",
    `export function decode_${name}(r: XdrReader): ${name} {`,
    `  return ${decodeText(type, emission)};`,
    "}",
  );
}

export function structCodec({ name, fields, recursive, link }: Struct, emission: Emission): string {
  const note = link ? [`/** One ${name} without the flag that says whether another follows. */`] : [];
  if (fields.length === 0) {
    return lines(
      ...note,
      `export function encode_${name}(_w: XdrWriter, _v: ${name}): void {}`,
      "",
      ...note,
      `export function decode_${name}(_r: XdrReader): ${name} {`,
      "  return {};",
      "}",
    );
  }
  const object = fields.map((field) => `    ${field.name}: ${decodeText(field.type, emission)},`);
  const read = recursive
    ? ["  r.enter();", `  const value: ${name} = {`, ...object, "  };", "  r.leave();", "  return value;"]
    : ["  return {", ...object, "  };"];
  const write = fields.flatMap((field) => encodeText(field.type, `v.${field.name}`, emission));
  return lines(
    ...note,
    `export function encode_${name}(w: XdrWriter, v: ${name}): void {`,
    ...indent(recursive ? ["w.enter();", ...write, "w.leave();"] : write),
    "}",
    "",
    ...note,
    `export function decode_${name}(r: XdrReader): ${name} {`,
    ...read,
    "}",
  );
}

export function unionCodec(union: Union, emission: Emission): string {
  const { name, recursive } = union;
  const write = unionWrite(union, emission);
  const reader = recursive ? emission.ownFunction("decode", `${name}_arm`) : `decode_${name}`;
  const wrapper = recursive
    ? [
        `export function decode_${name}(r: XdrReader): ${name} {`,
        "  r.enter();",
        `  const value = ${reader}(r);`,
        "  r.leave();",
        "  return value;",
        "}",
        "",
      ]
    : [];
  return lines(
    `export function encode_${name}(w: XdrWriter, v: ${name}): void {`,
    ...indent(recursive ? ["w.enter();", ...write, "w.leave();"] : write),
    "}",
    "",
    ...wrapper,
    `${recursive ? "" : "export "}function ${reader}(r: XdrReader): ${name} {`,
    ...indent(unionRead(union, emission)),
    "}",
  );
}

function unionRead(union: Union, emission: Emission): string[] {
  const { name, discriminant, arms, otherwise } = union;
  const local = localName(discriminant.name);
  emission.local = local;
  const first = local === discriminant.name ? local : `${discriminant.name}: ${local}`;
  function result(field: Field | null): string {
    return field === null ? `{ ${first} }` : `{ ${first}, ${field.name}: ${decodeText(field.type, emission)} }`;
  }
  const cases = arms.flatMap((arm) => [...caseLabels(arm, union), `    return ${result(arm.field)};`]);
  if (!isExhaustive(union)) {
    const rest =
      otherwise !== undefined
        ? result(otherwise.field)
        : `r.fail(\`expected an arm of ${name}, found ${discriminant.name} \${${local}}\`)`;
    cases.push("  default:", `    return ${rest};`);
  }
  emission.local = "";
  return [`const ${local} = ${decodeText(discriminant.type, emission)};`, `switch (${local}) {`, ...cases, "}"];
}

function unionWrite(union: Union, emission: Emission): string[] {
  const { name, discriminant, arms, otherwise } = union;
  const label = `v.${discriminant.name}`;
  function arm(field: Field | null): string[] {
    if (field === null) return ["break;"];
    const statements = encodeText(field.type, `v.${field.name}`, emission);
    if (hasNumberDefault(union)) {
      const missing = `\`expected ${field.name} in ${name} with ${discriminant.name} \${${label}}, found none\``;
      statements.unshift(`if (v.${field.name} === undefined) return w.fail(${missing});`);
    }
    return [...statements, "break;"];
  }
  const cases = arms.flatMap((each) => [...caseLabels(each, union), ...indent(arm(each.field), "    ")]);
  if (!isExhaustive(union)) {
    const unknown = `w.fail(\`expected an arm of ${name}, found ${discriminant.name} \${(v as ${name}).${discriminant.name}}\`);`;
    cases.push("  default:", ...indent(otherwise === undefined ? [unknown] : arm(otherwise.field), "    "));
  }
  return [...encodeText(discriminant.type, label, emission), `switch (${label}) {`, ...cases, "}"];
}

/** Labels are numbers, which V8 jumps by; the names stand beside them. */
function caseLabels({ cases }: Arm, { discriminant }: Union): string[] {
  const domain = underlying(discriminant.type);
  const bool = domain.kind === "scalar" && domain.scalar === "bool";
  return cases.map(({ value, constant }) => {
    const text = bool ? String(value === 1) : String(value);
    return constant === null ? `  case ${text}:` : `  case ${text}: // ${constant.name}`;
  });
}

/** A name for a local variable that may be called as a field is. */
function localName(field: string): string {
  if (field.startsWith("decode_")) return `$${field}`;
  return /^(r|w|v|undefined)$/.test(field) || RESERVED.has(field) ? `${field}_` : field;
}

const RESERVED: ReadonlySet<string> = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally " +
    "for function if implements import in instanceof interface let new null package private protected public return static super " +
    "switch this throw true try typeof var void while with yield"
  ).split(" "),
);

function indent(statements: readonly string[], by = "  "): string[] {
  return statements.map((line) => by + line);
}

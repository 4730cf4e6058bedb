import { type Emission, elementId } from "./emission.ts";
import { hasNumberDefault, isExhaustive, isOptional, typeText } from "./emit-types.ts";
import { minBytes } from "./measure.ts";
import {
  type Arm,
  type Enum,
  type Field,
  type Struct,
  type Type,
  type Typedef,
  type Union,
  underlying,
} from "./model.ts";

const HYPER_METHODS = { bigint: "", pair: "Pair", number: "Number" } as const;
/** More ranges of members than this are tested by a switch. */
const MAX_RANGES = 4;

// Expressions and statements

/** An expression that reads a value of `type` from `r`. */
export function decodeText(type: Type, emission: Emission): string {
  switch (type.kind) {
    case "void":
      return "undefined";
    case "scalar":
      return `r.${type.scalar}()`;
    case "hyper":
      return type.mode === "raw" ? "r.opaqueFixed(8)" : `r.${hyperMethod(type)}()`;
    case "opaque":
      return `r.opaqueFixed(${emission.bound(type.length)})`;
    case "bytes":
      return `r.opaque(${emission.maximum(type.max).slice(2)})`;
    case "string":
      return `r.string(${emission.maximum(type.max).slice(2)})`;
    case "array":
      return `${arrayHelper("decode", type.element, emission)}(r, ${emission.bound(type.length)})`;
    case "list":
      return `${listHelper("decode", type.element, emission)}(r${emission.maximum(type.max)})`;
    case "optional": {
      const element = decodeText(type.element, emission);
      return `r.bool() ? ${isOptional(type.element) ? `[${element}]` : element} : null`;
    }
    case "chain":
      return `${chainHelper("decode", type, emission)}(r)`;
    case "named": {
      const behind = underlying(type);
      if (behind.kind === "scalar" || behind.kind === "hyper") return decodeText(behind, emission);
      return `${emission.functionName("decode", type.definition)}(r)`;
    }
  }
}

/** Statements, one a line, that write the value of the expression `value` to `w`. */
export function encodeText(type: Type, value: string, emission: Emission): string[] {
  switch (type.kind) {
    case "void":
      return [];
    case "scalar":
      return [`w.${type.scalar}(${value});`];
    case "hyper":
      return [type.mode === "raw" ? `w.opaqueFixed(${value}, 8);` : `w.${hyperMethod(type)}(${value});`];
    case "opaque":
      return [`w.opaqueFixed(${value}, ${emission.bound(type.length)});`];
    case "bytes":
      return [`w.opaque(${value}${emission.maximum(type.max)});`];
    case "string":
      return [`w.string(${value}${emission.maximum(type.max)});`];
    case "array":
      return [`${arrayHelper("encode", type.element, emission)}(w, ${value}, ${emission.bound(type.length)});`];
    case "list":
      return [`${listHelper("encode", type.element, emission)}(w, ${value}${emission.maximum(type.max)});`];
    case "optional": {
      const inner = encodeText(type.element, isOptional(type.element) ? `${value}[0]` : value, emission);
      return [`w.bool(${value} !== null);`, ...guarded(`${value} !== null`, inner)];
    }
    case "chain":
      return [`${chainHelper("encode", type, emission)}(w, ${value});`];
    case "named": {
      const behind = underlying(type);
      if (behind.kind === "scalar" || behind.kind === "hyper") return encodeText(behind, value, emission);
      return [`${emission.functionName("encode", type.definition)}(w, ${value});`];
    }
  }
}

function hyperMethod({ signed, mode }: Type & { kind: "hyper" }): string {
  // A pair is the two's complement of a signed value.
  if (mode === "pair") return "uint64Pair";
  return `${signed ? "int64" : "uint64"}${mode === "raw" ? "" : HYPER_METHODS[mode]}`;
}

function guarded(condition: string, statements: readonly string[]): string[] {
  if (statements.length === 1) return [`if (${condition}) ${statements[0]}`];
  return [`if (${condition}) {`, ...statements.map((line) => `  ${line}`), "}"];
}

// Arrays: one function per type of element, so that each call in it has one target

function listHelper(direction: "encode" | "decode", element: Type, emission: Emission): string {
  const name = `${direction}_list_of_${elementId(element)}`;
  return emission.helper(name, () => {
    const type = elementType(element, emission);
    if (direction === "encode") {
      return lines(
        `function ${name}(w: XdrWriter, v: readonly ${type}[], max = 0xffff_ffff): void {`,
        "  w.arrayLength(v.length, max);",
        ...forEach(element, emission),
        "}",
      );
    }
    return lines(
      `function ${name}(r: XdrReader, max = 0xffff_ffff): ${type}[] {`,
      `  const length = r.arrayLength(max, ${minBytes(element)});`,
      `  const list = new Array<${type}>(length);`,
      `  for (let i = 0; i < length; i++) list[i] = ${decodeText(element, emission)};`,
      "  return list;",
      "}",
    );
  });
}

function arrayHelper(direction: "encode" | "decode", element: Type, emission: Emission): string {
  const name = `${direction}_array_of_${elementId(element)}`;
  return emission.helper(name, () => {
    const type = elementType(element, emission);
    if (direction === "encode") {
      return lines(
        `function ${name}(w: XdrWriter, v: readonly ${type}[], length: number): void {`,
        "  w.fixedLength(v.length, length);",
        ...forEach(element, emission),
        "}",
      );
    }
    return lines(
      `function ${name}(r: XdrReader, length: number): ${type}[] {`,
      `  const list: ${type}[] = [];`,
      `  for (let i = 0; i < length; i++) list.push(${decodeText(element, emission)});`,
      "  return list;",
      "}",
    );
  });
}

function chainHelper(
  direction: "encode" | "decode",
  { link, nonEmpty }: Type & { kind: "chain" },
  emission: Emission,
): string {
  const name = `${direction}_${nonEmpty ? "some" : "chain"}_of_${link.name}`;
  return emission.helper(name, () => {
    const type = emission.typeName(link);
    const one = `${emission.functionName(direction, link)}`;
    if (direction === "decode") {
      const body = nonEmpty
        ? [`  do chain.push(${one}(r));`, "  while (r.bool());"]
        : [`  while (r.bool()) chain.push(${one}(r));`];
      return lines(
        `function ${name}(r: XdrReader): ${type}[] {`,
        `  const chain: ${type}[] = [];`,
        ...body,
        "  return chain;",
        "}",
      );
    }
    const body = nonEmpty
      ? [
          `  if (v.length === 0) w.fail("expected at least one ${link.name}, found none");`,
          "  for (let i = 0; i < v.length; i++) {",
          "    if (i > 0) w.bool(true);",
          `    ${one}(w, v[i]!);`,
          "  }",
        ]
      : ["  for (const link of v) {", "    w.bool(true);", `    ${one}(w, link);`, "  }"];
    return lines(`function ${name}(w: XdrWriter, v: readonly ${type}[]): void {`, ...body, "  w.bool(false);", "}");
  });
}

function elementType(element: Type, emission: Emission): string {
  const type = typeText(element, emission);
  return type.includes("|") ? `(${type})` : type;
}

function forEach(element: Type, emission: Emission): string[] {
  const statements = encodeText(element, "item", emission);
  if (statements.length === 1) return [`  for (const item of v) ${statements[0]}`];
  return ["  for (const item of v) {", ...statements.map((line) => `    ${line}`), "  }"];
}

// Definitions

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
  const reader = recursive ? `decode_${name}_arm` : `decode_${name}`;
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

function lines(...parts: string[]): string {
  return `${parts.join("\n")}\n`;
}

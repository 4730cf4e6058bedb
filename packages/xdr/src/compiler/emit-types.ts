import { docComment, type Emission } from "./emission.ts";
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

/** How values of `type` appear in TypeScript. */
export function typeText(type: Type, emission: Emission): string {
  switch (type.kind) {
    case "void":
      return "void";
    case "scalar":
      return type.scalar === "bool" ? "boolean" : "number";
    case "hyper":
      if (type.mode === "pair") return emission.runtimeType("Uint64Pair");
      return type.mode === "raw" ? "Uint8Array" : type.mode;
    case "opaque":
    case "bytes":
      return "Uint8Array";
    case "string":
      return "string";
    case "array":
    case "list": {
      const element = typeText(type.element, emission);
      return element.includes("|") ? `(${element})[]` : `${element}[]`;
    }
    case "optional": {
      const element = typeText(type.element, emission);
      return isOptional(type.element) ? `[${element}] | null` : `${element} | null`;
    }
    case "chain":
      return `${emission.typeName(type.link)}[]`;
    case "named":
      return emission.typeName(type.definition);
  }
}

/** Whether null is a value of the type, so that an optional of it needs another shape. */
export function isOptional(type: Type): boolean {
  return underlying(type).kind === "optional";
}

export function enumText({ name, doc, members, open }: Enum, emission: Emission): string {
  const constants = members
    .map((m) => `${docComment(m.doc.lines)}export const ${m.name} = ${m.text} as const;\n`)
    .join("");
  const object = members.map((m) => `  ${m.name}: ${m.text},\n`).join("");
  const unlisted = open ? ` | ${emission.runtimeType("UnlistedValue")}` : "";
  return (
    `${constants}\n${docComment(doc.lines)}export const ${name} = {\n${object}} as const;\n` +
    `${docComment(doc.lines)}export type ${name} = (typeof ${name})[keyof typeof ${name}]${unlisted};\n`
  );
}

export function structText({ name, doc, fields }: Struct, emission: Emission): string {
  if (fields.length === 0) return `${docComment(doc.lines)}export type ${name} = Record<string, never>;\n`;
  const lines = fields.map((field) => `${docComment(field.doc.lines, "  ")}  ${fieldText(field, emission)};\n`);
  return `${docComment(doc.lines)}export interface ${name} {\n${lines.join("")}}\n`;
}

export function typedefText({ name, doc, type }: Typedef, emission: Emission): string {
  return `${docComment(doc.lines)}export type ${name} = ${typeText(type, emission)};\n`;
}

/** A union of one object type for each arm, told apart by the discriminant. */
export function unionText(union: Union, emission: Emission): string {
  const { name, doc, discriminant, arms, otherwise } = union;
  const all = otherwise === undefined ? arms : [...arms, otherwise];
  const names = new Set(all.flatMap(({ field }) => (field === null ? [] : [field.name])));
  function variant(cases: string, { field, doc }: Pick<Arm, "field" | "doc">): string {
    const members = [`${discriminant.name}: ${cases}`];
    if (field !== null) members.push(fieldText(field, emission));
    if (hasNumberDefault(union)) {
      // Only the fields tell the arms apart where any number may lead to the default.
      for (const other of names) if (other !== field?.name) members.push(`${other}?: undefined`);
    }
    return `${docComment((field ?? { doc }).doc.lines, "  ")}  | { ${members.join("; ")} }`;
  }
  const variants = arms.map((arm) => variant(casesText(arm, union, emission), arm));
  if (otherwise !== undefined && !isExhaustive(union)) variants.push(variant(restText(union, emission), otherwise));
  return `${docComment(doc.lines)}export type ${name} =\n${variants.join("\n")};\n`;
}

/** Whether the cases leave no value of the discriminant over, so that there is nothing for a default. */
export function isExhaustive({ discriminant, arms }: Union): boolean {
  const cases = new Set(arms.flatMap((arm) => arm.cases.map(({ value }) => value)));
  const domain = underlying(discriminant.type);
  if (domain.kind === "scalar") return domain.scalar === "bool" && cases.size === 2;
  if (domain.kind !== "named" || domain.definition.kind !== "enum" || domain.definition.open) return false;
  return domain.definition.members.every((member) => cases.has(Number(member.value)));
}

/** Whether the default arm's discriminant is any number: TypeScript cannot tell it from the cases then. */
export function hasNumberDefault({ discriminant, otherwise }: Union): boolean {
  const domain = underlying(discriminant.type);
  return otherwise !== undefined && domain.kind === "scalar" && domain.scalar !== "bool";
}

function fieldText(field: Field, emission: Emission): string {
  return `${field.name}: ${typeText(field.type, emission)}`;
}

function casesText({ cases }: Arm, union: Union, emission: Emission): string {
  const domain = underlying(union.discriminant.type);
  if (domain.kind === "scalar" && domain.scalar === "bool") {
    return cases.length === 2 ? "boolean" : String(cases[0]!.value === 1);
  }
  return cases
    .map(({ value, constant }) => (constant === null ? String(value) : `typeof ${emission.typeName(constant)}`))
    .join(" | ");
}

/** The values of the discriminant that have no case. */
function restText(union: Union, emission: Emission): string {
  const domain = underlying(union.discriminant.type);
  if (domain.kind === "scalar") {
    return domain.scalar === "bool" ? String(union.arms[0]!.cases[0]!.value === 0) : "number";
  }
  const excluded = union.arms.map((arm) => casesText(arm, union, emission)).join(" | ");
  return `Exclude<${typeText(domain, emission)}, ${excluded}>`;
}

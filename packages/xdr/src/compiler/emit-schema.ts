import type { Emission } from "./emission.ts";
import type { Arm, Enum, Field, Struct, Type, Typedef, Union } from "./model.ts";

/** The module's schema (see src/schema.ts) as a constant. */
export function schemaText(definitions: readonly (Enum | Struct | Union | Typedef)[], emission: Emission): string {
  const imports = emission.importedModules.map((module) => emission.schemaName(module)).join(", ");
  const types = definitions.map((definition) => `    ${definition.name}: ${definitionSchema(definition)},\n`).join("");
  return (
    `/** What the types look like on the wire, as data: for what need not be fast. */\n` +
    `export const xdr_schema: XdrSchema = {\n  imports: () => [${imports}],\n  types: {\n${types}  },\n};\n`
  );
}

function definitionSchema(definition: Enum | Struct | Union | Typedef): string {
  switch (definition.kind) {
    case "enum":
      return `{ enum: [${definition.members.map((m) => String(m.value)).join(", ")}], open: ${definition.open} }`;
    case "struct":
      return `{ struct: [${definition.fields.map((field) => `[${fieldSchema(field)}]`).join(", ")}] }`;
    case "union": {
      const arms = definition.arms.map((arm: Arm) => {
        return `[[${arm.cases.map(({ value }) => value).join(", ")}], ${fieldSchema(arm.field)}]`;
      });
      const otherwise = definition.otherwise === undefined ? "null" : `[${fieldSchema(definition.otherwise.field)}]`;
      const union = `[${fieldSchema(definition.discriminant)}]`;
      return `{ union: ${union}, arms: [${arms.join(", ")}], otherwise: ${otherwise} }`;
    }
    case "typedef":
      return typeSchema(definition.type);
  }
}

function fieldSchema(field: Field | null): string {
  return field === null ? `"", "void"` : `"${field.name}", ${typeSchema(field.type)}`;
}

function typeSchema(type: Type): string {
  switch (type.kind) {
    case "void":
      return `"void"`;
    case "scalar":
      return `"${type.scalar}"`;
    case "hyper":
      return type.signed ? `"int64"` : `"uint64"`;
    case "opaque":
      return `{ opaque: ${type.length.value} }`;
    case "bytes":
      return `{ bytes: ${type.max.value} }`;
    case "string":
      return `{ string: ${type.max.value} }`;
    case "array":
      return `{ array: ${typeSchema(type.element)}, length: ${type.length.value} }`;
    case "list":
      return `{ list: ${typeSchema(type.element)}, max: ${type.max.value} }`;
    case "optional":
      return `{ optional: ${typeSchema(type.element)} }`;
    case "chain":
      return `{ chain: "${type.link.name}", nonEmpty: ${type.nonEmpty} }`;
    case "named":
      return `{ ref: "${type.definition.name}" }`;
  }
}

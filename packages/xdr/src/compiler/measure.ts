import type { Diagnostics } from "./diagnostics.ts";
import type { Definition, Struct, Type, Typedef, Union } from "./model.ts";
import { describe } from "./model.ts";

/** Works out how many bytes each type takes at least and which types contain themselves. Endless types are reported. */
export function measure(all: readonly Definition[], diagnostics: Diagnostics): void {
  const definitions = all.filter((definition) => definition.kind === "struct" || definition.kind === "union");
  // From infinity downwards: a type that is still infinite when nothing changes any more has no end.
  for (let changed = true; changed; ) {
    changed = false;
    for (const definition of definitions) {
      const bytes = definition.kind === "struct" ? structBytes(definition) : unionBytes(definition);
      if (bytes < definition.minBytes) {
        definition.minBytes = bytes;
        changed = true;
      }
    }
  }
  for (const definition of definitions) {
    if (definition.minBytes === Number.POSITIVE_INFINITY) {
      diagnostics.report(definition.at, `"${definition.name}" contains itself without end`);
    }
    definition.recursive = contains(definition, definition);
    for (const type of parts(definition)) checkElements(type, definition, diagnostics);
  }
  for (const definition of all) {
    if (definition.kind === "typedef") checkElements(definition.type, definition, diagnostics);
  }
}

/** The least number of bytes that a value of `type` takes. */
export function minBytes(type: Type): number {
  switch (type.kind) {
    case "void":
      return 0;
    case "scalar":
      return type.scalar === "double" ? 8 : 4;
    case "hyper":
      return 8;
    case "opaque":
      return type.length.value + (-type.length.value & 3);
    case "bytes":
    case "string":
    case "list":
    case "optional":
      return 4;
    case "array":
      return type.length.value === 0 ? 0 : type.length.value * minBytes(type.element);
    case "chain":
      return type.nonEmpty ? type.link.minBytes + 4 : 4;
    case "named": {
      const { definition } = type;
      if (definition.kind === "enum") return 4;
      return definition.kind === "typedef" ? minBytes(definition.type) : definition.minBytes;
    }
  }
}

function structBytes({ fields }: Struct): number {
  return fields.reduce((sum, field) => sum + minBytes(field.type), 0);
}

function unionBytes({ arms, otherwise }: Union): number {
  const all = otherwise === undefined ? arms : [...arms, otherwise];
  return 4 + Math.min(...all.map(({ field }) => (field === null ? 0 : minBytes(field.type))));
}

function parts(definition: Struct | Union): Type[] {
  if (definition.kind === "struct") return definition.fields.map((field) => field.type);
  const all = definition.otherwise === undefined ? definition.arms : [...definition.arms, definition.otherwise];
  return all.flatMap(({ field }) => (field === null ? [] : [field.type]));
}

/** Whether decoding `definition` may decode `target` inside it. */
function contains(definition: Struct | Union, target: Struct | Union, seen: Set<Struct | Union> = new Set()): boolean {
  return parts(definition).some((type) => {
    const inner = innermost(type);
    if (inner === null) return false;
    if (inner === target) return true;
    if (seen.has(inner)) return false;
    seen.add(inner);
    return contains(inner, target, seen);
  });
}

/** The struct or union that a type is made of. */
function innermost(type: Type): Struct | Union | null {
  switch (type.kind) {
    case "array":
    case "list":
    case "optional":
      return innermost(type.element);
    case "chain":
      return type.link;
    case "named": {
      const { definition } = type;
      if (definition.kind === "typedef") return innermost(definition.type);
      return definition.kind === "enum" ? null : definition;
    }
    default:
      return null;
  }
}

/** Refuses arrays of elements that take no bytes: a length would promise any number of them for free. */
function checkElements(type: Type, owner: Struct | Union | Typedef, diagnostics: Diagnostics): void {
  if (type.kind !== "array" && type.kind !== "list") return;
  if (minBytes(type.element) === 0) {
    diagnostics.report(owner.at, `expected elements that take bytes, found ${describe(type)} in ${owner.name}`);
  }
  checkElements(type.element, owner, diagnostics);
}

import type { Position } from "./diagnostics.ts";
import type { Doc, Int64Mode } from "./doc.ts";

/** One TypeScript module: those to be written, and those that exist already and are only imported from. */
export interface Module {
  /** The source's name, or the sources' names. */
  readonly files: readonly string[];
  /** How other modules import this one, say "./basic.ts". */
  readonly specifier: string;
  readonly doc: Doc;
  /** In the order of the sources; a type that stands inside another comes before it. */
  readonly definitions: Definition[];
}

export type Definition = Constant | TypeDefinition | Program;
export type TypeDefinition = Enum | Struct | Union | Typedef;

interface Defined {
  readonly name: string;
  readonly at: Position;
  readonly doc: Doc;
  readonly module: Module;
}

/** A `const`, or a member of an enum. */
export interface Constant extends Defined {
  readonly kind: "constant";
  value: bigint;
  /** The value as TypeScript writes it, in the radix of the source. */
  text: string;
}

export interface Enum extends Defined {
  readonly kind: "enum";
  readonly members: Constant[];
  /** Unknown values are decoded, not refused. */
  readonly open: boolean;
}

export interface Field {
  readonly name: string;
  readonly doc: Doc;
  readonly type: Type;
}

export interface Struct extends Defined {
  readonly kind: "struct";
  /** Without the last one if the struct is a link of a chain. */
  fields: Field[];
  /** Its last field is an optional of itself: it makes linked lists, which become arrays. */
  link: boolean;
  /** Contains itself, if not as a chain. */
  recursive: boolean;
  /** The least number of bytes that a value takes. */
  minBytes: number;
}

export interface CaseValue {
  readonly value: number;
  /** The constant that the source names, null for a number, TRUE or FALSE. */
  readonly constant: Constant | null;
}

export interface Arm {
  readonly cases: readonly CaseValue[];
  /** null is void. */
  readonly field: Field | null;
  readonly doc: Doc;
}

export interface Union extends Defined {
  readonly kind: "union";
  discriminant: Field;
  arms: Arm[];
  /** undefined where there is no default; its field is null where it is void. */
  otherwise: { readonly field: Field | null; readonly doc: Doc } | undefined;
  recursive: boolean;
  minBytes: number;
}

export interface Typedef extends Defined {
  readonly kind: "typedef";
  type: Type;
}

export interface Program extends Defined {
  readonly kind: "program";
  readonly number: number;
  readonly versions: readonly Version[];
}

export interface Version {
  readonly name: string;
  readonly number: number;
  readonly doc: Doc;
  readonly procedures: readonly Procedure[];
}

export interface Procedure {
  readonly name: string;
  readonly number: number;
  readonly doc: Doc;
  readonly argument: Type;
  readonly result: Type;
}

/** A length or a maximum, with the constant that the source names. */
export interface Bound {
  readonly value: number;
  readonly constant: Constant | null;
}

export type Scalar = "uint32" | "int32" | "bool" | "float" | "double";

export type Type =
  | { readonly kind: "void" }
  | { readonly kind: "scalar"; readonly scalar: Scalar }
  | { readonly kind: "hyper"; readonly signed: boolean; readonly mode: Int64Mode }
  | { readonly kind: "opaque"; readonly length: Bound }
  | { readonly kind: "bytes" | "string"; readonly max: Bound }
  | { readonly kind: "array"; readonly element: Type; readonly length: Bound }
  | { readonly kind: "list"; readonly element: Type; readonly max: Bound }
  | { readonly kind: "optional"; readonly element: Type }
  /** A linked list, as an array; one that begins with a link, not with a pointer, has at least one element. */
  | { readonly kind: "chain"; readonly link: Struct; readonly nonEmpty: boolean }
  | { readonly kind: "named"; readonly definition: Enum | Struct | Union | Typedef };

export const MAX_LENGTH = 0xffff_ffff;
export const VOID: Type = { kind: "void" };

/** The type behind all typedefs. */
export function underlying(type: Type): Type {
  let behind = type;
  while (behind.kind === "named" && behind.definition.kind === "typedef") behind = behind.definition.type;
  return behind;
}

/** What the type is called in messages. */
export function describe(type: Type): string {
  switch (type.kind) {
    case "named":
      return type.definition.name;
    case "scalar":
      return { uint32: "unsigned int", int32: "int", bool: "bool", float: "float", double: "double" }[type.scalar];
    case "hyper":
      return type.signed ? "hyper" : "unsigned hyper";
    case "opaque":
    case "bytes":
      return "opaque data";
    case "string":
      return "a string";
    case "array":
    case "list":
      return `an array of ${describe(type.element)}`;
    case "optional":
      return `an optional ${describe(type.element)}`;
    case "chain":
      return `a list of ${type.link.name}`;
    case "void":
      return "void";
  }
}

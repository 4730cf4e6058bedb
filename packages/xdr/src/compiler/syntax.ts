import type { Position } from "./diagnostics.ts";
import type { Doc } from "./doc.ts";

/** The syntax tree of a source, as RFC 4506 §6.3 and RFC 5531 §12.2 name its parts. */
export interface Specification {
  readonly file: string;
  readonly doc: Doc;
  readonly definitions: readonly Definition[];
}

export interface Name {
  readonly text: string;
  readonly at: Position;
}

export type Value =
  | { readonly kind: "constant"; readonly value: bigint; readonly text: string; readonly at: Position }
  | { readonly kind: "name"; readonly text: string; readonly at: Position };

export type Primitive = "int" | "unsigned int" | "hyper" | "unsigned hyper" | "float" | "double" | "quadruple" | "bool";

export type TypeSpecifier =
  | { readonly kind: "primitive"; readonly name: Primitive; readonly at: Position }
  | { readonly kind: "reference"; readonly name: Name; readonly at: Position }
  | EnumBody
  | StructBody
  | UnionBody;

export interface EnumBody {
  readonly kind: "enum";
  readonly at: Position;
  readonly members: readonly { readonly name: Name; readonly value: Value; readonly doc: Doc }[];
}

export interface StructBody {
  readonly kind: "struct";
  readonly at: Position;
  readonly fields: readonly Declaration[];
}

export interface UnionBody {
  readonly kind: "union";
  readonly at: Position;
  readonly discriminant: Declaration;
  readonly arms: readonly { readonly cases: readonly Value[]; readonly declaration: Declaration; readonly doc: Doc }[];
  readonly otherwise: { readonly declaration: Declaration; readonly doc: Doc } | null;
}

export type Declaration =
  | { readonly kind: "void"; readonly at: Position; readonly doc: Doc }
  | {
      readonly kind: "opaque" | "string";
      readonly at: Position;
      readonly name: Name;
      readonly doc: Doc;
      readonly shape: "fixed" | "variable";
      /** Length of a fixed, maximum of a variable one; null where `<>` says none. */
      readonly bound: Value | null;
    }
  | {
      readonly kind: "typed";
      readonly at: Position;
      readonly name: Name;
      readonly doc: Doc;
      readonly type: TypeSpecifier;
      readonly shape: "plain" | "fixed" | "variable" | "optional";
      readonly bound: Value | null;
    };

export interface Procedure {
  readonly name: Name;
  readonly number: Value;
  readonly doc: Doc;
  /** null is void. */
  readonly result: TypeSpecifier | null;
  /** None is void. */
  readonly parameters: readonly TypeSpecifier[];
}

export interface Version {
  readonly name: Name;
  readonly number: Value;
  readonly doc: Doc;
  readonly procedures: readonly Procedure[];
}

export type Definition =
  | { readonly kind: "const"; readonly name: Name; readonly value: Value; readonly doc: Doc }
  | { readonly kind: "typedef"; readonly name: Name; readonly declaration: Declaration; readonly doc: Doc }
  | { readonly kind: "type"; readonly name: Name; readonly body: EnumBody | StructBody | UnionBody; readonly doc: Doc }
  | {
      readonly kind: "program";
      readonly name: Name;
      readonly number: Value;
      readonly doc: Doc;
      readonly versions: readonly Version[];
    };

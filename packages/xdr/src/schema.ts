/**
 * What a type looks like on the wire, as data. Generated modules carry a schema for everything that need not be fast: naming the
 * field that could not be read, making test messages, printing.
 */
export type XdrSchemaType =
  | "void"
  | "uint32"
  | "int32"
  | "bool"
  | "float"
  | "double"
  | "uint64"
  | "int64"
  /** Another type of the schema, or of those it imports. */
  | { readonly ref: string }
  /** Opaque data of exactly so many bytes. */
  | { readonly opaque: number }
  /** Opaque data of at most so many bytes. */
  | { readonly bytes: number }
  | { readonly string: number }
  | { readonly array: XdrSchemaType; readonly length: number }
  | { readonly list: XdrSchemaType; readonly max: number }
  | { readonly optional: XdrSchemaType }
  /** A linked list; a non-empty one starts with a link, not with the flag that one follows. */
  | { readonly chain: string; readonly nonEmpty: boolean }
  | { readonly enum: readonly number[]; readonly open: boolean }
  | { readonly struct: readonly XdrSchemaField[] }
  | {
      readonly union: XdrSchemaField;
      /** The discriminant's values and the field that they select. */
      readonly arms: readonly (readonly [cases: readonly number[], ...field: XdrSchemaField])[];
      readonly otherwise: XdrSchemaField | null;
    };

/** A field's name, "" for void, and type. */
export type XdrSchemaField = readonly [name: string, type: XdrSchemaType];

export interface XdrSchema {
  /** The schemas of the modules that this one imports types from. A function, for modules may import each other. */
  readonly imports: () => readonly XdrSchema[];
  readonly types: Readonly<Record<string, XdrSchemaType>>;
}

/** The type called `name`, or undefined. */
export function findType(schema: XdrSchema, name: string): XdrSchemaType | undefined {
  const seen = new Set<XdrSchema>();
  const waiting = [schema];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (Object.hasOwn(next.types, name)) return next.types[name];
    waiting.push(...next.imports());
  }
  return undefined;
}

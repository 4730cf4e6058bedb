import type { Declarations } from "./declare.ts";
import type { Struct } from "./model.ts";
import type { Declaration, StructBody, TypeSpecifier } from "./syntax.ts";

/** Tells which structs are links of lists: `struct entry { …; entry *next; }` (RFC 4506 §4.19). */
export class Links {
  readonly #declarations: Declarations;

  constructor(declarations: Declarations) {
    this.#declarations = declarations;
  }

  /** Whether the struct ends in an optional of itself. With a second pointer to itself it is a tree, not a list. */
  isLink(definition: Struct, body: StructBody): boolean {
    const pointers = body.fields.filter((field) => this.#isPointerTo(field, definition));
    return pointers.length === 1 && pointers[0] === body.fields[body.fields.length - 1];
  }

  #isPointerTo(field: Declaration, struct: Struct): boolean {
    if (field.kind !== "typed") return false;
    if (field.shape === "optional") return this.#structNamed(field.type) === struct;
    if (field.shape !== "plain" || field.type.kind !== "reference") return false;
    // The pointer may be a typedef: typedef entry *list; struct entry { …; list next; };
    const pointer = this.#pointerNamed(field.type.name.text);
    return pointer !== null && this.#structNamed(pointer) === struct;
  }

  /** The link that a specifier names, or null. */
  linkNamed(specifier: TypeSpecifier): Struct | null {
    const struct = this.#structNamed(specifier);
    return struct?.link === true ? struct : null;
  }

  /** The struct that a specifier names, also through plain typedefs. */
  #structNamed(specifier: TypeSpecifier): Struct | null {
    let current = specifier;
    for (let hops = 0; current.kind === "reference" && hops < 100; hops++) {
      const declared = this.#declarations.names.get(current.name.text);
      if (declared?.kind === "struct") return declared.definition;
      if (declared?.kind !== "typedef") return null;
      const { declaration } = declared;
      if (declaration.kind !== "typed" || declaration.shape !== "plain") return null;
      current = declaration.type;
    }
    return null;
  }

  /** What the typedef `name`, if it is of a pointer, points to. */
  #pointerNamed(name: string): TypeSpecifier | null {
    let current = name;
    for (let hops = 0; hops < 100; hops++) {
      const declared = this.#declarations.names.get(current);
      if (declared?.kind !== "typedef" || declared.declaration.kind !== "typed") return null;
      const { shape, type } = declared.declaration;
      if (shape === "optional") return type;
      if (shape !== "plain" || type.kind !== "reference") return null;
      current = type.name.text;
    }
    return null;
  }
}

import { Constants, INT32_MAX, INT32_MIN, UINT32_MAX } from "./constants.ts";
import { Declarations, isBody } from "./declare.ts";
import type { Diagnostics, Position } from "./diagnostics.ts";
import { type Doc, INT64_MODES, type Int64Mode, NO_DOC } from "./doc.ts";
import { Links } from "./links.ts";
import { measure } from "./measure.ts";
import {
  type Arm,
  type CaseValue,
  describe,
  type Field,
  type Module,
  type Struct,
  type Type,
  type Typedef,
  type Union,
  underlying,
  VOID,
} from "./model.ts";
import { Programs } from "./programs.ts";
import type {
  Declaration,
  EnumBody,
  Name,
  Primitive,
  Specification,
  StructBody,
  TypeSpecifier,
  UnionBody,
  Value,
} from "./syntax.ts";

/** Names that many sources take from C's headers, known unless a source declares them. */
const C_TYPES: ReadonlyMap<string, Primitive> = new Map([
  ["int32_t", "int"],
  ["uint32_t", "unsigned int"],
  ["int64_t", "hyper"],
  ["uint64_t", "unsigned hyper"],
]);

/** The sources of one module. */
export interface ModuleSource {
  readonly specifications: readonly Specification[];
  readonly module: Module;
}

/** Fills in the modules' definitions: finds out what every name means and checks the rules of RFC 4506 §6.4 and RFC 5531 §12.3. Mistakes are reported. */
export function resolve(sources: readonly ModuleSource[], defaultMode: Int64Mode, diagnostics: Diagnostics): void {
  const declarations = new Declarations(diagnostics);
  for (const { specifications, module } of sources) {
    for (const specification of specifications) declarations.add(specification, module);
  }
  const resolver = new Resolver(declarations, diagnostics);
  for (const { specifications } of sources) {
    for (const { doc, file } of specifications) {
      resolver.modes.set(file, resolver.mode(doc, { file, line: 1, column: 1 }) ?? defaultMode);
    }
  }
  resolver.run();
  // Where something is missing, sizes would only mislead.
  if (diagnostics.isEmpty) {
    measure(
      sources.flatMap(({ module }) => module.definitions),
      diagnostics,
    );
  }
}

class Resolver {
  /** How 64-bit integers appear that a file's sources do not tag. */
  readonly modes: Map<string, Int64Mode> = new Map();
  readonly #declarations: Declarations;
  readonly #diagnostics: Diagnostics;
  readonly #constants: Constants;
  readonly #links: Links;
  readonly #typedefs: Map<Typedef, "running" | "done"> = new Map();
  readonly #programs: Programs;

  constructor(declarations: Declarations, diagnostics: Diagnostics) {
    this.#declarations = declarations;
    this.#diagnostics = diagnostics;
    this.#constants = new Constants(declarations, diagnostics);
    this.#links = new Links(declarations);
    this.#programs = new Programs(declarations, this.#constants, diagnostics, (specifier) => this.#type(specifier));
  }

  run(): void {
    const declared = [...this.#declarations.names.values()];
    // Links first: whether a pointer to a struct is a list must be known wherever it is used.
    for (const d of declared) if (d.kind === "struct") d.definition.link = this.#links.isLink(d.definition, d.body);
    for (const d of declared) {
      switch (d.kind) {
        case "constant":
          this.#constants.evaluate(d.constant, d.value);
          break;
        case "enum":
          this.#enum(d.body);
          break;
        case "typedef":
          this.#typedef(d.definition, d.declaration);
          break;
      }
    }
    // Typedefs stand by now, which unions need for their discriminants.
    for (const d of declared) {
      if (d.kind === "struct" || d.kind === "union" || d.kind === "enum") {
        if (d.definition.doc.int64 !== null) this.#noInt64(d.definition.at, d.definition.name);
      }
      if (d.kind === "struct") this.#struct(d.definition, d.body);
      else if (d.kind === "union") this.#union(d.definition, d.body);
      else if (d.kind === "program") d.module.definitions.push(this.#programs.resolve(d.program, d.module));
    }
  }

  /** The mode that a doc comment asks for. */
  mode(doc: Doc, at: Position): Int64Mode | null {
    if (doc.int64 === null) return null;
    const mode = INT64_MODES.find((known) => known === doc.int64);
    if (mode === undefined) {
      this.#diagnostics.report(at, `expected ${INT64_MODES.join(", ")} after @int64, found "${doc.int64}"`);
    }
    return mode ?? null;
  }

  // Types

  #enum({ members }: EnumBody): void {
    for (const { value } of members) this.#constants.integer(value, INT32_MIN, INT32_MAX, "a member's value");
  }

  #typedef(definition: Typedef, declaration: Declaration): void {
    const state = this.#typedefs.get(definition);
    if (state === "done") return;
    if (state === "running") {
      this.#diagnostics.report(definition.at, `"${definition.name}" is declared in terms of itself`);
      return;
    }
    this.#typedefs.set(definition, "running");
    definition.type = this.#declarationType(declaration, definition.doc);
    if (definition.doc.open) this.#diagnostics.report(definition.at, "expected an enum after @open");
    this.#typedefs.set(definition, "done");
  }

  #struct(definition: Struct, body: StructBody): void {
    this.#checkFieldNames(body.fields);
    const fields = definition.link ? body.fields.slice(0, -1) : body.fields;
    for (const field of fields) {
      if (field.kind === "void") this.#diagnostics.report(field.at, "expected a field with a type, found void");
      else definition.fields.push(this.#field(field));
    }
  }

  #union(definition: Union, body: UnionBody): void {
    const declarations = [body.discriminant, ...body.arms.map((arm) => arm.declaration)];
    if (body.otherwise !== null) declarations.push(body.otherwise.declaration);
    this.#checkFieldNames(declarations);
    const discriminant = body.discriminant.kind === "typed" ? this.#field(body.discriminant) : null;
    const domain = discriminant === null ? null : underlying(discriminant.type);
    if (discriminant === null || domain === null || !isDiscriminant(domain)) {
      const found = discriminant === null ? body.discriminant.kind : describe(discriminant.type);
      const at = body.discriminant.at;
      this.#diagnostics.report(at, `expected a discriminant of int, unsigned int, bool or an enum, found ${found}`);
      return;
    }
    definition.discriminant = discriminant;
    const seen = new Map<number, Position>();
    for (const { cases, declaration, doc } of body.arms) {
      const values = cases.map((value) => {
        const resolved = this.#caseValue(value, domain);
        const earlier = seen.get(resolved.value);
        if (earlier !== undefined) {
          const place = `${earlier.file}:${earlier.line}:${earlier.column}`;
          this.#diagnostics.report(
            value.at,
            `expected another value, found ${value.text}, which has its case at ${place}`,
          );
        }
        seen.set(resolved.value, value.at);
        return resolved;
      });
      definition.arms.push({ cases: values, field: this.#armField(declaration, doc), doc } satisfies Arm);
    }
    if (body.otherwise !== null) {
      const { declaration, doc } = body.otherwise;
      definition.otherwise = { field: this.#armField(declaration, doc), doc };
    }
  }

  #armField(declaration: Declaration, armDoc: Doc): Field | null {
    // Doc and tags may stand before the case or before the declaration.
    if (declaration.kind === "void") return null;
    return this.#field(declaration, declaration.doc === NO_DOC ? armDoc : declaration.doc);
  }

  #caseValue(value: Value, domain: Type): CaseValue {
    if (domain.kind === "named" && domain.definition.kind === "enum") {
      const { members, name, open } = domain.definition;
      const integer = this.#constants.integer(value, INT32_MIN, INT32_MAX, "a case");
      const known = members.find((member) => member.value === integer.value || member.name === value.text);
      if (known === undefined && !open && !(value.kind === "name" && integer.constant === null)) {
        this.#diagnostics.report(value.at, `expected a member of ${name}, found ${value.text}`);
      }
      return { value: Number(integer.value), constant: integer.constant };
    }
    const scalar = domain.kind === "scalar" ? domain.scalar : "int32";
    if (scalar === "bool") {
      const text = value.text;
      if (text === "TRUE" || text === "1") return { value: 1, constant: null };
      if (text === "FALSE" || text === "0") return { value: 0, constant: null };
      this.#diagnostics.report(value.at, `expected TRUE or FALSE, found "${text}"`);
      return { value: Number.NaN, constant: null };
    }
    const [min, max] = scalar === "uint32" ? [0n, UINT32_MAX] : [INT32_MIN, INT32_MAX];
    const integer = this.#constants.integer(value, min, max, "a case");
    return { value: Number(integer.value), constant: integer.constant };
  }

  #checkFieldNames(declarations: readonly Declaration[]): void {
    const seen = new Set<string>();
    for (const declaration of declarations) {
      if (declaration.kind === "void") continue;
      const { text, at } = declaration.name;
      if (seen.has(text))
        this.#diagnostics.report(at, `expected a new name, found "${text}", which names an earlier field`);
      seen.add(text);
    }
  }

  #field(declaration: Exclude<Declaration, { kind: "void" }>, doc: Doc = declaration.doc): Field {
    if (doc.open) this.#diagnostics.report(declaration.at, "expected an enum after @open");
    return { name: declaration.name.text, doc, type: this.#declarationType(declaration, doc) };
  }

  #declarationType(declaration: Declaration, doc: Doc): Type {
    const type = this.#untaggedType(declaration);
    const mode = this.mode(doc, declaration.at);
    if (mode === null) return type;
    const tagged = withMode(type, mode);
    if (tagged === null) this.#noInt64(declaration.at, describe(type));
    return tagged ?? type;
  }

  #noInt64(at: Position, found: string): void {
    this.#diagnostics.report(at, `expected hyper or unsigned hyper after @int64, found ${found}`);
  }

  #untaggedType(declaration: Declaration): Type {
    switch (declaration.kind) {
      case "void":
        return VOID;
      case "opaque":
        return declaration.shape === "fixed"
          ? { kind: "opaque", length: this.#constants.bound(declaration.bound, "a length") }
          : { kind: "bytes", max: this.#constants.bound(declaration.bound, "a maximum length") };
      case "string":
        return { kind: "string", max: this.#constants.bound(declaration.bound, "a maximum length") };
      case "typed": {
        const link = declaration.shape === "optional" ? this.#links.linkNamed(declaration.type) : null;
        if (link !== null) return { kind: "chain", link, nonEmpty: false };
        const element = this.#type(declaration.type);
        switch (declaration.shape) {
          case "plain":
            return element;
          case "fixed":
            return { kind: "array", element, length: this.#constants.bound(declaration.bound, "a length") };
          case "variable":
            return { kind: "list", element, max: this.#constants.bound(declaration.bound, "a maximum length") };
          case "optional":
            return { kind: "optional", element };
        }
      }
    }
  }

  #type(specifier: TypeSpecifier): Type {
    if (isBody(specifier)) return { kind: "named", definition: this.#declarations.bodies.get(specifier)! };
    if (specifier.kind === "reference") return this.#reference(specifier.name);
    return this.#primitive(specifier.name, specifier.at.file);
  }

  #primitive(name: Primitive, file: string): Type {
    const mode = this.modes.get(file)!;
    switch (name) {
      case "int":
        return { kind: "scalar", scalar: "int32" };
      case "unsigned int":
        return { kind: "scalar", scalar: "uint32" };
      case "bool":
      case "float":
      case "double":
        return { kind: "scalar", scalar: name };
      case "hyper":
        return { kind: "hyper", signed: true, mode };
      case "unsigned hyper":
        return { kind: "hyper", signed: false, mode };
      case "quadruple":
        return { kind: "opaque", length: { value: 16, constant: null } };
    }
  }

  #reference(name: Name): Type {
    const declared = this.#declarations.names.get(name.text);
    switch (declared?.kind) {
      case "struct":
        if (declared.definition.link) return { kind: "chain", link: declared.definition, nonEmpty: true };
        return { kind: "named", definition: declared.definition };
      case "enum":
      case "union":
        return { kind: "named", definition: declared.definition };
      case "typedef":
        this.#typedef(declared.definition, declared.declaration);
        return { kind: "named", definition: declared.definition };
      default: {
        const builtIn = C_TYPES.get(name.text);
        if (declared === undefined && builtIn !== undefined) return this.#primitive(builtIn, name.at.file);
        const found =
          declared === undefined ? `"${name.text}", which is not declared` : `the ${declared.kind} "${name.text}"`;
        this.#diagnostics.report(name.at, `expected a type, found ${found}`);
        // Something that causes no further complaint.
        return { kind: "scalar", scalar: "uint32" };
      }
    }
  }
}

function isDiscriminant(type: Type): boolean {
  switch (type.kind) {
    case "scalar":
      return type.scalar === "int32" || type.scalar === "uint32" || type.scalar === "bool";
    case "named":
      return type.definition.kind === "enum";
    default:
      return false;
  }
}

/** The type with its 64-bit integers in another mode, or null where it has none. */
function withMode(type: Type, mode: Int64Mode): Type | null {
  switch (type.kind) {
    case "hyper":
      return { ...type, mode };
    case "array":
    case "list":
    case "optional": {
      const element = withMode(type.element, mode);
      return element === null ? null : { ...type, element };
    }
    case "named":
      return type.definition.kind === "typedef" ? withMode(type.definition.type, mode) : null;
    default:
      return null;
  }
}

import type { Diagnostics, Position } from "./diagnostics.ts";
import { formatDiagnostic } from "./diagnostics.ts";
import { type Doc, NO_DOC } from "./doc.ts";
import type { Constant, Enum, Module, Struct, Typedef, Union } from "./model.ts";
import { VOID } from "./model.ts";
import { reservedReason } from "./reserved.ts";
import type * as syntax from "./syntax.ts";
import type { Declaration, Definition, EnumBody, StructBody, TypeSpecifier, UnionBody, Value } from "./syntax.ts";

type Body = EnumBody | StructBody | UnionBody;

/** What a name of a source stands for, before its content is resolved. */
export type Declared =
  | { readonly kind: "constant"; readonly constant: Constant; readonly value: Value }
  | { readonly kind: "enum"; readonly definition: Enum; readonly body: EnumBody }
  | { readonly kind: "struct"; readonly definition: Struct; readonly body: StructBody }
  | { readonly kind: "union"; readonly definition: Union; readonly body: UnionBody }
  | { readonly kind: "typedef"; readonly definition: Typedef; readonly declaration: Declaration }
  | { readonly kind: "program"; readonly at: Position; readonly module: Module; readonly program: ProgramDefinition };

export type ProgramDefinition = Extract<Definition, { kind: "program" }>;

/** All names of the sources, in order. */
export class Declarations {
  readonly names: Map<string, Declared> = new Map();
  /** The definition that each body got, those inside declarations included. */
  readonly bodies: Map<Body, Enum | Struct | Union> = new Map();
  readonly #diagnostics: Diagnostics;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  add(specification: syntax.Specification, module: Module): void {
    for (const definition of specification.definitions) this.#definition(definition, module);
  }

  #definition(definition: Definition, module: Module): void {
    const { name, doc } = definition;
    switch (definition.kind) {
      case "const":
        this.#constant(name, definition.value, doc, module);
        break;
      case "type":
        this.#body(name.text, name.at, definition.body, doc, module);
        break;
      case "typedef": {
        const { declaration } = definition;
        // typedef struct { … } name; says the same as struct name { … };
        if (declaration.kind === "typed" && declaration.shape === "plain" && isBody(declaration.type)) {
          this.#body(name.text, name.at, declaration.type, doc, module);
          break;
        }
        this.#inside(`${name.text}_item`, declaration, module);
        const typedef: Typedef = { kind: "typedef", name: name.text, at: name.at, doc, module, type: VOID };
        this.#declare(name.text, name.at, { kind: "typedef", definition: typedef, declaration });
        module.definitions.push(typedef);
        break;
      }
      case "program":
        this.#declare(name.text, name.at, { kind: "program", at: name.at, module, program: definition });
        for (const version of definition.versions) {
          for (const { name: procedure, parameters, result } of version.procedures) {
            const owner = `${name.text}_${version.name.text}_${procedure.text}`;
            if (result !== null) this.#specifier(`${owner}_result`, procedure.at, result, module);
            parameters.forEach((parameter, i) => {
              this.#specifier(`${owner}_argument${i + 1}`, procedure.at, parameter, module);
            });
          }
        }
        break;
    }
  }

  #constant(name: syntax.Name, value: Value, doc: Doc, module: Module): Constant {
    const constant: Constant = { kind: "constant", name: name.text, at: name.at, doc, module, value: 0n, text: "0" };
    this.#declare(name.text, name.at, { kind: "constant", constant, value });
    module.definitions.push(constant);
    return constant;
  }

  #body(name: string, at: Position, body: Body, doc: Doc, module: Module): void {
    if (doc.open && body.kind !== "enum") this.#diagnostics.report(at, "expected an enum after @open");
    const defined = { name, at, doc, module };
    switch (body.kind) {
      case "enum": {
        const definition: Enum = { kind: "enum", ...defined, members: [], open: doc.open };
        this.#declare(name, at, { kind: "enum", definition, body });
        this.bodies.set(body, definition);
        for (const member of body.members) {
          const constant: Constant = {
            kind: "constant",
            name: member.name.text,
            at: member.name.at,
            doc: member.doc,
            module,
            value: 0n,
            text: "0",
          };
          this.#declare(member.name.text, member.name.at, { kind: "constant", constant, value: member.value });
          definition.members.push(constant);
        }
        module.definitions.push(definition);
        break;
      }
      case "struct": {
        const definition: Struct = {
          kind: "struct",
          ...defined,
          fields: [],
          link: false,
          recursive: false,
          minBytes: Number.POSITIVE_INFINITY,
        };
        this.#declare(name, at, { kind: "struct", definition, body });
        this.bodies.set(body, definition);
        for (const field of body.fields) this.#insideField(name, field, module);
        module.definitions.push(definition);
        break;
      }
      case "union": {
        const definition: Union = {
          kind: "union",
          ...defined,
          discriminant: { name: "", doc: NO_DOC, type: VOID },
          arms: [],
          otherwise: undefined,
          recursive: false,
          minBytes: Number.POSITIVE_INFINITY,
        };
        this.#declare(name, at, { kind: "union", definition, body });
        this.bodies.set(body, definition);
        this.#insideField(name, body.discriminant, module);
        for (const arm of body.arms) this.#insideField(name, arm.declaration, module);
        if (body.otherwise !== null) this.#insideField(name, body.otherwise.declaration, module);
        module.definitions.push(definition);
        break;
      }
    }
  }

  /** A body inside a field is called after the type and the field. */
  #insideField(owner: string, declaration: Declaration, module: Module): void {
    if (declaration.kind === "typed") this.#inside(`${owner}_${declaration.name.text}`, declaration, module);
  }

  #inside(name: string, declaration: Declaration, module: Module): void {
    if (declaration.kind === "typed") this.#specifier(name, declaration.name.at, declaration.type, module);
  }

  #specifier(name: string, at: Position, type: TypeSpecifier, module: Module): void {
    if (isBody(type)) this.#body(name, at, type, NO_DOC, module);
  }

  #declare(name: string, at: Position, declared: Declared): void {
    const reason = reservedReason(name);
    if (reason !== null) {
      this.#diagnostics.report(at, `expected another name than "${name}", which ${reason}`);
      return;
    }
    const earlier = this.names.get(name);
    if (earlier !== undefined) {
      const place = formatDiagnostic({ at: placeOf(earlier), message: "" }).slice(0, -2);
      this.#diagnostics.report(at, `expected a new name, found "${name}", which is declared at ${place}`);
      return;
    }
    this.names.set(name, declared);
  }
}

export function isBody(type: TypeSpecifier): type is Body {
  return type.kind === "enum" || type.kind === "struct" || type.kind === "union";
}

function placeOf(declared: Declared): Position {
  switch (declared.kind) {
    case "constant":
      return declared.constant.at;
    case "program":
      return declared.at;
    default:
      return declared.definition.at;
  }
}

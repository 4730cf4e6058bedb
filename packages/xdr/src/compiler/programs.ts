import { type Constants, UINT32_MAX } from "./constants.ts";
import type { Declarations, ProgramDefinition } from "./declare.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { NO_DOC } from "./doc.ts";
import { type Module, type Program, type Struct, type Type, VOID } from "./model.ts";
import type { Name, Procedure, TypeSpecifier, Value } from "./syntax.ts";

/** Resolves programs and checks the rules of RFC 5531 §12.3. */
export class Programs {
  readonly #declarations: Declarations;
  readonly #constants: Constants;
  readonly #diagnostics: Diagnostics;
  readonly #typeOf: (specifier: TypeSpecifier) => Type;
  /** Names that the sources do not declare, but the modules have. */
  readonly #claimed: Set<string> = new Set();

  constructor(
    declarations: Declarations,
    constants: Constants,
    diagnostics: Diagnostics,
    typeOf: (specifier: TypeSpecifier) => Type,
  ) {
    this.#declarations = declarations;
    this.#constants = constants;
    this.#diagnostics = diagnostics;
    this.#typeOf = typeOf;
  }

  /** Finds out what a program's numbers and types are. */
  resolve({ name, number, doc, versions }: ProgramDefinition, module: Module): Program {
    const versionNames = new Unique(this.#diagnostics, `a version of ${name.text}`);
    return {
      kind: "program",
      name: name.text,
      at: name.at,
      doc,
      module,
      number: this.#number(number),
      versions: versions.map((version) => {
        const procedureNames = new Unique(this.#diagnostics, `a procedure of ${version.name.text}`);
        const versionNumber = this.#number(version.number);
        versionNames.add(version.name, version.number, versionNumber);
        const table = `${name.text}_${version.name.text}`;
        this.#claim(table, version.name, "its table of procedures");
        return {
          name: version.name.text,
          number: versionNumber,
          doc: version.doc,
          procedures: version.procedures.map((procedure) => {
            const procedureNumber = this.#number(procedure.number);
            procedureNames.add(procedure.name, procedure.number, procedureNumber);
            return {
              name: procedure.name.text,
              number: procedureNumber,
              doc: procedure.doc,
              argument: this.#argument(procedure, `${table}_${procedure.name.text}_arguments`, module),
              result: procedure.result === null ? VOID : this.#typeOf(procedure.result),
            };
          }),
        };
      }),
    };
  }

  /** Several arguments go over the wire as the fields of a struct do. */
  #argument(procedure: Procedure, name: string, module: Module): Type {
    const types = procedure.parameters.map((parameter) => this.#typeOf(parameter));
    if (types.length === 0) return VOID;
    if (types.length === 1) return types[0]!;
    this.#claim(name, procedure.name, "the struct of its arguments");
    const definition: Struct = {
      kind: "struct",
      name,
      at: procedure.name.at,
      doc: NO_DOC,
      module,
      fields: types.map((type, i) => ({ name: `argument${i + 1}`, doc: NO_DOC, type })),
      link: false,
      recursive: false,
      minBytes: 0,
    };
    module.definitions.push(definition);
    return { kind: "named", definition };
  }

  /** Takes a name that nobody declared for something that belongs to `owner`. */
  #claim(name: string, owner: Name, what: string): void {
    if (this.#claimed.has(name) || this.#declarations.names.has(name)) {
      const message = `expected another name than "${owner.text}", for "${name}", which is declared, would be ${what}`;
      this.#diagnostics.report(owner.at, message);
    }
    this.#claimed.add(name);
  }

  #number(value: Value): number {
    return Number(this.#constants.integer(value, 0n, UINT32_MAX, "a number").value);
  }
}

/** Names and numbers that may occur once (RFC 5531 §12.3). */
class Unique {
  readonly #diagnostics: Diagnostics;
  readonly #what: string;
  readonly #names: Set<string> = new Set();
  readonly #numbers: Set<number> = new Set();

  constructor(diagnostics: Diagnostics, what: string) {
    this.#diagnostics = diagnostics;
    this.#what = what;
  }

  add(name: Name, value: Value, number: number): void {
    if (this.#names.has(name.text)) {
      this.#diagnostics.report(name.at, `expected a new name, found "${name.text}", which names ${this.#what}`);
    } else if (this.#numbers.has(number)) {
      this.#diagnostics.report(value.at, `expected a new number, found ${number}, which ${this.#what} has`);
    }
    this.#names.add(name.text);
    this.#numbers.add(number);
  }
}

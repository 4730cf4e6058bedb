import {
  type Bound,
  type Constant,
  type Enum,
  MAX_LENGTH,
  type Module,
  type Struct,
  type Type,
  type Typedef,
  type Union,
} from "./model.ts";

type Named = Enum | Struct | Union | Typedef;

/** Names of local variables in generated functions: a constant of the same name is written as its number there. */
const LOCALS: ReadonlySet<string> = new Set([
  "r",
  "w",
  "v",
  "i",
  "item",
  "link",
  "list",
  "chain",
  "length",
  "max",
  "value",
]);

/** One module under construction: what it imports, and the functions for arrays that its types turned out to need. */
export class Emission {
  readonly module: Module;
  /** Every name that the sources of all modules declare. */
  readonly #declared: ReadonlySet<string>;
  /** A local variable of the function under construction, besides LOCALS. */
  local = "";
  readonly #runtime: Map<string, "type" | "value"> = new Map();
  readonly #imports: Map<Module, Map<string, "type" | "value">> = new Map();
  readonly #helpers: Map<string, string> = new Map();

  constructor(module: Module, declared: ReadonlySet<string>) {
    this.module = module;
    this.#declared = declared;
  }

  /** The name of something of the runtime that is used as a type. */
  runtimeType(name: string): string {
    if (!this.#runtime.has(name)) this.#runtime.set(name, "type");
    return name;
  }

  runtimeValue(name: string): string {
    this.#runtime.set(name, "value");
    return name;
  }

  /** The name of a type, imported where it is another module's. */
  typeName(definition: Named | Constant): string {
    this.#import(definition.module, definition.name, "type");
    return definition.name;
  }

  /** `encode_X` or the like. */
  functionName(prefix: "encode" | "decode" | "codec", definition: Named): string {
    const name = `${prefix}_${definition.name}`;
    this.#import(definition.module, name, "value");
    return name;
  }

  /** A length or maximum: by its constant if that is in sight. */
  bound({ value, constant }: Bound): string {
    if (constant !== null && constant.module === this.module) {
      if (!LOCALS.has(constant.name) && constant.name !== this.local) return constant.name;
    }
    return String(value);
  }

  /** The bound as a last argument, left out where there is no limit. */
  maximum(bound: Bound): string {
    return bound.value === MAX_LENGTH ? "" : `, ${this.bound(bound)}`;
  }

  /** A name for a function of the module's own, apart from that of a type called `what`: no XDR name has a "$". */
  ownFunction(prefix: "encode" | "decode", what: string): string {
    return `${prefix}_${this.#declared.has(what) ? "$" : ""}${what}`;
  }

  /** The name of a function for arrays, which is made on first use. */
  helper(name: string, make: () => string): string {
    if (!this.#helpers.has(name)) {
      // Marked first: making it may need itself.
      this.#helpers.set(name, "");
      this.#helpers.set(name, make());
    }
    return name;
  }

  get helpers(): string[] {
    return [...this.#helpers.values()];
  }

  /** Other modules whose schemas are needed to follow this module's names. */
  get importedModules(): Module[] {
    return [...this.#imports.keys()];
  }

  /** The import statements, `runtime` being the specifier of this package. */
  imports(runtime: string): string[] {
    const statements: string[] = [];
    if (this.#runtime.size > 0) statements.push(importStatement([...this.#runtime], runtime));
    for (const [module, names] of this.#imports) {
      const schema = `xdr_schema as ${this.schemaName(module)}`;
      statements.push(importStatement([...names, [schema, "value"]], module.specifier));
    }
    return statements;
  }

  /** The local name of another module's schema. */
  schemaName(module: Module): string {
    return `xdr_schema_${[...this.#imports.keys()].indexOf(module) + 1}`;
  }

  #import(module: Module, name: string, use: "type" | "value"): void {
    if (module === this.module) return;
    const names = this.#imports.get(module) ?? new Map<string, "type" | "value">();
    this.#imports.set(module, names);
    if (names.get(name) !== "value") names.set(name, use);
  }
}

function importStatement(names: [string, "type" | "value"][], specifier: string): string {
  const sorted = names.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const allTypes = sorted.every(([, use]) => use === "type");
  const list = sorted.map(([name, use]) => (use === "type" && !allTypes ? `type ${name}` : name));
  const line = `import ${allTypes ? "type " : ""}{ ${list.join(", ")} } from ${JSON.stringify(specifier)};`;
  if (line.length <= 120) return line;
  return `import ${allTypes ? "type " : ""}{\n${list.map((name) => `  ${name},\n`).join("")}} from ${JSON.stringify(specifier)};`;
}

/** A doc comment in front of something, or nothing. */
export function docComment(lines: readonly string[], indent = ""): string {
  if (lines.length === 0) return "";
  if (lines.length === 1) return `${indent}/** ${lines[0]!.trim()} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}

/** What `elementId` calls types that have no name. */
const NAMELESS =
  /^(u?int32|u?int64(Pair|Raw|Number)?|(opaque|bytes|string)\d+|(array|list)\d+_of_\w+|(optional|some)_\w+)$/;

/** A type's name, told from what nameless ones are called: no XDR name has a "$". */
function nameId(name: string): string {
  return NAMELESS.test(name) ? `$${name}` : name;
}

/** What distinguishes the functions for arrays of one type from those of another. */
export function elementId(type: Type): string {
  switch (type.kind) {
    case "void":
      return "void";
    case "scalar":
      return type.scalar;
    case "hyper":
      return `${type.signed ? "int64" : "uint64"}${{ bigint: "", pair: "Pair", raw: "Raw", number: "Number" }[type.mode]}`;
    case "opaque":
      return `opaque${type.length.value}`;
    case "bytes":
    case "string":
      return `${type.kind}${type.max.value}`;
    case "array":
      return `array${type.length.value}_of_${elementId(type.element)}`;
    case "list":
      return `list${type.max.value}_of_${elementId(type.element)}`;
    case "optional":
      return `optional_${elementId(type.element)}`;
    case "chain":
      return `${type.nonEmpty ? "some_" : ""}${nameId(type.link.name)}`;
    case "named":
      return nameId(type.definition.name);
  }
}

import { type Diagnostic, Diagnostics, formatDiagnostic, type Position, XdrCompileError } from "./diagnostics.ts";
import { INT64_MODES, type Int64Mode, NO_DOC } from "./doc.ts";
import { emitModule } from "./emit-module.ts";
import type { Module } from "./model.ts";
import { parse } from "./parser.ts";
import { type ModuleSource, resolve } from "./resolve.ts";

export { type Diagnostic, formatDiagnostic, INT64_MODES, type Int64Mode, type Position, XdrCompileError };

/** The text of an `.x` file. */
export interface XdrSource {
  /** What messages and the generated header call it; its last part, if it is a path, in the header. */
  readonly name: string;
  readonly text: string;
}

/** A source whose TypeScript module exists already: its names are imported from there. */
export interface XdrImport extends XdrSource {
  /** How the generated module imports it, say "./basic.ts". */
  readonly module: string;
}

/** A module to be generated from one source or several. */
export interface XdrModule {
  /** How the other modules import it, say "./basic.ts". */
  readonly module: string;
  readonly sources: readonly XdrSource[];
}

export interface CompileOptions {
  readonly imports?: readonly XdrImport[];
  /** How 64-bit integers appear that no tag speaks of; default bigint. */
  readonly int64?: Int64Mode;
  /** How generated modules import this package; default "@xdr-ts/xdr". */
  readonly runtime?: string;
}

/**
 * Compiles XDR and RPC language (RFC 4506 §6, RFC 5531 §12) to the text of one TypeScript module. Several sources see each
 * other's names. Throws XdrCompileError with everything that is wrong.
 */
export function compile(source: string | XdrSource | readonly XdrSource[], options: CompileOptions = {}): string {
  const sources = typeof source === "string" ? [{ name: "source.x", text: source }] : [source].flat();
  return compileModules([{ module: "", sources }], options).get("")!;
}

/** As `compile`, to several modules that see each other's names and import each other; the map's keys are their `module`. */
export function compileModules(modules: readonly XdrModule[], options: CompileOptions = {}): Map<string, string> {
  const diagnostics = new Diagnostics();
  const imported = (options.imports ?? []).map(({ module, ...source }) => ({ module, sources: [source] }));
  const all = [...imported, ...modules].map((module) => parseModule(module, diagnostics));
  const order = all.flatMap(({ module }) => module.files);
  // Names of what could not be parsed are missing: complaints about them would only hide the cause.
  diagnostics.throwIfAny(order);
  resolve(all, options.int64 ?? "bigint", diagnostics);
  diagnostics.throwIfAny(order);
  const runtime = options.runtime ?? "@xdr-ts/xdr";
  const declared = new Set(all.flatMap(({ module }) => module.definitions.map(({ name }) => name)));
  return new Map(
    all.slice(imported.length).map(({ module }) => [module.specifier, emitModule(module, declared, runtime)] as const),
  );
}

function parseModule({ module: specifier, sources }: XdrModule, diagnostics: Diagnostics): ModuleSource {
  const specifications = sources.map(({ name, text }) => parse(name, text, diagnostics));
  const lines = specifications.flatMap(({ doc }) => doc.lines);
  const module: Module = {
    files: sources.map(({ name }) => name),
    specifier,
    doc: { ...NO_DOC, lines },
    definitions: [],
  };
  return { specifications, module };
}

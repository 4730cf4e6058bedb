import { compileModules, INT64_MODES, type Int64Mode, XdrCompileError, type XdrModule } from "./compiler/compile.ts";

/** What the command needs of its surroundings. */
export interface CliHost {
  /** Throws where the file cannot be read. */
  read(path: string): string;
  write(path: string, text: string): void;
  print(line: string): void;
  printError(line: string): void;
}

const USAGE = `xdr-ts: XDR and RPC language (RFC 4506, RFC 5531) to TypeScript

  xdr-ts compile in.x… -o out.ts     one module from all sources
  xdr-ts compile in.x… -d directory  one module for each source; they import each other
  xdr-ts check in.x…                 only report mistakes

Options
  --import other.x=./other.ts        names of other.x are imported from that module (again and again)
  --int64 bigint|pair|raw|number     how 64-bit integers appear that no tag speaks of (bigint)
  --runtime specifier                how the output imports the runtime (@xdr-ts/xdr)
  -h, --help                         this text
`;

class UsageError extends Error {}

interface Arguments {
  command: string;
  inputs: string[];
  output: string | null;
  directory: string | null;
  imports: { path: string; module: string }[];
  int64: Int64Mode;
  runtime: string;
}

/** Runs the command and returns its exit status: 0, 1 where a source or a file is wrong, 2 where the command is. */
export function main(argv: readonly string[], host: CliHost): number {
  try {
    if (argv.length === 0 || argv.includes("-h") || argv.includes("--help")) {
      host.print(USAGE.trimEnd());
      return argv.length === 0 ? 2 : 0;
    }
    run(parseArguments(argv), host);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      host.printError(`xdr-ts: ${error.message}; xdr-ts --help says more`);
      return 2;
    }
    if (error instanceof XdrCompileError) host.printError(error.message);
    else host.printError(`xdr-ts: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function parseArguments(argv: readonly string[]): Arguments {
  const [command, ...rest] = argv;
  if (command !== "compile" && command !== "check")
    throw new UsageError(`expected compile or check, found "${command}"`);
  const parsed: Arguments = {
    command,
    inputs: [],
    output: null,
    directory: null,
    imports: [],
    int64: "bigint",
    runtime: "@xdr-ts/xdr",
  };
  for (let i = 0; i < rest.length; i++) {
    const argument = rest[i]!;
    if (!argument.startsWith("-")) {
      parsed.inputs.push(argument);
      continue;
    }
    const value = rest[++i];
    if (value === undefined) throw new UsageError(`expected a value after ${argument}`);
    switch (argument) {
      case "-o":
        parsed.output = value;
        break;
      case "-d":
        parsed.directory = value;
        break;
      case "--import": {
        const match = /^(.+?)=(.+)$/.exec(value);
        if (match === null) throw new UsageError(`expected --import other.x=./other.ts, found "${value}"`);
        parsed.imports.push({ path: match[1]!, module: match[2]! });
        break;
      }
      case "--int64": {
        const mode = INT64_MODES.find((known) => known === value);
        if (mode === undefined) throw new UsageError(`expected --int64 ${INT64_MODES.join("|")}, found "${value}"`);
        parsed.int64 = mode;
        break;
      }
      case "--runtime":
        parsed.runtime = value;
        break;
      default:
        throw new UsageError(`expected an option, found "${argument}"`);
    }
  }
  if (parsed.inputs.length === 0) throw new UsageError("expected at least one .x file");
  const outputs = (parsed.output === null ? 0 : 1) + (parsed.directory === null ? 0 : 1);
  if (command === "compile" && outputs !== 1) throw new UsageError("expected either -o out.ts or -d directory");
  if (command === "check" && outputs !== 0) throw new UsageError("check writes no output");
  return parsed;
}

function run({ inputs, output, directory, imports, int64, runtime }: Arguments, host: CliHost): void {
  const sources = inputs.map((name) => ({ name, text: host.read(name) }));
  const modules: XdrModule[] =
    directory === null
      ? [{ module: output ?? "", sources }]
      : sources.map((source) => ({ module: `./${moduleName(source.name)}`, sources: [source] }));
  if (new Set(modules.map(({ module }) => module)).size < modules.length) {
    throw new UsageError("expected sources of different names, for each becomes a file in the directory");
  }
  const compiled = compileModules(modules, {
    imports: imports.map(({ path, module }) => ({ name: path, text: host.read(path), module })),
    int64,
    runtime,
  });
  for (const [module, text] of compiled) {
    if (directory !== null) host.write(`${directory}/${module.slice(2)}`, text);
    else if (output !== null) host.write(output, text);
  }
}

/** `dir/nfs4-types.x` becomes `nfs4-types.ts`. */
function moduleName(path: string): string {
  return `${path.replace(/^.*[/\\]/, "").replace(/\.x$/, "")}.ts`;
}

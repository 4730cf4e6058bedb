/** The command `nfs4 serve`, compiled, as its users run it. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type CommandResult, runCommand } from "./harness/command.ts";
import type { Namespace } from "./harness/namespace.ts";
import { type ServerProcess, startServerProcess } from "./harness/process.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The program. */
export const NFS4: string = fileURLToPath(new URL("../packages/cli/dist/bin.js", import.meta.url));
let isBuilt = false;

/** Compiles what has changed since the last time. */
export function build(): void {
  if (isBuilt) return;
  execFileSync(process.execPath, ["scripts/setup.mjs"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  isBuilt = true;
}

/** Words before a command that make it run as an ordinary user. */
export const AS_NOBODY: readonly string[] = [
  ...["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"],
  // Changing the user takes the harness's own back.
  ...["--pdeathsig", "KILL"],
];

export interface ServeOptions {
  readonly namespace: Namespace;
  /** Words before `node`, such as `AS_NOBODY`. */
  readonly before?: readonly string[];
  /** Words for `node` itself. */
  readonly nodeFlags?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that has said how it can be mounted. */
export interface Nfs4Server {
  readonly process: ServerProcess;
  readonly address: string;
  readonly port: number;
  /** "address:/path" */
  readonly source: string;
  /** Numbers of /metrics, by name and labels as they stand there. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** The JSON of /clients, /exports or /healthz. */
  ask(path: string): Promise<unknown>;
  /** SIGINT, as from a terminal; gives the exit status. */
  interrupt(): Promise<number | null>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts `nfs4 serve …flags`. */
export async function startNfs4(flags: readonly string[], options: ServeOptions): Promise<Nfs4Server> {
  build();
  const { namespace, before = [], nodeFlags = [], cwd, env } = options;
  const server = startServerProcess([...before, process.execPath, ...nodeFlags, NFS4, "serve", ...flags], {
    namespace,
    name: "nfs4 serve",
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  try {
    const mount = await server.waitForLine(
      /^mount with: mount -t nfs4 -o \S*?(?:port=(\d+))? (\[?(\S+?)\]?:\/\S*) \/mnt$/,
    );
    const adminUrl = /^admin at (\S+)$/m.exec(server.stdout)?.[1];
    const get = async (path: string): Promise<string> => {
      if (adminUrl === undefined) throw new Error("this server has no admin interface");
      return await namespace.must([process.execPath, "-e", FETCH, `${adminUrl}${path}`]);
    };
    return {
      process: server,
      port: Number(mount[1] ?? 2049),
      source: mount[2] ?? "",
      address: mount[3] ?? "",
      metrics: async () => parseMetrics(await get("/metrics")),
      ask: async (path) => JSON.parse(await get(path)),
      interrupt: async () => {
        server.signal("SIGINT");
        return (await server.ended).code;
      },
      [Symbol.asyncDispose]: async () => {
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

const FETCH = "fetch(process.argv[1]).then((answer) => answer.text()).then((text) => process.stdout.write(text))";

/** A page of /metrics: numbers by name and labels. */
export function parseMetrics(page: string): Map<string, number> {
  const lines = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** Runs `nfs4 serve …flags` where it should refuse. */
export function refusedNfs4(flags: readonly string[], options: ServeOptions): Promise<CommandResult> {
  build();
  const { namespace, before = [], cwd, env } = options;
  return runCommand([...namespace.enter, ...before, process.execPath, NFS4, "serve", ...flags], {
    timeoutMs: 20_000,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
}

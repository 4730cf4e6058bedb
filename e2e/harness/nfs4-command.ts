/** The command `nfs4 serve`, compiled, as its users run it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type CommandResult, runCommand } from "./command.ts";
import { Metrics } from "./metrics.ts";
import type { Namespace } from "./namespace.ts";
import { type ServerProcess, startServerProcess } from "./process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The program. */
export const NFS4: string = fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url));

/** Node as the first line of bin.ts wants it. */
const NODE: readonly string[] = [
  process.execPath,
  ...(/^#!.* node (.*)/
    .exec(readFileSync(new URL("../../packages/cli/src/bin.ts", import.meta.url), "utf8"))?.[1]
    ?.split(" ") ?? []),
];
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

/** Words before a command that make it find nothing in a directory. */
export const withEmpty = (directory: string): string[] => [
  ...["unshare", "--mount", "sh", "-c", `mount -t tmpfs none '${directory}' && exec "$@"`, "sh"],
];

/** Words before a command that make it run as where the addon could not be built. */
export const withoutAddon = (): string[] =>
  withEmpty(fileURLToPath(new URL("../../packages/native/build", import.meta.url)));

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
  /** The process that runs now, or the last one. */
  readonly process: ServerProcess;
  readonly address: string;
  readonly port: number;
  /** "address:/path" */
  readonly source: string;
  /** What its processes have printed to standard error that a healthy server has no reason to. */
  readonly complaints: readonly string[];
  /** What the admin interface counts, from zero after each start. */
  metrics(): Promise<Metrics>;
  /** The JSON of /clients, /exports or /healthz. */
  ask(path: string): Promise<unknown>;
  /** SIGINT, as from a terminal; gives the exit status. */
  interrupt(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again as it was started first; settles when it serves. */
  start(): Promise<void>;
  /** `kill` and `start`. */
  crash(): Promise<void>;
  /** SIGTERM unless it was interrupted or killed; rejects if it does not end as it should, or has ended by itself. Idempotent. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts `nfs4 serve …flags`. */
export async function startNfs4(flags: readonly string[], options: ServeOptions): Promise<Nfs4Server> {
  build();
  const server = new RunningServer(flags, options);
  try {
    await server.start();
  } catch (error) {
    await server.process.stop();
    throw error;
  }
  return server;
}

/** Runs `nfs4 serve …flags` where it should refuse. */
export function refusedNfs4(flags: readonly string[], options: ServeOptions): Promise<CommandResult> {
  build();
  const { namespace, before = [], cwd, env } = options;
  return runCommand([...namespace.enter, ...before, process.execPath, NFS4, "serve", ...flags], {
    timeoutMs: 15_000,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
}

const usual = /^(client at .*|grace is over|stopping|)$/;
const mountLine = /^mount with: mount -t nfs4 -o \S*?(?:port=(\d+))? (\[?(\S+?)\]?:\/\S*) \/mnt$/;

class RunningServer implements Nfs4Server {
  address = "";
  port = 0;
  source = "";
  readonly #flags: readonly string[];
  readonly #options: ServeOptions;
  readonly #processes: ServerProcess[] = [];
  #adminUrl: string | undefined;
  /** The test itself has ended the process that ran last. */
  #ended = false;
  #stopping: Promise<void> | undefined;

  constructor(flags: readonly string[], options: ServeOptions) {
    this.#flags = flags;
    this.#options = options;
  }

  get process(): ServerProcess {
    const last = this.#processes.at(-1);
    if (!last) throw new Error("the server was never started");
    return last;
  }

  get complaints(): readonly string[] {
    const lines = this.#processes.flatMap(({ stderr }) => stderr.split("\n"));
    return lines.filter((line) => !usual.test(line));
  }

  async start(): Promise<void> {
    const { namespace, before = [], nodeFlags = [], cwd, env } = this.#options;
    const started = startServerProcess([...before, ...NODE, ...nodeFlags, NFS4, "serve", ...this.#flags], {
      namespace,
      name: "nfs4 serve",
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    });
    this.#processes.push(started);
    this.#ended = false;
    const mount = await started.waitForLine(mountLine);
    this.port = Number(mount[1] ?? 2049);
    this.source = mount[2] ?? "";
    this.address = mount[3] ?? "";
    // It is printed before the line about mounting.
    this.#adminUrl = /^admin at (\S+)$/m.exec(started.stdout)?.[1];
  }

  async metrics(): Promise<Metrics> {
    return new Metrics(await this.#get("/metrics"));
  }

  async ask(path: string): Promise<unknown> {
    return JSON.parse(await this.#get(path));
  }

  async #get(path: string): Promise<string> {
    if (this.#adminUrl === undefined) throw new Error("this server has no admin interface");
    return await this.#options.namespace.must(["curl", "--silent", "--show-error", `${this.#adminUrl}${path}`]);
  }

  async interrupt(): Promise<number | null> {
    this.#ended = true;
    this.process.signal("SIGINT");
    return (await this.process.ended).code;
  }

  async kill(): Promise<void> {
    this.#ended = true;
    await this.process.kill();
  }

  async crash(): Promise<void> {
    await this.kill();
    await this.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const alive = this.process.running;
    const { code, signal } = await this.process.stop({ graceMs: 20_000 });
    if (this.#ended || (alive && code === 0)) return;
    const how = alive ? "when it was told to" : "by itself";
    throw new Error(`nfs4 serve ended ${how}, with ${code ?? signal}\n${this.process.stderr.slice(-4000)}`);
  }
}

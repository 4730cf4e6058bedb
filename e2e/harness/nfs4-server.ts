import { existsSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Metrics } from "./metrics.ts";
import type { Namespace } from "./namespace.ts";
import { type ServerProcess, startServerProcess } from "./process.ts";
import { createScratchDirectory } from "./scratch.ts";

export type ServedFileSystem = "local" | "memory";

export interface Nfs4ServerOptions {
  readonly fileSystem: ServedFileSystem;
  /** Default: the server's own, 90. The grace after a restart is as long. */
  readonly leaseSeconds?: number;
  /** Writes what crosses the stack's link here. */
  readonly pcap?: string;
  /** More words for the command line. */
  readonly flags?: readonly string[];
}

/** `nfs4 serve`, compiled, on our own stack over a TAP on the namespace's bridge. */
export interface Nfs4Server {
  readonly address: string;
  /** What to mount: `address:/`. */
  readonly source: string;
  /** What a local file system serves, on the host; null for memory. It goes with the server. */
  readonly directory: string | null;
  /** The process that runs now, or the last one. */
  readonly process: ServerProcess;
  /** What servers here have printed to standard error that a healthy one has no reason to. */
  readonly complaints: readonly string[];
  /** What the admin interface tells, from zero after each start. */
  metrics(): Promise<Metrics>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts a killed server on the same state and at the same address; settles when it serves. */
  start(): Promise<void>;
  /** Both. */
  crash(): Promise<void>;
  /** SIGTERM, and rejects if it does not end as it should; removes state and files. Idempotent. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const usual = /^(client at .*|grace is over|stopping|)$/;
const program = fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url));

export async function startNfs4Server(namespace: Namespace, options: Nfs4ServerOptions): Promise<Nfs4Server> {
  if (!existsSync(program)) throw new Error(`there is no ${program}: compile first, with npx tsc -b`);
  const server = new RunningServer(namespace, options);
  try {
    await server.prepare();
    await server.start();
  } catch (error) {
    await server.stop().catch(() => undefined);
    throw error;
  }
  return server;
}

class RunningServer implements Nfs4Server {
  readonly address: string;
  readonly directory: string | null;
  readonly #namespace: Namespace;
  readonly #argv: readonly string[];
  readonly #scratch = createScratchDirectory("nfs4");
  readonly #processes: ServerProcess[] = [];
  #adminUrl = "";
  #stopping: Promise<void> | undefined;

  constructor(namespace: Namespace, options: Nfs4ServerOptions) {
    const { fileSystem, leaseSeconds, pcap, flags = [] } = options;
    this.#namespace = namespace;
    this.address = namespace.allocateAddress();
    this.directory = fileSystem === "local" ? join(this.#scratch.path, "export") : null;
    this.#argv = [
      process.execPath,
      program,
      "serve",
      this.directory ?? "--memory",
      ...["--tap", "--bridge", namespace.bridge, "--address", `${this.address}/${namespace.prefixLength}`],
      ...["--squash", "none", "--state-dir", join(this.#scratch.path, "state")],
      ...(leaseSeconds === undefined ? [] : ["--lease", String(leaseSeconds)]),
      ...(pcap === undefined ? [] : ["--pcap", pcap]),
      ...flags,
    ];
  }

  get source(): string {
    return `${this.address}:/`;
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

  async prepare(): Promise<void> {
    if (this.directory === null) return;
    await mkdir(this.directory);
    await chmod(this.directory, 0o1777);
  }

  async start(): Promise<void> {
    const started = startServerProcess(this.#argv, { namespace: this.#namespace, name: "nfs4 serve" });
    this.#processes.push(started);
    await started.waitForLine(/^mount with: /, { timeoutMs: 60_000 });
    this.#adminUrl = (await started.waitForLine(/^admin at (http:\S+)/))[1] ?? "";
  }

  async metrics(): Promise<Metrics> {
    return new Metrics(await this.#namespace.must(["curl", "--silent", "--fail", `${this.#adminUrl}/metrics`]));
  }

  async kill(): Promise<void> {
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
    const last = this.#processes.at(-1);
    try {
      if (!last) return;
      const alive = last.running;
      const { code, signal } = await last.stop({ graceMs: 20_000 });
      if (!alive || code !== 0)
        throw new Error(
          `nfs4 serve ended ${alive ? "when it was told to" : "by itself"}, with ${code ?? signal}\n${last.stderr.slice(-4000)}`,
        );
    } finally {
      this.#scratch.remove();
    }
  }
}

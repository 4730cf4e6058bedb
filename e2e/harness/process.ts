import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Namespace } from "./namespace.ts";
import { PATIENCE } from "./patience.ts";

export interface ServerProcessOptions {
  readonly namespace?: Namespace;
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For messages; default: the command's first word. */
  readonly name?: string;
}

/** A process that serves until it is told to stop, and that cannot outlive this one. */
export interface ServerProcess {
  readonly pid: number;
  /** Everything printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** True from the start until its end has been noticed. */
  readonly running: boolean;
  /** The first line of standard output, past or future, that matches. Rejects, with what was printed, if the process ends or takes too long. */
  waitForLine(
    pattern: RegExp,
    options?: { timeoutMs?: number; stream?: "stdout" | "stderr" },
  ): Promise<RegExpExecArray>;
  /** Polls until `condition` holds. Rejects as `waitForLine` does. */
  waitUntil(condition: () => boolean | Promise<boolean>, options?: { timeoutMs?: number }): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL, the crash of the tests; settles when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM, then SIGKILL after `graceMs` (default 5000). Gives how it ended. Idempotent. */
  stop(options?: { graceMs?: number }): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Settles when the process has ended, whatever the reason. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts `argv`. `pid` is the program's own, in whatever namespace. */
export function startServerProcess(argv: readonly string[], options: ServerProcessOptions = {}): ServerProcess {
  const { namespace, cwd, env, name = argv[0] ?? "process" } = options;
  // Each of these replaces itself by the next, so the pid stays; the first makes the kernel end the process along with this one.
  const [file = "", ...args] = ["setpriv", "--pdeathsig", "KILL", ...(namespace?.enter ?? []), ...argv];
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  return new RunningProcess(name, child, child.stdout, child.stderr);
}

class RunningProcess implements ServerProcess {
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #printed = { stdout: "", stderr: "" };
  readonly #watchers = new Set<() => void>();
  #running = true;

  constructor(name: string, child: ChildProcess, stdout: Readable, stderr: Readable) {
    this.#name = name;
    this.#child = child;
    for (const [stream, key] of [
      [stdout, "stdout"],
      [stderr, "stderr"],
    ] as const) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        this.#printed[key] += text;
        this.#notify();
      });
    }
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#running = false;
        this.#notify();
        resolve({ code, signal });
      };
      child.once("error", (error) => {
        this.#printed.stderr += `${error.message}\n`;
        end(null, null);
      });
      child.once("close", end);
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }
  get stdout(): string {
    return this.#printed.stdout;
  }
  get stderr(): string {
    return this.#printed.stderr;
  }
  get running(): boolean {
    return this.#running;
  }

  waitForLine(
    pattern: RegExp,
    { timeoutMs = 15_000, stream = "stdout" }: { timeoutMs?: number; stream?: "stdout" | "stderr" } = {},
  ): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const limitMs = timeoutMs * PATIENCE;
      const timer = setTimeout(() => {
        settle();
        reject(this.#error(`printed no line like ${pattern} within ${limitMs} ms`));
      }, limitMs);
      const look = (): void => {
        for (const line of this.#printed[stream].split("\n")) {
          const match = pattern.exec(line);
          if (!match) continue;
          settle();
          resolve(match);
          return;
        }
        if (this.#running) return;
        settle();
        reject(this.#error(`ended without a line like ${pattern}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  async waitUntil(
    condition: () => boolean | Promise<boolean>,
    { timeoutMs = 15_000 }: { timeoutMs?: number } = {},
  ): Promise<void> {
    const limitMs = timeoutMs * PATIENCE;
    const deadline = Date.now() + limitMs;
    while (!(await condition())) {
      if (!this.#running) throw this.#error("ended before it was ready");
      if (Date.now() > deadline) throw this.#error(`was not ready within ${limitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#running) this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  async stop({ graceMs = 5_000 }: { graceMs?: number } = {}): Promise<{
    code: number | null;
    signal: NodeJS.Signals | null;
  }> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), graceMs);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #notify(): void {
    for (const look of [...this.#watchers]) look();
  }

  #error(what: string): Error {
    return new Error(`${this.#name} ${what}\n${this.stderr.slice(-4000)}${this.stdout.slice(-2000)}`);
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { PATIENCE } from "./patience.ts";

export interface CommandResult {
  /** Exit status; 128 + signal number is not used: a signalled command has `code: null`. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Default 30 s, of a quiet machine (`PATIENCE`); then the command is killed and the promise rejects. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Bytes for the command's standard input, which is otherwise empty. */
  readonly input?: string;
}

/** The commands that are read, and fail, as `must` does. */
export class CommandError extends Error {
  readonly result: CommandResult;
  constructor(argv: readonly string[], result: CommandResult) {
    const how = result.signal ? `was killed by ${result.signal}` : `ended with ${result.code}`;
    super(`${argv.join(" ")} ${how}\n${result.stderr.slice(-4000)}${result.stdout.slice(-2000)}`);
    this.name = "CommandError";
    this.result = result;
  }
}

/** Runs a command to its end. Rejects if it cannot be started or takes too long, not because of its exit status. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { cwd, env, input } = options;
  const timeoutMs = PATIENCE * (options.timeoutMs ?? 30_000);
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError("an empty command");
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(file, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString();
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${argv.join(" ")} took more than ${timeoutMs} ms\n${text(stderr)}${text(stdout)}`));
    }, timeoutMs);
    child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const stdoutBytes = Buffer.concat(stdout);
      resolve({ code, signal, stdout: stdoutBytes.toString(), stdoutBytes, stderr: text(stderr) });
    });
  });
}

/** Runs a command that has to succeed; gives its standard output, or rejects with a `CommandError`. */
export async function must(argv: readonly string[], options?: CommandOptions): Promise<string> {
  const result = await runCommand(argv, options);
  if (result.code !== 0) throw new CommandError(argv, result);
  return result.stdout;
}

import type { Guest } from "./guest.ts";

export type LockKind = "read" | "write" | "unlock";
export type FlockKind = "shared" | "exclusive" | "unlock";
export type OpenFlag = "RDONLY" | "WRONLY" | "RDWR" | "CREAT" | "EXCL" | "TRUNC" | "APPEND" | "SYNC" | "DIRECT";

export interface LockRange {
  readonly kind: "read" | "write";
  readonly start: number;
  /** 0 means: to the end, wherever that will be. */
  readonly length: number;
}

/** A system call of an actor that failed. */
export class ActorError extends Error {
  /** Such as EAGAIN. */
  readonly code: string;
  constructor(actor: string, operation: string, code: string) {
    super(`${actor}: ${operation} failed with ${code}`);
    this.name = "ActorError";
    this.code = code;
  }
}

/**
 * A process in a guest that keeps files open and locks held while the test does other things: it does one system call at a time, when told to.
 * A call that waits makes only this actor wait.
 */
export interface Actor {
  readonly name: string;
  open(file: string, path: string, flags?: readonly OpenFlag[], mode?: number): Promise<void>;
  close(file: string): Promise<void>;
  /** Latin-1, so that a character is a byte. */
  read(file: string, offset: number, length: number): Promise<string>;
  write(file: string, offset: number, data: string): Promise<number>;
  sync(file: string): Promise<void>;
  stat(file: string): Promise<{ size: number; links: number; inode: string }>;
  /** fcntl: F_SETLK, or F_SETLKW with `wait`. Length 0 is to the end. */
  lock(file: string, kind: LockKind, start: number, length: number, options?: { wait?: boolean }): Promise<void>;
  /** The lock that is in the way of such a lock (F_GETLK), or null. */
  conflict(file: string, kind: "read" | "write", start: number, length: number): Promise<LockRange | null>;
  flock(file: string, kind: FlockKind, options?: { wait?: boolean }): Promise<void>;
  /** Adds 1 to the number in a file so many times, each time under a lock of the whole file. */
  count(file: string, times: number): Promise<void>;
  /** SIGKILL, whatever it is doing. */
  kill(): Promise<void>;
  /** Ends it, by force if it waits. Idempotent. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

let actors = 0;
const callTimeoutMs = 90_000;

export async function startActor(guest: Guest, name: string = `actor${actors + 1}`): Promise<Actor> {
  const directory = `/run/e2e/${++actors}-${name}`;
  await guest.must(`mkdir ${directory} && mkfifo ${directory}/in ${directory}/out`);
  const life = guest.run(`exec python3 -B /run/e2e/guest/programs/actor.py ${directory}`, { timeoutMs: 3_600_000 });
  life.catch(() => undefined);
  let over = false;
  const ended = life.then(
    ({ output }) => Promise.reject(new Error(`${name} has ended ${output}`)),
    (error: unknown) => Promise.reject(error),
  );
  ended.catch(() => undefined);

  const call = async <T>(operation: string, args: Readonly<Record<string, unknown>> = {}): Promise<T> => {
    const request = JSON.stringify({ operation, ...args }).replaceAll("'", "'\\''");
    const script = `printf '%s\\n' '${request}' > ${directory}/in; read -r answer < ${directory}/out; printf '%s' "$answer"`;
    const reply = await Promise.race([guest.must(script, { timeoutMs: callTimeoutMs }), ended]);
    const answer = JSON.parse(reply) as { value: T } | { error: string };
    if ("error" in answer) throw new ActorError(name, `${operation} ${JSON.stringify(args)}`, answer.error);
    return answer.value;
  };
  const pid = await call<number>("pid");
  const kill = async (): Promise<void> => {
    over = true;
    // A call under way would wait for an answer for ever: end its shell too, by making it read an end of file.
    await guest.run(`kill -KILL ${pid}; for i in 1 2 3; do : 1<> ${directory}/out; done`);
    await life.catch(() => undefined);
  };
  const stop = async (): Promise<void> => {
    if (!over) await kill();
  };
  return {
    name,
    open: (file, path, flags = ["RDWR", "CREAT"], mode = 0o644) => call("open", { file, path, flags, mode }),
    close: (file) => call("close", { file }),
    read: (file, offset, length) => call("read", { file, offset, length }),
    write: (file, offset, data) => call("write", { file, offset, data }),
    sync: (file) => call("sync", { file }),
    stat: (file) => call("stat", { file }),
    lock: (file, kind, start, length, { wait = false } = {}) => call("lock", { file, kind, start, length, wait }),
    conflict: (file, kind, start, length) => call("conflict", { file, kind, start, length }),
    flock: (file, kind, { wait = false } = {}) => call("flock", { file, kind, wait }),
    count: (file, times) => call("count", { file, times }),
    kill,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openGuestChannel } from "./guest-channel.ts";
import { type GuestLink, type Machine, startMachine } from "./guest-machine.ts";
import type { Namespace } from "./namespace.ts";
import { PATIENCE } from "./patience.ts";
import { createScratchDirectory, type ScratchDirectory } from "./scratch.ts";

export interface GuestOptions {
  /** Where the guest's network card is. Without one (and without privilege) give a `bess` or `fd` link. */
  readonly namespace?: Namespace;
  /** Default: a fresh tap on the namespace's bridge. */
  readonly link?: GuestLink;
  /** With prefix length, IPv4 or IPv6. Default: the namespace's next free address. */
  readonly addresses?: readonly string[];
  readonly gateways?: readonly string[];
  /** Default: 1500, the card's. */
  readonly mtu?: number;
  /** Host name, and part of what the NFS client calls itself. Default: guest1, guest2… of this process. */
  readonly name?: string;
  /** Default 1024. Taken as it is used. Half of it bounds /tmp and other throw-away files. */
  readonly memoryMiB?: number;
  /** For the boot, on a quiet machine; 30 s by default. */
  readonly timeoutMs?: number;
}

export interface GuestResult {
  /** The script's exit status. */
  readonly code: number;
  /** Its standard output and error, interleaved. */
  readonly output: string;
}

export interface GuestRunOptions {
  /** Default 60 s, of a quiet machine (`PATIENCE`). Then the script is killed, and the promise rejects with what it had printed. */
  readonly timeoutMs?: number;
}

/** A Linux machine with the host's files (read-only, under a throw-away layer), booted once and used by many tests. */
export interface Guest {
  readonly name: string;
  /** The first address, without prefix length. */
  readonly address: string;
  /** Runs a shell script (with the functions of guest/lib.sh). Scripts may run side by side. */
  run(script: string, options?: GuestRunOptions): Promise<GuestResult>;
  /** Runs a script that has to end with 0; gives its output. */
  must(script: string, options?: GuestRunOptions): Promise<string>;
  writeFile(path: string, data: string | Uint8Array): Promise<void>;
  readFile(path: string): Promise<Uint8Array>;
  /** Makes a directory of the host writable in the guest; gives its path there. */
  share(hostDirectory: string): Promise<string>;
  /** All that the kernel has printed since it booted. */
  kernelLog(): string;
  /** The lines of the kernel's log that no healthy guest prints: oopses, stuck tasks, a server that does not respond… */
  kernelComplaints(): string[];
  /** Powers off; idempotent. Does not unmount: a mount that a test leaves is that test's failure. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A script that failed, ran too long, or was cut short because its guest died. */
export class GuestError extends Error {
  readonly #output: string;
  constructor(message: string, output: string) {
    super(output === "" ? message : `${message}\n${output.slice(-4000)}`);
    this.name = "GuestError";
    this.#output = output;
  }
  /** All that it had printed; the message has the end of it. */
  get output(): string {
    return this.#output;
  }
}

const scripts = fileURLToPath(new URL("../guest", import.meta.url));
const complaint =
  /\bBUG\b|Oops|WARNING:|Call Trace|Kernel panic|blocked for more than|rcu.*stall|not responding|NFS: .*(corrupt|unhandled|bad)|state manager.* failed|reclaim failed|RPC: .*(bad|garbled)/;
let guests = 0;

/** Boots a guest. It ends with `stop()`, or with this process. */
export async function startGuest(options: GuestOptions): Promise<Guest> {
  const number = ++guests;
  const { namespace, name = `guest${number}`, memoryMiB = 1024, timeoutMs = 30_000 } = options;
  const link = options.link ?? (namespace ? { tap: await namespace.addTap() } : undefined);
  if (!link) throw new TypeError("a guest needs a namespace or a link");
  const addresses =
    options.addresses ?? (namespace ? [`${namespace.allocateAddress()}/${namespace.prefixLength}`] : []);
  const scratch = createScratchDirectory("guest");
  const directory = scratch.path;
  await mkdir(join(directory, "jobs"));
  await symlink(scripts, join(directory, "guest"));
  await writeFile(join(directory, "settings"), settings({ ...options, name, addresses }));

  const machine = startMachine({
    enter: namespace?.enter ?? [],
    link,
    mac: macAddress(number),
    memoryMiB,
    directory,
    number,
  });
  const guest = new RunningGuest(name, addresses[0]?.split("/")[0] ?? "", scratch, machine);
  try {
    await guest.boot(timeoutMs * PATIENCE);
  } catch (error) {
    await guest.stop();
    throw error;
  }
  return guest;
}

/** Shell variables for guest/boot.sh and every script. */
function settings(options: GuestOptions & { name: string; addresses: readonly string[] }): string {
  const variables = {
    E2E_NAME: options.name,
    E2E_ADDRESSES: options.addresses.join(" "),
    E2E_GATEWAYS: (options.gateways ?? []).join(" "),
    E2E_MTU: options.mtu === undefined ? "" : String(options.mtu),
    E2E_UNIQUE_ID: `e2e-${process.pid}-${options.name}`,
  };
  return Object.entries(variables)
    .map(([key, value]) => `export ${key}='${value}'\n`)
    .join("");
}

/** Locally administered, and different for every guest of every process that can share a bridge. */
function macAddress(number: number): string {
  const bytes = [0x02, 0x4e, (process.pid >> 8) & 0xff, process.pid & 0xff, (number >> 8) & 0xff, number & 0xff];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

class RunningGuest implements Guest {
  readonly name: string;
  readonly address: string;
  readonly #scratch: ScratchDirectory;
  readonly #directory: string;
  readonly #machine: Machine;
  readonly #channel: ReturnType<typeof openGuestChannel>;
  readonly #exited: Promise<void>;
  #log = "";
  #nextJob = 1;
  #stopping: Promise<void> | undefined;

  constructor(name: string, address: string, scratch: ScratchDirectory, machine: Machine) {
    this.name = name;
    this.address = address;
    this.#scratch = scratch;
    this.#directory = scratch.path;
    this.#machine = machine;
    this.#channel = openGuestChannel(machine.serial);
    const keep = (chunk: Buffer): void => {
      this.#log += chunk.toString();
      // A kernel that has panicked may spin instead of ending; give it the moment to print its trace.
      if (chunk.includes("Kernel panic")) setTimeout(() => this.#machine.process.kill("SIGKILL"), 300);
    };
    machine.console.on("data", keep);
    machine.process.stderr?.on("data", keep);
    this.#exited = new Promise((resolve) => {
      machine.process.once("error", (error) => {
        this.#channel.fail(new GuestError(`${name} could not be started: ${error.message}`, ""));
        resolve();
      });
      machine.process.once("close", () => {
        this.#channel.fail(this.#stopping ? new GuestError(`${name} was stopped`, "") : this.#whyItDied());
        resolve();
      });
    });
  }

  async boot(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new GuestError(`${this.name} did not boot within ${timeoutMs} ms`, this.#log)),
        timeoutMs,
      );
    });
    try {
      await Promise.race([this.#channel.ready, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async run(script: string, options: GuestRunOptions = {}): Promise<GuestResult> {
    const timeoutMs = PATIENCE * (options.timeoutMs ?? 60_000);
    const id = this.#nextJob++;
    const job = join(this.#directory, "jobs", String(id));
    await writeFile(`${job}.sh`, `${script}\n`);
    const done = this.#channel.runJob(id);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void this.#cutShort(id, script, timeoutMs, job);
    }, timeoutMs);
    try {
      const code = await done;
      const output = await readFile(`${job}.out`, "utf8");
      if (late) throw new GuestError(`${this.name}: killed after ${timeoutMs} ms: ${headline(script)}`, output);
      return { code, output };
    } finally {
      clearTimeout(timer);
      await rm(`${job}.sh`, { force: true });
      await rm(`${job}.out`, { force: true });
    }
  }

  async must(script: string, options?: GuestRunOptions): Promise<string> {
    const { code, output } = await this.run(script, options);
    if (code !== 0) throw new GuestError(`${this.name}: status ${code} from: ${headline(script)}`, output);
    return output;
  }

  async writeFile(path: string, data: string | Uint8Array): Promise<void> {
    const file = `file${this.#nextJob++}`;
    await writeFile(join(this.#directory, "jobs", file), data);
    await this.must(`cp '/run/e2e/jobs/${file}' '${path}' && rm '/run/e2e/jobs/${file}'`);
  }

  async readFile(path: string): Promise<Uint8Array> {
    const file = `file${this.#nextJob++}`;
    const onHost = join(this.#directory, "jobs", file);
    await this.must(`cp '${path}' '/run/e2e/jobs/${file}' `);
    const data = await readFile(onHost);
    await rm(onHost);
    return data;
  }

  async share(hostDirectory: string): Promise<string> {
    const path = `/mnt/share${this.#nextJob++}`;
    await this.must(`mkdir ${path} && mount -t hostfs -o '${hostDirectory}' none ${path}`);
    return path;
  }

  kernelLog(): string {
    return this.#log;
  }

  kernelComplaints(): string[] {
    return this.#log.split("\n").filter((line) => complaint.test(line));
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#channel.powerOff();
    const timer = setTimeout(() => this.#machine.process.kill("SIGKILL"), 5_000);
    await this.#exited;
    clearTimeout(timer);
    this.#scratch.remove();
  }

  /** A script is over its time: kill it, and find out whose fault it is if that does not end it. */
  async #cutShort(id: number, script: string, timeoutMs: number, job: string): Promise<void> {
    this.#channel.killJob(id);
    await pause(5_000);
    const output = await readFile(`${job}.out`, "utf8").catch(() => undefined);
    if (output === undefined) return; // It ended, and its run() has tidied up.
    const before = this.#log.length;
    const alive = await this.#channel.isAlive(5_000);
    if (alive) {
      this.#channel.sysrq("w");
      await pause(1_000);
    }
    const what = `${this.name}: ${headline(script)} did not end within ${timeoutMs} ms and cannot be killed`;
    const why = alive
      ? `; the guest's kernel says who is stuck:\n${this.#log.slice(before)}`
      : `; the guest does not answer at all. End of its console:\n${this.#log.slice(-3000)}`;
    this.#channel.fail(new GuestError(what + why, output));
    this.#machine.process.kill("SIGKILL");
  }

  #whyItDied(): GuestError {
    const panic = /Kernel panic[^\n]*/.exec(this.#log)?.[0];
    return new GuestError(`${this.name} died${panic ? `: ${panic}` : ""}; end of its console:`, this.#log.slice(-4000));
  }
}

function headline(script: string): string {
  const first = script.trim().split("\n", 1)[0] ?? "";
  return first.length > 100 ? `${first.slice(0, 100)}…` : first;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

import type { Guest } from "../harness/guest.ts";

/** A directory of the server, seen by a client. */
export interface Client {
  readonly guest: Guest;
  /** A directory on the mount, writable by root, where the workload may make things. */
  readonly mountPoint: string;
}

/** What every workload is given: it must leave `mountPoint` as it found it. */
export interface WorkloadContext extends Client {
  /** A second guest with the same directory of the server, for workloads about two clients. */
  readonly other?: Client;
}

let directories = 0;

/**
 * Gives `work` a new directory on the mount, and removes it afterwards, after a failure too. Fails if it cannot be removed completely: left-over
 * `.nfs…` files (of the client's silly renames) are somebody's unclosed file. Gives what `work` gives: remarks such as durations.
 */
export async function inFreshDirectory(
  ctx: WorkloadContext,
  name: string,
  work: (directory: string, relative: string) => Promise<string>,
): Promise<string> {
  const relative = `${name}-${++directories}`;
  const directory = `${ctx.mountPoint}/${relative}`;
  const clean = `rm -rf '${directory}'; [ ! -e '${directory}' ] || fail "left behind: $(ls -lAR '${directory}')"`;
  await ctx.guest.must(`mkdir '${directory}'`);
  let remarks: string;
  try {
    remarks = await work(directory, relative);
  } catch (error) {
    await ctx.guest.run(clean, { timeoutMs: 60_000 }).catch(() => undefined);
    throw error;
  }
  await ctx.guest.must(clean, { timeoutMs: 60_000 });
  return remarks;
}

/** Runs one of guest/programs in the guest. It fails by its exit status, having said what it expected. */
export async function runProgram(
  guest: Guest,
  program: string,
  args: readonly (string | number)[],
  options: { timeoutMs: number },
): Promise<string> {
  const words = args.map((arg) => `'${String(arg).replaceAll("'", `'\\''`)}'`).join(" ");
  return await guest.must(`python3 -B /run/e2e/guest/programs/${program} ${words}`, options);
}

/** The second client, or an error that says who forgot it. */
export function otherClient(ctx: WorkloadContext): Client {
  if (!ctx.other) throw new TypeError("this workload needs ctx.other, a second guest");
  return ctx.other;
}

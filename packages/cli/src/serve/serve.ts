/** Builds a clock, a transport and a server out of settings, hands each what it stands on, and takes them down again. All wiring is here. */
import type { Admin } from "@nfs4/admin";
import { nativeAvailable, rdtsc, tscFrequency } from "@nfs4/native";
import { createServer, type NfsServer } from "@nfs4/server";
import { cryptoRandom, nodeClock, type RealClock, tscCounter } from "@nfs4/timecounter";
import { adminSource } from "./admin-source.ts";
import { announcement } from "./announcement.ts";
import { Ending } from "./ending.ts";
import { tellEvents } from "./events.ts";
import { openExports, refuseMissing } from "./exports.ts";
import { hostTransport } from "./host-transport.ts";
import { interruption, within } from "./interruption.ts";
import { refuseWithoutMeans } from "./means.ts";
import { planExports, refuseContradictions } from "./plan.ts";

import { addressAndPort, type Settings } from "./settings.ts";
import { messageOf, SettingsError } from "./settings-error.ts";
import { type StackEnvironment, stackTransport } from "./stack-transport.ts";
import { openState } from "./state-directory.ts";
import { StatusLine } from "./status-line.ts";
import type { Transport } from "./transport.ts";

const DEFAULT_STOP_SECONDS = 5;
/** For what goes down after the server: sockets, captures, the state directory. */
const CLOSING_MS = 3000;

/** Serves until SIGINT, SIGTERM or SIGHUP. Rejects with a `SettingsError` if it cannot start as told. */
export async function serve(settings: Settings): Promise<void> {
  const interrupted = interruption();
  const stopMs = (settings.stopSeconds ?? DEFAULT_STOP_SECONDS) * 1000;
  const status = new StatusLine(process.stderr);
  const tell = (text: string): void => status.tell(text);
  // Whoever reads what we print may end before us, and that is no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

  const ending = new Ending();
  try {
    const { server, clock, lines } = await start(settings, { ending, tell, stopMs });
    process.stdout.write(`${lines.join("\n")}\n`);
    status.start(server, clock);
    await interrupted;
    status.stop();
    tell("stopping");
  } finally {
    await within(stopMs + CLOSING_MS, ending.run(), tell);
  }
}

interface Surroundings {
  readonly ending: Ending;
  readonly tell: (text: string) => void;
  readonly stopMs: number;
}

interface Running {
  readonly server: NfsServer;
  readonly clock: RealClock;
  /** What people should know. */
  readonly lines: readonly string[];
}

/** Leaves in `ending` what undoes it, also if it rejects. */
async function start(settings: Settings, { ending, tell, stopMs }: Surroundings): Promise<Running> {
  refuseContradictions(settings);
  const planned = planExports(settings);
  refuseMissing(planned);
  refuseWithoutMeans(settings);
  const clock = makeClock(settings);
  ending.add(() => clock.close());

  const directories = planned.flatMap(({ source }) => (source === null ? [] : [source]));
  const { directory: state, preference } = await openState(settings.stateDirectory, directories);
  const { storage } = state;
  ending.add(() => state.close());
  const random = cryptoRandom;
  const transport = await openTransport(settings, { clock, random, storage, preference, warn: tell });
  ending.add(() => transport.close());

  // A file's mode is what its client asked for. What the server makes for itself states its own.
  process.umask(0);
  const exports = await openExports(planned, {
    networks: transport.networks,
    clock,
    storage,
    native: nativeAvailable().ok,
  });
  const server = await createServer({
    clock,
    random,
    storage,
    exports,
    connector: transport.connector,
    ...(settings.leaseSeconds === undefined ? {} : { leaseSeconds: settings.leaseSeconds }),
    ...(settings.graceSeconds === undefined ? {} : { graceSeconds: settings.graceSeconds }),
  }).catch((error: unknown) => {
    throw explained(error);
  });
  ending.add(() => server.close({ graceMs: stopMs }));
  tellEvents(tell);
  const admin = await openAdmin(settings, adminSource({ server, stack: transport.stack, clock, usage }));
  if (admin) ending.add(() => admin.close());
  server.listen(transport.listener);
  const lines = announcement({
    exports,
    transport,
    chosenByDefault: settings.exports === undefined,
    inGrace: server.inGrace,
    damagedJournalLines: server.damagedJournalLines,
    statePath: state.path,
    adminUrl: admin?.url ?? null,
  });
  return { server, clock, lines };
}

/** A server refuses exports with a RangeError, and state that it cannot read with a plain Error; anything else is a bug. */
function explained(error: unknown): unknown {
  if (error instanceof RangeError) return new SettingsError("exports", error.message);
  return error instanceof Error && error.name === "Error" ? new SettingsError("stateDirectory", error.message) : error;
}

function makeClock({ timecounter }: Settings): RealClock {
  const frequency = nativeAvailable().ok ? tscFrequency() : 0;
  if (timecounter === "tsc" && frequency === 0)
    throw new SettingsError(
      "timecounter",
      "the cycle counter of this processor cannot be read here, or has no constant rate",
    );
  return nodeClock({
    counters: frequency === 0 ? [] : [tscCounter(rdtsc, frequency)],
    ...(timecounter === undefined ? {} : { counter: timecounter }),
  });
}

function openTransport(settings: Settings, environment: StackEnvironment): Promise<Transport> {
  if (settings.transport === "host") return hostTransport(settings, environment.clock);
  return stackTransport(settings, environment);
}

/** Of this process. */
function usage(): { residentBytes: number; cpuSeconds: number } {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
}

async function openAdmin(settings: Settings, source: ReturnType<typeof adminSource>): Promise<Admin | null> {
  if (settings.admin === false) return null;
  // Half of the time that a start takes is theirs, so only who wants it pays.
  const { startAdmin } = await import("@nfs4/admin");
  const at = settings.admin === undefined ? {} : addressAndPort(settings.admin);
  try {
    return await startAdmin({ source, ...at });
  } catch (error) {
    throw new SettingsError("admin", `cannot listen there: ${messageOf(error)}`);
  }
}

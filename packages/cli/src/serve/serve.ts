/** Builds a clock, a transport and a server out of settings, hands each what it stands on, and takes them down again. All wiring is here. */
import { subscribe } from "node:diagnostics_channel";
import { type Admin, startAdmin } from "@nfs4/admin";
import { nativeAvailable } from "@nfs4/native";
import { clientChannel, createServer, faultChannel, graceChannel, type NfsServer } from "@nfs4/server";
import { cryptoRandom, nodeClock, type RealClock } from "@nfs4/timecounter";
import { adminSource } from "./admin-source.ts";
import { exportedDirectories, openExports } from "./exports.ts";
import { hostTransport } from "./host-transport.ts";
import { type Settings, SettingsError } from "./settings.ts";
import { stackTransport } from "./stack-transport.ts";
import { openStateDirectory } from "./state-directory.ts";
import { StatusLine } from "./status-line.ts";
import type { Transport } from "./transport.ts";

const DEFAULT_STOP_SECONDS = 5;

/** Serves until SIGINT or SIGTERM. Rejects with a `SettingsError` if it cannot start as told. */
export async function serve(settings: Settings): Promise<void> {
  const clock = nodeClock();
  const cleanups: (() => Promise<void> | void)[] = [() => clock.close()];
  const undo = async (): Promise<void> => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  };
  try {
    const state = await openStateDirectory(settings.stateDirectory, exportedDirectories(settings));
    cleanups.push(() => state.close());
    const transport = await openTransport(settings, state.storage, clock);
    cleanups.push(() => transport.close());
    const exports = await openExports(settings, transport.network, clock, state.storage);
    const server = await start(settings, { clock, storage: state.storage, exports, transport });
    const stopMs = (settings.stopSeconds ?? DEFAULT_STOP_SECONDS) * 1000;
    cleanups.push(() => server.close({ graceMs: stopMs }));
    logEvents();
    const admin = await openAdmin(settings, server, transport, clock);
    if (admin) cleanups.push(() => admin.close());

    for (const { path, source, squash, readOnly } of exports)
      say(`  ${path} is ${source} (${readOnly ? "read-only, " : ""}${squash} squashed)`);
    say(`  through ${transport.description}, at ${transport.address} port ${transport.port}`);
    say(`  state in ${state.path}${server.inGrace ? "; in grace until known clients have reclaimed" : ""}`);
    if (admin) say(`  admin at ${admin.url}`);
    say(`mount with: ${mountLine(transport)}`);
    const status = new StatusLine(server, clock, process.stderr);
    await interrupted();
    status.stop();
    say("stopping");
  } catch (error) {
    await undo();
    if (error instanceof RangeError) throw new SettingsError(error.message);
    throw error;
  }
  await undo();
}

/** What to type on a client. */
export function mountLine({ address, port }: { readonly address: string; readonly port: number }): string {
  const options = port === 2049 ? "vers=4.2" : `vers=4.2,port=${port}`;
  return `mount -t nfs4 -o ${options} ${address.includes(":") ? `[${address}]` : address}:/ /mnt`;
}

type StateStorage = Awaited<ReturnType<typeof openStateDirectory>>["storage"];

function openTransport(settings: Settings, storage: StateStorage, clock: RealClock): Promise<Transport> {
  if (settings.transport === "host") return hostTransport(settings, clock);
  if (settings.transport === undefined && process.getuid?.() !== 0) {
    const why = process.platform !== "linux" ? "a TUN device needs Linux" : "a TUN device needs root";
    throw new SettingsError(`${why}: run as root, or use --host for the kernel's sockets`);
  }
  if (settings.transport === undefined && !nativeAvailable().ok)
    throw new SettingsError("the native addon is not built, and our own stack needs it: use --host");
  return stackTransport(settings, storage, clock, cryptoRandom);
}

interface Parts {
  readonly clock: RealClock;
  readonly storage: StateStorage;
  readonly exports: Awaited<ReturnType<typeof openExports>>;
  readonly transport: Transport;
}

async function start(settings: Settings, { clock, storage, exports, transport }: Parts): Promise<NfsServer> {
  const server = await createServer({
    clock,
    random: cryptoRandom,
    storage,
    exports,
    connector: transport.connector,
    ...(settings.leaseSeconds === undefined ? {} : { leaseSeconds: settings.leaseSeconds }),
    ...(settings.graceSeconds === undefined ? {} : { graceSeconds: settings.graceSeconds }),
  });
  server.listen(transport.listener);
  return server;
}

async function openAdmin(
  settings: Settings,
  server: NfsServer,
  transport: Transport,
  clock: RealClock,
): Promise<Admin | null> {
  if (settings.admin === false) return null;
  const [, host = "127.0.0.1", port = "0"] = /^\[?(.*?)\]?:(\d+)$/.exec(settings.admin ?? "127.0.0.1:0") ?? [];
  try {
    return await startAdmin({ source: adminSource(server, transport.stack, clock), host, port: Number(port) });
  } catch (error) {
    throw new SettingsError(`--admin ${settings.admin}: ${(error as Error).message}`);
  }
}

/** Libraries publish; this is where it is shown. */
function logEvents(): void {
  subscribe(faultChannel.name, (message) =>
    console.error("a file system threw:", (message as { error: unknown }).error),
  );
  subscribe(graceChannel.name, () => console.error("grace is over"));
  subscribe(clientChannel.name, (message) => {
    const { client, event } = message as { client: { address: string }; event: string };
    console.error(`client at ${client.address}: ${event}`);
  });
  subscribe("nfs4:rpc:error", (message) =>
    console.error("a call failed inside:", (message as { error: unknown }).error),
  );
}

/** Resolves at the first SIGINT, SIGTERM or SIGHUP; the second ends the process at once. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    let seen = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (seen) process.exit(130);
        seen = true;
        resolve();
      });
    }
  });
}

function say(line: string): void {
  console.log(line);
}

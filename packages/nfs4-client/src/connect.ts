import { type Connector, nodeConnector } from "@nfs4/bytestream";
import {
  bitmapOf,
  decodeFattr4,
  FATTR4_LEASE_TIME,
  FATTR4_MAXREAD,
  FATTR4_MAXWRITE,
  FATTR4_SUPPORTED_ATTRS,
  type Fattr4Values,
} from "@nfs4/protocol";
import { type AuthFlavorClient, authSys, RpcEnvironment } from "@nfs4/rpc";
import { type Clock, cryptoRandom, nodeClock, type RandomSource } from "@nfs4/timecounter";
import { processUmask, processUser } from "./adapters/process-user.ts";
import { type ExportAddress, type NfsVersion, parseExportUrl } from "./address.ts";
import { NfsClient } from "./client.ts";
import { NfsError } from "./errors.ts";
import { NfsPromises } from "./fs/nfs-promises.ts";
import { Mount } from "./mount.ts";
import { CallbackService } from "./protocol/callbacks.ts";
import { ClientIdDialect, type ClientIdOptions } from "./protocol/client40.ts";
import { Compound, type Step } from "./protocol/compound.ts";
import type { Dialect, DialectEvents } from "./protocol/dialect.ts";
import { giveUpAt } from "./protocol/give-up.ts";
import { Link } from "./protocol/link.ts";
import { SessionDialect, type SessionOptions } from "./protocol/session.ts";

export interface ConnectOptions {
  /** Default: the highest of 4.2, 4.1 and 4.0 that the server has. */
  readonly version?: NfsVersion;
  /** Who the client acts as (AUTH_SYS). Default: the process's user and groups. */
  readonly user?: { readonly uid: number; readonly gid: number; readonly groups?: readonly number[] };
  /** Another credential than AUTH_SYS. */
  readonly credential?: AuthFlavorClient;
  /** The way to the server: kernel sockets by default, `stack.tcp.connector()` for a stack of ours. */
  readonly connector?: Connector;
  readonly clock?: Clock;
  readonly random?: RandomSource;
  /** Of a call that says nothing else, ms. Default 180,000. */
  readonly timeoutMs?: number;
  /** Without an answer for so long another connection is tried, ms. Default 30,000. */
  readonly attemptTimeoutMs?: number;
  /** For connecting and making known, ms. Default 30,000. */
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Bytes of data in one READ or WRITE, at most. Default 1 MiB; the server may want less. */
  readonly transferBytes?: number;
  /** COMPOUNDs under way, at most. Default 64; the server may want fewer (4.1 and later). */
  readonly slots?: number;
  /** Permission bits that new files do not get. Default: the process's. */
  readonly umask?: number;
  /** What tells this client from others at the server. Default: random. */
  readonly ownerId?: Uint8Array;
}

const MIB = 1 << 20;
const ATTEMPT_MS = 30_000;
const DESCENDING = ["4.2", "4.1", "4.0"] as const;

/** Connects to an export: "nfs://server/export/path". Rejects with a TypeError for what is no such URL, a `ConnectError` or an `NfsError`. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<NfsPromises> {
  const address = parseExportUrl(url);
  const version = options.version ?? address.version;
  for (const candidate of version === null ? DESCENDING : [version]) {
    const client = makeClient(address, candidate, options);
    try {
      const mounted = await giveUpAt(mount(client, address), {
        clock: client.clock,
        signals: options.signal === undefined ? [] : [options.signal],
        timeoutMs: options.connectTimeoutMs ?? 30_000,
        timedOut: () => new NfsError("ETIMEDOUT", `${address.host} does not answer`, { syscall: "connect" }),
      });
      return new NfsPromises(mounted, options.umask ?? processUmask(), options.random ?? cryptoRandom);
    } catch (error) {
      await client.disconnect();
      const mismatch = error instanceof NfsError && error.nfsStatus === "NFS4ERR_MINOR_VERS_MISMATCH";
      if (!mismatch || version !== null || candidate === "4.0") throw error;
    }
  }
  throw new NfsError("EPROTONOSUPPORT", "the server has no minor version that we have", { syscall: "connect" });
}

function makeClient(address: ExportAddress, version: NfsVersion, options: ConnectOptions): NfsClient {
  const ownClock = options.clock === undefined ? nodeClock() : null;
  const clock: Clock = options.clock ?? ownClock!;
  const { random = cryptoRandom } = options;
  const minorVersion = Number(version.slice(2)) as 0 | 1 | 2;
  const user = options.user ?? processUser();
  const callbacks = new CallbackService(minorVersion, {});
  const link = new Link({
    connector: options.connector ?? nodeConnector({ clock }),
    to: { address: address.host, port: address.port },
    environment: new RpcEnvironment({ clock, random }),
    credential:
      options.credential ?? authSys({ uid: user.uid, gid: user.gid, gids: [...(user.groups ?? [])].slice(0, 16) }),
    programs: [callbacks.program],
    connectTimeoutMs: options.attemptTimeoutMs ?? ATTEMPT_MS,
  });
  const events: DialectEvents = { stateRevoked: () => client.stateRevoked() };
  const dialect = makeDialect(minorVersion, {
    clock,
    random,
    link,
    callbacks,
    ownerId: options.ownerId ?? random.fill(new Uint8Array(16)),
    verifier: random.fill(new Uint8Array(8)),
    transferBytes: options.transferBytes ?? MIB,
    slots: options.slots ?? 64,
    events,
  });
  const limits = { timeoutMs: options.timeoutMs ?? 180_000, attemptTimeoutMs: options.attemptTimeoutMs ?? ATTEMPT_MS };
  const client: NfsClient = new NfsClient(dialect, { clock, random }, limits, async () => {
    await link.close();
    ownClock?.close();
  });
  return client;
}

function makeDialect(
  minorVersion: 0 | 1 | 2,
  options: ClientIdOptions & Omit<SessionOptions, "minorVersion">,
): Dialect {
  if (minorVersion === 0) return new ClientIdDialect(options);
  return new SessionDialect({ ...options, minorVersion });
}

/** Makes the client known, and finds the export. */
async function mount(client: NfsClient, { host, path }: ExportAddress): Promise<Mount> {
  await client.introduce();
  const compound = new Compound("mount").putRoot();
  const lease = compound.getAttributes(bitmapOf(FATTR4_LEASE_TIME));
  compound.lookup(...path);
  const handle = compound.getFh();
  const traits = compound.getAttributes(bitmapOf(FATTR4_SUPPORTED_ATTRS, FATTR4_MAXREAD, FATTR4_MAXWRITE));
  await client.run(compound, { syscall: "connect", path: `nfs://${host}/${path.join("/")}` });
  client.leaseSeconds = valuesOf(lease).lease_time ?? 90;
  const { supported_attrs, maxread, maxwrite } = valuesOf(traits);
  const least = (bytes: bigint | undefined, ours: number): number =>
    Math.max(512, Math.min(Number(bytes ?? ours), ours));
  return new Mount(client, path, handle.body.object, {
    supported: supported_attrs ?? [],
    maxRead: least(maxread, client.dialect.maxRead),
    maxWrite: least(maxwrite, client.dialect.maxWrite),
  });
}

/** Of a GETATTR that has succeeded. */
function valuesOf(step: Step<"GETATTR">): Fattr4Values {
  const decoded = decodeFattr4(step.body.obj_attributes);
  if (!decoded.ok)
    throw new NfsError("EPROTO", "the server's attributes cannot be understood", { operation: "GETATTR" });
  return decoded.values;
}

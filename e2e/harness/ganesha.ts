import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { kernelListens } from "./checks.ts";
import type { Namespace } from "./namespace.ts";
import { type ServerProcess, startServerProcess } from "./process.ts";
import { createScratchDirectory } from "./scratch.ts";

/** NFS-Ganesha on kernel sockets: the peer that shows that the harness works, and what other servers do. */
export interface Ganesha {
  /** What to mount: `address:/export`. */
  readonly source: string;
  readonly address: string;
  readonly port: 2049;
  /** The pseudo path of the export. */
  readonly path: "/export";
  /** The directory of the host that it exports. */
  readonly directory: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** SIGKILL, and a new start on the same state. Settles when it listens again. */
  crash(): Promise<void>;
  log(): Promise<string>;
  /** Stops it and removes its files, the exported ones too if it made the directory. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface GaneshaOptions {
  /** Default: a new temporary directory, mode 0777. */
  readonly directory?: string;
  /** Default 20. */
  readonly leaseSeconds?: number;
  /** Whether it lets clients reclaim what they had before a crash; default false, which makes it serve at once. */
  readonly grace?: boolean;
}

export async function startGanesha(namespace: Namespace, options: GaneshaOptions = {}): Promise<Ganesha> {
  const scratch = createScratchDirectory("ganesha");
  const home = scratch.path;
  const directory = options.directory ?? join(home, "export");
  await mkdir(directory, { recursive: true, mode: 0o777 });
  await mkdir(join(home, "recovery"));
  const config = join(home, "ganesha.conf");
  const logFile = join(home, "log");
  await writeFile(config, configuration(directory, join(home, "recovery"), options));
  const argv = ["ganesha.nfsd", "-F", "-f", config, "-L", logFile, "-p", join(home, "pid")];
  const log = (): Promise<string> => readFile(logFile, "utf8").catch(() => "");

  let server: ServerProcess;
  const start = async (): Promise<void> => {
    server = startServerProcess(argv, { namespace });
    try {
      await server.waitUntil(() => kernelListens(namespace, 2049), { timeoutMs: 20_000 });
    } catch (error) {
      const tail = (await log()).slice(-4000);
      await stop();
      throw new Error(`ganesha did not start\n${tail}`, { cause: error });
    }
  };
  const stop = async (): Promise<void> => {
    await server.stop({ graceMs: 3_000 });
    scratch.remove();
  };
  await start();
  return {
    source: `${namespace.address}:/export`,
    address: namespace.address,
    port: 2049,
    path: "/export",
    directory,
    get pid() {
      return server.pid;
    },
    async crash() {
      await server.kill();
      await start();
    },
    log,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Without rpcbind, dbus, NFSv3 or Kerberos. */
function configuration(directory: string, recovery: string, options: GaneshaOptions): string {
  const { leaseSeconds = 20, grace = false } = options;
  return `
NFS_CORE_PARAM {
  NFS_Protocols = 4; NFS_Port = 2049; mount_path_pseudo = true;
  Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false;
}
NFSV4 {
  Graceless = ${!grace}; Lease_Lifetime = ${leaseSeconds}; Grace_Period = ${leaseSeconds + 5}; Minor_Versions = 0, 1, 2; Delegations = true;
  RecoveryBackend = fs; RecoveryRoot = "${recovery}"; Allow_Numeric_Owners = true; Only_Numeric_Owners = true;
}
NFS_KRB5 { Active_krb5 = false; }
EXPORT {
  Export_Id = 1; Path = "${directory}"; Pseudo = /export; Access_Type = RW; Squash = No_Root_Squash; SecType = sys;
  Protocols = 4; Transports = TCP;
  FSAL { Name = VFS; }
}
LOG { Default_Log_Level = EVENT; }
`;
}

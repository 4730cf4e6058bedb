/** The servers that are compared, all of one directory, in one network namespace. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startGanesha } from "../harness/ganesha.ts";
import type { Namespace } from "../harness/namespace.ts";
import { startNfs4 } from "../harness/nfs4-command.ts";
import type { Opponent } from "./load.ts";

export const GANESHA = "nfs-ganesha";
export const OVER_TUN = "nfs4 over TUN";
export const ON_SOCKETS = "nfs4 on kernel sockets";

const LOOPBACK = "127.0.0.1";
const SOCKET_PORT = 2050;
const OURS = "10.98.0.2/24";

export interface Contest {
  readonly opponents: readonly Opponent[];
  stop(): Promise<void>;
}

/** `scratch` takes what our servers keep between runs, `nodeFlags` are for them. */
export async function startOpponents(
  namespace: Namespace,
  directory: string,
  scratch: string,
  nodeFlags: readonly string[],
): Promise<Contest> {
  const started: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let one = started.pop(); one; one = started.pop()) await one();
  };
  try {
    const ganesha = await startGanesha(namespace, { directory, leaseSeconds: 90 });
    started.push(() => ganesha.stop());
    const opponents: Opponent[] = [
      { name: GANESHA, pid: ganesha.pid, address: LOOPBACK, port: ganesha.port, path: ["export"] },
    ];
    const ours = [
      { name: OVER_TUN, flags: ["--tun", "--address", OURS] },
      { name: ON_SOCKETS, flags: [`--host=${LOOPBACK}`, "--port", String(SOCKET_PORT)] },
    ];
    for (const { name, flags } of ours) {
      const state = join(scratch, `state-${started.length}`);
      mkdirSync(state);
      const server = await startNfs4([directory, ...flags, "--squash", "none", "--state-dir", state, "--no-admin"], {
        namespace,
        nodeFlags,
      });
      started.push(() => server.process.stop());
      opponents.push({ name, pid: server.process.pid, address: server.address, port: server.port, path: [] });
    }
    await pinCongestionControl(namespace);
    return { opponents, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** On every route there is: hosts differ in their default, and BBR, which some have, halves what goes into a TUN. */
async function pinCongestionControl(namespace: Namespace): Promise<void> {
  for (const table of ["main", "local"]) {
    const routes = await namespace.must(["ip", "-4", "route", "show", "table", table]);
    for (const route of routes.split("\n").filter((line) => line !== "" && !line.startsWith("broadcast"))) {
      const words = route.split(" ").filter((word) => word !== "" && word !== "linkdown");
      await namespace.must(["ip", "route", "replace", ...words, "table", table, "congctl", "cubic"]);
    }
  }
}

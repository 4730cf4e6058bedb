import { spawnSync } from "node:child_process";
import { onProcessEnd } from "./cleanup.ts";
import { type CommandOptions, type CommandResult, must, runCommand } from "./command.ts";
import { isAbandoned, isOurs, ownerTag } from "./owner.ts";

let made = 0;

/** A network of its own: one bridge, and taps for guests and stacks, inside one network namespace. */
export interface Namespace {
  readonly name: string;
  /** The bridge that every tap joins. */
  readonly bridge: string;
  /** The bridge's own address: where a server on kernel sockets listens, and the guests' gateway if there is one. */
  readonly address: string;
  /** Length of the network's prefix, 24. */
  readonly prefixLength: number;
  /** The next address of the network that nobody has, without the length. */
  allocateAddress(): string;
  /** A fresh tap, up, on the bridge unless `bridged` is false. It goes with the namespace. */
  addTap(options?: { bridged?: boolean; name?: string; mtu?: number }): Promise<string>;
  /** A fresh pair of virtual Ethernet devices, both up, the first one on the bridge. */
  addVethPair(): Promise<readonly [bridged: string, free: string]>;
  /** Lets the namespace's kernel route IPv4 between its devices. */
  enableForwarding(): Promise<void>;
  /** The words that run a command inside: put them before it. */
  readonly enter: readonly string[];
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  must(argv: readonly string[], options?: CommandOptions): Promise<string>;
  /** Removes the namespace and kills whatever still runs inside. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface NamespaceOptions {
  /** First three numbers of the network; default `10.99.0`, which needs to be unique only inside the namespace. */
  readonly network?: string;
}

/** Makes a namespace, after removing those that killed runs have left. Needs root. */
export async function createNamespace(options: NamespaceOptions = {}): Promise<Namespace> {
  sweepAbandonedNamespaces();
  const network = options.network ?? "10.99.0";
  const name = `${ownerTag()}-${made++}`;
  const ip = (...args: string[]): Promise<string> => must(["ip", "-n", name, ...args]);
  await must(["ip", "netns", "add", name]);
  const forget = onProcessEnd(() => removeNamespace(name));
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    removeNamespace(name);
    forget();
  };
  const bridge = "br0";
  const enter = ["ip", "netns", "exec", name] as const;
  let taps = 0;
  let veths = 0;
  let lastHost = 1;
  try {
    await ip("link", "set", "lo", "up");
    await ip("link", "add", bridge, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0");
    await ip("addr", "add", `${network}.1/24`, "dev", bridge);
    await ip("link", "set", bridge, "up");
  } catch (error) {
    await close();
    throw error;
  }
  return {
    name,
    bridge,
    address: `${network}.1`,
    prefixLength: 24,
    enter,
    allocateAddress: () => `${network}.${++lastHost}`,
    async addTap({ bridged = true, name: device = `tap${taps++}`, mtu } = {}) {
      await ip("tuntap", "add", device, "mode", "tap");
      if (mtu !== undefined) await ip("link", "set", device, "mtu", String(mtu));
      if (bridged) await ip("link", "set", device, "master", bridge);
      await ip("link", "set", device, "up");
      return device;
    },
    async addVethPair() {
      const pair = [`veth${veths}a`, `veth${veths}b`] as const;
      veths++;
      await ip("link", "add", pair[0], "type", "veth", "peer", "name", pair[1]);
      await ip("link", "set", pair[0], "master", bridge, "up");
      await ip("link", "set", pair[1], "up");
      return pair;
    },
    async enableForwarding() {
      await must([...enter, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    },
    run: (argv, opts) => runCommand([...enter, ...argv], opts),
    must: (argv, opts) => must([...enter, ...argv], opts),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Removes namespaces whose makers are dead. Gives their names. */
export function sweepAbandonedNamespaces(): string[] {
  const names = listNamespaces().filter(isAbandoned);
  for (const name of names) removeNamespace(name);
  return names;
}

/** The namespaces of this harness that exist now, whoever made them. */
export function listNamespaces(): string[] {
  const { stdout } = spawnSync("ip", ["netns", "list"], { encoding: "utf8" });
  return (stdout ?? "")
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter(isOurs);
}

function removeNamespace(name: string): void {
  // A namespace lives on while a process is in it, so those go first. They can only be ours: the name is.
  for (let round = 0; round < 3; round++) {
    const { stdout } = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
    const pids = (stdout ?? "")
      .split("\n")
      .map(Number)
      .filter((pid) => pid > 1);
    if (pids.length === 0) break;
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone between the two lines.
      }
    }
  }
  spawnSync("ip", ["netns", "del", name]);
}

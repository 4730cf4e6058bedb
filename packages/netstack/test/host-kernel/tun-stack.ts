import { execFileSync } from "node:child_process";
import { configureInterface } from "@nfs4/native";
import { cryptoRandom, nodeClock, type RealClock } from "@nfs4/timecounter";
import { createStack, type HostStack } from "../../src/create-stack.ts";
import { ImpairedDriver, type ImpairedDriverOptions } from "../../src/drivers/impaired.ts";
import { openTunTap } from "../../src/drivers/tun-tap.ts";
import type { NetworkInterface } from "../../src/interface.ts";

export const OURS = { 4: "10.199.0.2", 6: "fd99::2" } as const;
export const KERNEL = { 4: "10.199.0.1", 6: "fd99::1" } as const;

export interface TunStack {
  readonly clock: RealClock;
  readonly stack: HostStack;
  readonly iface: NetworkInterface;
  close(): Promise<void>;
}

/**
 * A stack of ours and the kernel of this network namespace, joined by a TUN. To be called inside a namespace of one's own: it sets addresses and
 * routes there.
 */
export async function openTunStack(
  options: {
    readonly offload?: boolean;
    readonly mtu?: number;
    /** What happens to packets on the way, both ways; without offload only. */
    readonly impairments?: ImpairedDriverOptions;
  } = {},
): Promise<TunStack> {
  const { offload = true, mtu = 1500, impairments } = options;
  ip("link", "set", "lo", "up");
  const tun = openTunTap({ mode: "tun", offload, mtu, name: "ours%d" });
  configureInterface(tun.name, { up: true, mtu });
  ip("addr", "add", `${KERNEL[4]}/24`, "dev", tun.name);
  ip("-6", "addr", "add", `${KERNEL[6]}/64`, "dev", tun.name, "nodad");
  // BBR, where it is the default, halves bulk into a TUN.
  ip("route", "replace", "10.199.0.0/24", "dev", tun.name, "src", KERNEL[4], "congctl", "cubic");
  const clock = nodeClock();
  const stack = createStack({ name: "ours", clock, random: cryptoRandom });
  const driver = impairments === undefined ? tun : new ImpairedDriver(tun, clock, impairments);
  const iface = stack.addInterface({ name: "tun0", driver });
  iface.addAddress(`${OURS[4]}/24`);
  iface.addAddress(`${OURS[6]}/64`);
  return {
    clock,
    stack,
    iface,
    close: async () => {
      await stack.close();
      clock.close();
    },
  };
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
}

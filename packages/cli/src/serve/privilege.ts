/** What this process may do. */
import { readFileSync } from "node:fs";

const CAP_NET_ADMIN = 12n;

/** Whether it may make network devices: CAP_NET_ADMIN among the effective capabilities (proc(5)), which is not quite the same as being root. */
export function mayConfigureNetwork(): boolean {
  return process.platform === "linux" && hasCapability(readFileSync("/proc/self/status", "utf8"), CAP_NET_ADMIN);
}

export function hasCapability(status: string, capability: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> capability) & 1n) === 1n;
}

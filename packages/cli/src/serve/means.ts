/** What this process has, and what our own stack needs. */
import { existsSync, readFileSync } from "node:fs";
import { nativeAvailable } from "@nfs4/native";
import type { Settings } from "./settings.ts";
import { SettingsError } from "./settings-error.ts";

const CAP_NET_ADMIN = 12n;

/** Throws a `SettingsError` if the transport that was told, or is the default, cannot be had here. */
export function refuseWithoutMeans({ transport }: Settings): void {
  if (transport === "host") return;
  const refuse = (why: string): never => {
    throw new SettingsError("transport", why);
  };
  if (process.platform !== "linux") refuse("our own stack needs Linux: use --host for the kernel's sockets");
  const isDevice = transport === undefined || transport === "tun" || transport === "tap";
  if (isDevice && !hasCapability(readFileSync("/proc/self/status", "utf8"), CAP_NET_ADMIN))
    refuse(
      "a network device for our own stack needs CAP_NET_ADMIN: run as root, or use --host for the kernel's sockets",
    );
  if (isDevice && !existsSync("/dev/net/tun"))
    refuse("there is no /dev/net/tun for our own stack: use --host for the kernel's sockets, or a guest's socket");
  const available = nativeAvailable();
  if (!available.ok) refuse(`our own stack cannot reach a network: ${available.reason}; or use --host`);
}

/** Whether it is among the effective capabilities of a process (proc(5), status), which is not quite the same as being root. */
export function hasCapability(status: string, capability: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> capability) & 1n) === 1n;
}

/** The kernel's own sockets: no privilege needed, nothing of our stack used. */
import { networkInterfaces } from "node:os";
import { nodeConnector, nodeListener } from "@nfs4/bytestream";
import type { Clock } from "@nfs4/timecounter";
import { type Settings, SettingsError } from "./settings.ts";
import type { Transport } from "./transport.ts";

export async function hostTransport(settings: Settings, clock: Clock): Promise<Transport> {
  const host = settings.address?.split("/")[0] ?? "127.0.0.1";
  const port = settings.port ?? 2049;
  try {
    const listener = await nodeListener({ clock, host, port });
    return {
      listener,
      connector: nodeConnector({ clock }),
      stack: null,
      description: "the kernel's sockets (--host)",
      address: host === "0.0.0.0" || host === "::" ? (anyAddress() ?? "127.0.0.1") : host,
      port,
      network: null,
      close: () => listener.close(),
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE")
      throw new SettingsError(`--host: port ${port} of ${host} is in use; give another --port`);
    if (code === "EACCES") throw new SettingsError(`--host: port ${port} needs privilege; give a --port above 1023`);
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
      throw new SettingsError(`--host: this machine has no address ${host}`);
    throw error;
  }
}

function anyAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((one) => one && !one.internal && one.family === "IPv4")?.address;
}

/** The kernel's own sockets: no privilege needed, nothing of our stack used. */
import { networkInterfaces } from "node:os";
import { nodeConnector, nodeListener } from "@nfs4/bytestream";
import { Prefix } from "@nfs4/netstack";
import type { Clock } from "@nfs4/timecounter";
import type { Settings } from "./settings.ts";
import { codeOf, SettingsError } from "./settings-error.ts";
import type { Transport } from "./transport.ts";

export async function hostTransport(settings: Settings, clock: Clock): Promise<Transport> {
  const host = settings.address ?? "127.0.0.1";
  const port = settings.port ?? 2049;
  const listener = await nodeListener({ clock, host, port }).catch((error: unknown) => {
    throw explained(error, host, port);
  });
  const isAny = host === "0.0.0.0" || host === "::";
  return {
    listener,
    connector: nodeConnector({ clock }),
    stack: null,
    description: ["the kernel's sockets"],
    address: isAny ? (outsideAddress() ?? "127.0.0.1") : host,
    port,
    networks: networksOf(host, isAny),
    close: () => listener.close(),
  };
}

function explained(error: unknown, host: string, port: number): unknown {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return new SettingsError("port", `port ${port} of ${host} is in use: give another`);
    case "EACCES":
      return new SettingsError("port", `port ${port} needs privilege: give one above 1023`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return new SettingsError("address", `this machine has no address ${host}`);
    default:
      return error;
  }
}

function addresses(): { readonly address: string; readonly cidr: string; readonly internal: boolean }[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address, cidr, internal }) => ({ address, cidr: cidr ?? address, internal }));
}

function outsideAddress(): string | undefined {
  return addresses().find(({ address, internal }) => !internal && !address.includes(":"))?.address;
}

/** Of the interface that has the address, or of all. Addresses of our own are always among them. */
function networksOf(host: string, isAny: boolean): string[] {
  const wanted = addresses().filter(({ address, internal }) => isAny || internal || address === host);
  return [...new Set(wanted.map(({ cidr }) => Prefix.parse(cidr).network.toString()))];
}

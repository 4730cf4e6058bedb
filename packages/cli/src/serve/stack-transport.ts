/** Our own TCP/IP stack on a link: its addresses, routes, capture and listener. */
import { createStack, type HostStack, Prefix } from "@nfs4/netstack";
import type { Storage } from "@nfs4/server";
import type { Clock, RandomSource } from "@nfs4/timecounter";
import { hexBytes, type Kept, keep, randomMac, randomSecret, readKept } from "./kept.ts";
import { type Link, openLink } from "./link.ts";
import { contested, freeAddress, hostNetworks } from "./link-addresses.ts";
import { OddCaptures, openOddDirectory } from "./odd-captures.ts";
import { openCaptureFile, startCapture } from "./packet-capture.ts";
import type { Settings } from "./settings.ts";
import { SettingsError } from "./settings-error.ts";
import type { Transport } from "./transport.ts";

export interface StackEnvironment {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly storage: Storage;
  /** Where to begin to look for a free network, so that servers beside each other rarely want the same. */
  readonly preference: number;
  /** Tells people what goes wrong later. */
  readonly warn: (text: string) => void;
}

export async function stackTransport(settings: Settings, environment: StackEnvironment): Promise<Transport> {
  const { clock, random, storage, preference, warn } = environment;
  const kept = await readKept(storage);
  const address = chooseAddress(settings, kept, preference);
  const macAddress = kept.macAddress ?? randomMac(random);
  const tcpSecret = kept.tcpSecret ?? randomSecret(random);
  await keep(storage, {
    ...kept,
    ...(settings.address === undefined ? { address: address.toString() } : {}),
    macAddress,
    tcpSecret,
  });

  const odd = settings.odd === undefined ? null : openOddDirectory(settings.odd);
  const out = settings.pcap === undefined ? null : openCaptureFile(settings.pcap);
  const own = [address, ...(settings.address6 === undefined ? [] : [Prefix.parse(settings.address6)])];
  const link = openLink(settings, own, hexBytes(macAddress));
  const stack = createStack({ name: "nfs4", clock, random, tcpSecret: hexBytes(tcpSecret) });
  const iface = stack.addInterface({ name: "net0", driver: link.driver });
  const capture = out && startCapture(out, iface, (error) => warn(`the capture ends: ${error.message}`));
  const captures = odd === null ? null : startOddCaptures(odd, stack, clock, warn);
  for (const prefix of own) iface.addAddress(prefix);
  addDefaultRoute(stack, settings, link);
  const port = settings.port ?? 2049;
  return {
    listener: stack.tcp.listen({ port }),
    connector: stack.tcp.connector(),
    stack,
    description: link.description,
    address: address.address.toString(),
    port,
    networks: own.map((prefix) => prefix.network.toString()),
    close: async () => {
      await captures?.();
      await stack.close();
      await capture?.stop();
    },
  };
}

/** Also at SIGUSR2. Returns what ends it. */
function startOddCaptures(
  directory: string,
  { odd }: HostStack,
  clock: Clock,
  warn: (text: string) => void,
): () => Promise<void> {
  const now = (): Date => {
    const { seconds, nanoseconds } = clock.wall();
    return new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
  };
  const captures = new OddCaptures(directory, odd, now, (error) =>
    warn(`a capture of odd packets was not written: ${error.message}`),
  );
  const atOnce = (): void => captures.writeNow();
  process.on("SIGUSR2", atOnce);
  return () => {
    process.off("SIGUSR2", atOnce);
    return captures.stop();
  };
}

/** What was told, or what was kept, or what is free: in this order. */
function chooseAddress(settings: Settings, kept: Kept, preference: number): Prefix {
  const { address, transport, bridge } = settings;
  const given = address ?? kept.address;
  const ofGuests = transport === "uml" || transport === "qemu";
  // The host has no part in a guest's network, and is meant to have one in a bridge's.
  const taken = ofGuests || bridge !== undefined ? [] : hostNetworks();
  if (given === undefined) {
    const free = freeAddress(ofGuests ? 0 : preference, taken);
    if (!free) throw new SettingsError("address", "no network of 10.78.0.0/16 is free on this host: give one");
    return free;
  }
  const prefix = Prefix.parse(given);
  const other = contested(prefix, taken);
  if (!other) return prefix;
  const whose = address === undefined ? ", which this server had before," : "";
  throw new SettingsError(
    "address",
    `the network of ${prefix}${whose} is taken on this host, by ${other}: give another`,
  );
}

function addDefaultRoute(stack: HostStack, { gateway }: Settings, { neighbour }: Link): void {
  const iface = stack.interfaces.at(-1);
  const hop = gateway ?? neighbour?.toString();
  if (!iface || hop === undefined) return;
  stack.routes.add({ destination: hop.includes(":") ? "::/0" : "default", gateway: hop, interface: iface });
}

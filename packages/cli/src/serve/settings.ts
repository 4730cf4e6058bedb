/** What `nfs4 serve` can be told, by flags or by a configuration file, and what a single setting may look like. */
import { Address, Prefix } from "@nfs4/netstack";
import { z } from "zod";
import { SettingsError } from "./settings-error.ts";

export type Squash = "root" | "all" | "none";
export type TransportKind = "tun" | "tap" | "host" | "uml" | "qemu";
export type Timecounter = "hrtime" | "tsc";

export interface ExportSettings {
  /** What is served: a directory … */
  readonly directory?: string;
  /** … or an empty file system in memory. */
  readonly memory?: boolean;
  /** Where clients see it. Default: "/" for the only export, else the directory's name. */
  readonly path?: string;
  /** Its number in filehandles, 1 … 65535. Default: derived from the path. */
  readonly id?: number;
  readonly readOnly?: boolean;
  readonly squash?: Squash;
  readonly anonymousUid?: number;
  readonly anonymousGid?: number;
  /** Addresses and prefixes that may mount, or "*". Default: the networks that the transport is on. */
  readonly clients?: readonly string[];
}

export interface Settings {
  readonly exports?: readonly ExportSettings[];
  readonly transport?: TransportKind;
  /** host: the address to listen on. Otherwise the stack's own, with prefix length. */
  readonly address?: string;
  readonly address6?: string;
  readonly gateway?: string;
  /** Name of the TUN or TAP device. */
  readonly device?: string;
  readonly bridge?: string;
  /** Path of the guests' socket. */
  readonly socket?: string;
  readonly mtu?: number;
  readonly port?: number;
  readonly stateDirectory?: string;
  readonly leaseSeconds?: number;
  readonly graceSeconds?: number;
  /** How long a stop waits for what is being worked on. */
  readonly stopSeconds?: number;
  readonly timecounter?: Timecounter;
  readonly pcap?: string;
  /** Directory of captures of odd packets. */
  readonly odd?: string;
  /** address:port, or false for none. */
  readonly admin?: string | false;
}

const text = z.string().min(1);
const id = z.int().min(0).max(0xffff_fffe);
const client = z.string().refine(isClientPattern, "is neither an address, nor a prefix such as 10.0.0.0/8, nor *");
const interfaceName = z.string().regex(/^[^\s/]{1,15}$/, "must be 1 to 15 characters without spaces and slashes");

const exportSchema = z.strictObject({
  directory: text.exactOptional(),
  memory: z.boolean().exactOptional(),
  path: z.string().startsWith("/").exactOptional(),
  id: z.int().min(1).max(65_535).exactOptional(),
  readOnly: z.boolean().exactOptional(),
  squash: z.enum(["root", "all", "none"]).exactOptional(),
  anonymousUid: id.exactOptional(),
  anonymousGid: id.exactOptional(),
  clients: z.array(client).min(1).exactOptional(),
});

const schema = z.strictObject({
  exports: z.array(exportSchema).min(1).exactOptional(),
  transport: z.enum(["tun", "tap", "host", "uml", "qemu"]).exactOptional(),
  address: text.exactOptional(),
  address6: z
    .string()
    .refine(isPrefix(6), "must be an IPv6 address with its prefix length, such as fd00::2/64")
    .exactOptional(),
  gateway: z.string().refine(Address.isAddress, "must be an IP address").exactOptional(),
  device: interfaceName.exactOptional(),
  bridge: interfaceName.exactOptional(),
  socket: text.exactOptional(),
  mtu: z.int().min(1280).max(65_535).exactOptional(),
  port: z.int().min(1).max(65_535).exactOptional(),
  stateDirectory: text.exactOptional(),
  leaseSeconds: z.int().min(1).max(3600).exactOptional(),
  graceSeconds: z.int().min(1).max(3600).exactOptional(),
  stopSeconds: z.int().min(0).max(600).exactOptional(),
  timecounter: z.enum(["hrtime", "tsc"]).exactOptional(),
  pcap: text.exactOptional(),
  odd: text.exactOptional(),
  admin: z
    .custom<string | false>(
      (value) => value === false || (typeof value === "string" && addressAndPort(value) !== null),
      "must be address:port such as 127.0.0.1:9049, or false",
    )
    .exactOptional(),
});

/** Names of settings at the top level. */
export const SETTING_NAMES: readonly string[] = Object.keys(schema.shape);

/** Names of an export's settings. */
export const EXPORT_SETTING_NAMES: readonly string[] = Object.keys(exportSchema.shape);

/** Checks the form of settings from anywhere. Throws a `SettingsError` about the first that is wrong. */
export function checkForm(settings: unknown): Settings {
  const result = schema.safeParse(settings);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  const unknown = first?.code === "unrecognized_keys" ? first.keys[0] : undefined;
  if (unknown !== undefined) throw new SettingsError([...first!.path, unknown].join("."), "there is no such setting");
  throw new SettingsError(first?.path.join(".") || null, uncapitalized(first?.message ?? "is wrong"));
}

/** Whether the text is an address of that family with a prefix length. */
function isPrefix(family: 4 | 6): (text: string) => boolean {
  return (text) => {
    try {
      return text.includes("/") && Prefix.parse(text).family === family;
    } catch {
      return false;
    }
  };
}

/** An IPv4 address with its prefix length, as our stack has it. */
export const isIpv4Prefix: (text: string) => boolean = isPrefix(4);

function isClientPattern(text: string): boolean {
  return text === "*" || Address.isAddress(text) || isPrefix(4)(text) || isPrefix(6)(text);
}

/** "127.0.0.1:80" or "[::1]:80" as its parts; null if it is neither. */
export function addressAndPort(text: string): { readonly host: string; readonly port: number } | null {
  const [, bracketed, plain, port = ""] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || Number(port) > 65_535 ? null : { host, port: Number(port) };
}

function uncapitalized(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

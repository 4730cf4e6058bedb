/** What a stack keeps in the state directory: after a restart it must be found under the same addresses, or mounted clients are stranded. */
import type { Storage } from "@nfs4/server";
import type { RandomSource } from "@nfs4/timecounter";
import { z } from "zod";
import { isIpv4Prefix } from "./settings.ts";
import { SettingsError } from "./settings-error.ts";

export interface Kept {
  /** The stack's, with prefix length, if it was chosen and not told. */
  readonly address?: string;
  /** Six bytes in hexadecimal. */
  readonly macAddress?: string;
  /** TCP's secret, 32 bytes in hexadecimal: with it, connections after a restart are newer than those before (RFC 6528, RFC 6191). */
  readonly tcpSecret?: string;
}

const schema: z.ZodType<Kept> = z.object({
  address: z.string().refine(isIpv4Prefix).exactOptional(),
  macAddress: z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .exactOptional(),
  tcpSecret: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional(),
});

const FILE = "network.json";

/** Throws a `SettingsError` if what is there makes no sense: to choose anew would strand clients without a word. */
export async function readKept(storage: Storage): Promise<Kept> {
  const bytes = await storage.read(FILE);
  if (!bytes) return {};
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    throw new SettingsError(
      "stateDirectory",
      `its ${FILE}, which keeps the stack's addresses, is damaged: repair it, or remove it and mount again`,
    );
  }
}

export async function keep(storage: Storage, kept: Kept): Promise<void> {
  await storage.replace(FILE, new TextEncoder().encode(`${JSON.stringify(kept)}\n`));
}

/** A locally administered unicast Ethernet address, in hexadecimal. */
export function randomMac(random: RandomSource): string {
  const bytes = random.fill(new Uint8Array(6));
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return Buffer.from(bytes).toString("hex");
}

/** A secret for `Kept.tcpSecret`. */
export function randomSecret(random: RandomSource): string {
  return Buffer.from(random.fill(new Uint8Array(32))).toString("hex");
}

export function hexBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

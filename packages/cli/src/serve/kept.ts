/** What a stack keeps in the state directory: after a restart it must be found under the same addresses, or mounted clients are stranded. */
import type { Storage } from "@nfs4/server";
import { cryptoRandom } from "@nfs4/timecounter";
import { z } from "zod";

const schema = z.object({
  address: z.string().optional(),
  hostAddress: z.string().optional(),
  /** Six bytes in hexadecimal. */
  macAddress: z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .optional(),
});

export type Kept = z.infer<typeof schema>;

const FILE = "network.json";

export async function readKept(storage: Storage): Promise<Kept> {
  const bytes = await storage.read(FILE);
  if (!bytes) return {};
  const parsed = schema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  return parsed.success ? parsed.data : {};
}

export async function keep(storage: Storage, kept: Kept): Promise<void> {
  await storage.replace(FILE, new TextEncoder().encode(`${JSON.stringify(kept)}\n`));
}

/** A local, unicast Ethernet address. */
export function randomMac(): string {
  const bytes = cryptoRandom.fill(new Uint8Array(6));
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function macBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

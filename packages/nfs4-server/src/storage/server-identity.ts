/** What a server must keep to be the same server after a restart: its name, the key of its filehandles, and how often it has started. */
import type { RandomSource } from "@nfs4/timecounter";
import type { Storage } from "./storage.ts";

export interface ServerIdentity {
  /** Names the server to its clients (server_owner4). */
  readonly name: Uint8Array;
  /** 16 bytes. */
  readonly handleSecret: Uint8Array;
  /** One higher with each start. */
  readonly epoch: number;
}

const FILE = "server.identity";
const MAGIC = 0x6e667334;
const SIZE = 4 + 4 + 16 + 16;

/** Reads the identity, or makes one; counts the start. Rejects if what is stored is damaged: a new key would strand every client. */
export async function openServerIdentity(storage: Storage, random: RandomSource): Promise<ServerIdentity> {
  const stored = await storage.read(FILE);
  if (stored && (stored.length !== SIZE || new DataView(stored.buffer, stored.byteOffset).getUint32(0) !== MAGIC)) {
    throw new Error(
      `${FILE} in the state directory is damaged: restore it, or remove it and have every client mount again`,
    );
  }
  const bytes = stored ?? random.fill(new Uint8Array(SIZE));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(0, MAGIC);
  // A first epoch at random keeps the numbers of a server whose state was removed apart from those that it gave before.
  const epoch = stored ? (view.getUint32(4) + 1) >>> 0 : random.uint32() >>> 8;
  view.setUint32(4, epoch);
  await storage.replace(FILE, bytes);
  return { name: bytes.slice(8, 24), handleSecret: bytes.slice(24, 40), epoch };
}

import type { Storage } from "@nfs4/server";
import { SeededRandom } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { hexBytes, type Kept, keep, randomMac, randomSecret, readKept } from "./kept.ts";

/** As much of a storage as is asked for here. */
function storageOf(files: Map<string, Uint8Array>): Storage {
  return {
    read: async (name: string) => files.get(name) ?? null,
    replace: async (name: string, bytes: Uint8Array) => void files.set(name, bytes),
  } as unknown as Storage;
}

describe("what a stack keeps", () => {
  it("is there after a restart: its addresses, and the secret behind its sequence numbers", async () => {
    const random = new SeededRandom(1);
    const storage = storageOf(new Map());
    const kept: Kept = { address: "10.78.1.2/24", macAddress: randomMac(random), tcpSecret: randomSecret(random) };
    expect(await readKept(storage)).toEqual({});
    await keep(storage, kept);
    expect(await readKept(storage)).toEqual(kept);
    expect(hexBytes(kept.tcpSecret!)).toHaveLength(32);
    expect(randomSecret(random)).not.toBe(kept.tcpSecret);
  });

  it("from before there was a secret is good as it is", async () => {
    const storage = storageOf(new Map([["network.json", new TextEncoder().encode('{"macAddress":"020304050607"}')]]));
    expect(await readKept(storage)).toEqual({ macAddress: "020304050607" });
  });

  it.each(["", "{", '{"tcpSecret":"00"}', '{"macAddress":"xx"}', '{"address":"nowhere"}'])(
    "is refused if it is damaged: %j",
    async (text) => {
      const storage = storageOf(new Map([["network.json", new TextEncoder().encode(text)]]));
      await expect(readKept(storage)).rejects.toThrow(/network\.json.* is damaged/);
    },
  );
});

/** Bytes that no client would send: each is answered as the RFCs have it, and nothing throws (`World.finish` counts). */
import { nfs_opnum4, OPERATIONS } from "@nfs4/protocol";
import { SeededRandom } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { World } from "../harness/world.ts";

const NUMBERS = Object.values(nfs_opnum4);

describe.each([0, 1, 2])("hostile bytes in 4.%i", (minor) => {
  it("arguments of zeros, cut at every word: BADXDR, or what they mean", async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    const file = await client.writeFile("/f", "x");
    let refused = 0;
    for (const { number } of Object.values(OPERATIONS)) {
      for (let words = 0; words < 20; words++) {
        const reply = await client
          .compound()
          .putfh(file)
          .savefh()
          .raw(number, new Uint8Array(4 * words))
          .send();
        if (reply.status === "NFS4ERR_BADXDR") refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(await client.readFile("/f")).toBe("x");
    await world.finish();
  });

  it("operations and arguments at random: the reply can be decoded, and the next COMPOUND is served", async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    const random = new SeededRandom(7 + minor);
    for (let round = 0; round < 400; round++) {
      const compound = client.at("/");
      for (let i = 0; i < 3; i++) {
        const bytes = random.fill(new Uint8Array(4 * random.between(0, 30)));
        // Small words get further than large ones.
        for (let at = 0; at < bytes.length; at++) if (at % 4 < 3 && random.between(0, 9) > 0) bytes[at] = 0;
        compound.raw(NUMBERS[random.between(0, NUMBERS.length - 1)]!, bytes);
      }
      await compound.send();
    }
    expect((await client.at("/").getattr(1).send()).status).toBe("NFS4_OK");
    await world.finish();
  });
});

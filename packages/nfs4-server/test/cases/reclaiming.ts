/** Who may take back what it had after the server has restarted, and who may not any more (RFC 8881 §8.4.2, §8.4.3; RFC 7530 §9.6.2, §9.6.3). */
import { CLAIM_PREVIOUS } from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { Client40 } from "../harness/client40.ts";
import { Client41 } from "../harness/client41.ts";
import { FailingStorage } from "../harness/failing-storage.ts";
import type { Mount } from "../harness/mount.ts";
import { World } from "../harness/world.ts";

const LEASE = 30;
const GRACE = 40;

async function begin(minor: number, storage = new FailingStorage()) {
  const world = await World.create({ leaseSeconds: LEASE, graceSeconds: GRACE, storage });
  const holder = await world.mount(minor, "holder");
  const handle = await holder.writeFile("/f", "content");
  const file = await holder.open("/f");
  expect((await holder.lock(file)).status).toBe("NFS4_OK");
  return { world, handle };
}

/** The client comes back after a restart, with something to reclaim. */
async function returning(world: World, minor: number, name: string): Promise<Client40 | Client41> {
  const wire = await world.wire();
  const client = minor === 0 ? new Client40(wire, name) : new Client41(wire, name);
  if (client instanceof Client41) await client.introduce({ reclaimComplete: false });
  else await client.introduce();
  return client;
}

async function reclaim(client: Mount, handle: Uint8Array): Promise<string> {
  const compound = client.compound().putfh(handle);
  const options = { owner: "owner", claim: { claim: CLAIM_PREVIOUS, delegate_type: 0 } } as const;
  const reply = await client.addOpen(compound, "", options).send();
  if (client instanceof Client40) client.advance("owner", reply);
  return reply.status;
}

/** Somebody else has it for a while. */
async function conflict(world: World, minor: number): Promise<void> {
  const other = await world.mount(minor, "other");
  const file = await other.open("/f", { deny: 3 });
  expect((await other.lock(file)).status).toBe("NFS4_OK");
  expect((await other.unlock(file)).status).toBe("NFS4_OK");
  (await other.close(file)).ok();
}

describe.each([0, 1])("after a restart a client of 4.%i", (minor) => {
  it("takes back what it had while grace runs, and nobody else gets anything", async () => {
    const { world, handle } = await begin(minor);
    await world.restart();
    expect(world.server.inGrace).toBe(true);
    const other = await world.mount(minor, "other");
    expect((await other.tryOpen("/f")).status).toBe("NFS4ERR_GRACE");
    expect(await reclaim(other, handle)).toBe("NFS4ERR_NO_GRACE");
    const holder = await returning(world, minor, "holder");
    expect(await reclaim(holder, handle)).toBe("NFS4_OK");
    await world.pass(2 * GRACE);
    expect(await reclaim(holder, handle)).toBe("NFS4ERR_NO_GRACE");
    await world.finish();
  });

  it("has lost its right when its lease ran out and somebody else had it: the first edge condition", async () => {
    const { world, handle } = await begin(minor);
    await world.pass(LEASE + 1);
    await conflict(world, minor);
    await world.restart();
    const holder = await returning(world, minor, "holder");
    expect(await reclaim(holder, handle)).toBe("NFS4ERR_NO_GRACE");
    await world.finish();
  });

  it("has lost its right when it missed a grace period: the second edge condition", async () => {
    const { world, handle } = await begin(minor);
    await world.restart();
    await world.pass(GRACE + 1);
    await conflict(world, minor);
    await world.restart();
    const holder = await returning(world, minor, "holder");
    expect(await reclaim(holder, handle)).toBe("NFS4ERR_NO_GRACE");
    await world.finish();
  });
});

/** Grace is over, and the client has taken back something and not said that it is done. */
async function reclaimedInPart(storage?: FailingStorage) {
  const { world, handle } = await begin(1, storage);
  await world.restart();
  const holder = (await returning(world, 1, "holder")) as Client41;
  expect(await reclaim(holder, handle)).toBe("NFS4_OK");
  await world.pass(GRACE + 1);
  expect(world.server.inGrace).toBe(false);
  return { world, handle, holder };
}

describe("RECLAIM_COMPLETE and a second restart (RFC 8881 §8.4.3)", () => {
  it("a client that was not done when grace ended may not reclaim after the next restart", async () => {
    const { world, handle } = await reclaimedInPart();
    const other = await world.client41("other");
    await other.open("/f");
    await world.restart();
    const holder = await returning(world, 1, "holder");
    expect(await reclaim(holder, handle)).toBe("NFS4ERR_NO_GRACE");
    await world.finish();
  });

  it("once it has said that it is done, it may", async () => {
    const { world, handle, holder } = await reclaimedInPart();
    (await holder.reclaimComplete()).ok();
    await world.restart();
    const again = await returning(world, 1, "holder");
    expect(await reclaim(again, handle)).toBe("NFS4_OK");
    await world.finish();
  });
});

describe("a recovery journal that cannot be written", () => {
  it.each([0, 1])(
    "nothing is granted that depends on it: 4.%i is told SERVERFAULT until it can be again",
    async (minor) => {
      const storage = new FailingStorage();
      const world = await World.create({ storage });
      const holder = await world.mount(minor, "holder");
      await holder.writeFile("/f", "content");
      const file = await holder.open("/f");
      const other = await world.mount(minor, "other");
      storage.failing = true;
      expect((await other.tryOpen("/f")).status).toBe("NFS4ERR_SERVERFAULT");
      expect((await holder.lock(file)).status).toBe("NFS4ERR_SERVERFAULT");
      expect(world.server.counters.faults).toBe(2);
      storage.failing = false;
      expect((await holder.lock(file)).status).toBe("NFS4_OK");
      expect((await other.tryOpen("/f")).status).toBe("NFS4_OK");
      await world.stop();
    },
  );

  it("a late RECLAIM_COMPLETE may be said again (RFC 8881 §18.51)", async () => {
    const storage = new FailingStorage();
    const { world, handle, holder } = await reclaimedInPart(storage);
    storage.failing = true;
    expect((await holder.reclaimComplete()).status).toBe("NFS4ERR_SERVERFAULT");
    storage.failing = false;
    (await holder.reclaimComplete()).ok();
    await world.restart();
    expect(await reclaim(await returning(world, 1, "holder"), handle)).toBe("NFS4_OK");
    await world.finish();
  });
});

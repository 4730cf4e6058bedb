/** Leases: expiry, renewal, courtesy (RFC 8881 §8.3, RFC 7530 §9.5). */
import { ANONYMOUS_STATEID } from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { utf8 } from "../harness/bytes.ts";
import type { Client40 } from "../harness/client40.ts";
import { Client41 } from "../harness/client41.ts";
import type { Mount } from "../harness/mount.ts";
import { DENY_BOTH, DENY_WRITE, READ, READ_LT } from "../harness/open-options.ts";
import { World } from "../harness/world.ts";

const LEASE = 30;

async function begin(minor: number) {
  const world = await World.create({ leaseSeconds: LEASE, courtesySeconds: 600 });
  const client = await world.mount(minor, "absent");
  const handle = await client.writeFile("/f", "content");
  return { world, client, handle };
}

const record = (world: World) => [...world.server.clients][0];

/** Its connection is lost and nothing more is heard of it. */
async function absentFor(world: World, client: Mount, seconds: number): Promise<void> {
  client.wire.abort();
  await world.pass(seconds);
}

describe.each([0, 1])("a lease of 4.%i", (minor) => {
  it("that ran out takes a client along that holds nothing", async () => {
    const { world, client } = await begin(minor);
    await absentFor(world, client, LEASE - 1);
    expect(record(world)).toBeDefined();
    await world.pass(2);
    expect(record(world)).toBeUndefined();
    client.wire = await world.wire();
    if (minor === 0) {
      const renew = await client.compound().op("RENEW", { clientid: client.clientid }).send();
      expect(renew.status).toBe("NFS4ERR_EXPIRED");
      expect((await client.tryOpen("/f")).status).toBe("NFS4ERR_EXPIRED");
    } else {
      expect((await client.compound().send()).status).toBe("NFS4ERR_BADSESSION");
    }
    await world.finish();
  });

  it("that ran out leaves opens and locks alone while nobody wants them (courtesy), and the client goes on", async () => {
    const { world, client } = await begin(minor);
    const file = await client.open("/f", { deny: DENY_WRITE });
    await client.lock(file);
    await absentFor(world, client, 5 * LEASE);
    expect(record(world)?.expired).toBe(true);
    client.wire = await world.wire();
    expect((await client.compound().putfh(file.handle).read(file.stateid, 0, 4).send()).status).toBe("NFS4_OK");
    expect(record(world)?.expired).toBe(false);
    expect((await client.unlock(file)).status).toBe("NFS4_OK");
    expect((await client.close(file)).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("courtesy ends when another OPEN conflicts, and everything of the client goes", async () => {
    const { world, client } = await begin(minor);
    const file = await client.open("/f", { deny: DENY_BOTH });
    const other = await world.mount(minor, "other");
    expect((await other.tryOpen("/f")).status).toBe("NFS4ERR_SHARE_DENIED");
    await absentFor(world, client, LEASE + 1);
    const again = await world.mount(minor, "third");
    expect((await again.tryOpen("/f", { deny: DENY_BOTH })).status).toBe("NFS4_OK");
    client.wire = await world.wire();
    const read = await client.compound().putfh(file.handle).read(file.stateid, 0, 4).send();
    expect(read.status).toBe(minor === 0 ? "NFS4ERR_EXPIRED" : "NFS4ERR_BADSESSION");
    await world.finish();
  });

  it("courtesy ends when another LOCK conflicts; LOCKT counts on it and takes nothing away", async () => {
    const { world, client } = await begin(minor);
    const file = await client.open("/f");
    await client.lock(file);
    await absentFor(world, client, LEASE + 1);
    const other = await world.mount(minor, "other");
    const theirs = await other.open("/f");
    expect(record(world)?.expired).toBe(true);
    expect(await other.testLock(theirs)).toBe("NFS4_OK");
    expect(record(world)?.expired).toBe(true);
    expect((await other.lock(theirs)).status).toBe("NFS4_OK");
    expect([...world.server.clients].length).toBe(1);
    await world.finish();
  });

  it("LOCKT and LOCK look behind an expired holder for one that is there", async () => {
    const { world, client } = await begin(minor);
    const file = await client.open("/f");
    await client.lock(file, { type: READ_LT });
    const present = await world.mount(minor, "present");
    const theirs = await present.open("/f");
    await present.lock(theirs, { type: READ_LT });
    client.wire.abort();
    for (let i = 0; i < 3; i++) {
      await world.pass(LEASE / 2);
      await present.compound().putfh(file.handle).read(theirs.stateid, 0, 1).send();
    }
    expect(record(world)?.expired).toBe(true);
    const third = await world.mount(minor, "third");
    const wanted = await third.open("/f");
    expect(await third.testLock(wanted)).toBe("NFS4ERR_DENIED");
    expect((await third.lock(wanted)).status).toBe("NFS4ERR_DENIED");
    expect([...world.server.clients].length).toBe(2);
    await world.finish();
  });

  it("courtesy ends for READ without an open, too", async () => {
    const { world, client, handle } = await begin(minor);
    await client.open("/f", { deny: DENY_BOTH });
    await absentFor(world, client, LEASE + 1);
    const other = await world.mount(minor, "other");
    expect((await other.compound().putfh(handle).read(ANONYMOUS_STATEID, 0, 4).send()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("courtesy ends of itself some day", async () => {
    const { world, client } = await begin(minor);
    await client.open("/f", { deny: DENY_BOTH });
    await absentFor(world, client, LEASE + 599);
    expect(record(world)).toBeDefined();
    await world.pass(2);
    expect(record(world)).toBeUndefined();
    expect(world.services.states.stateCount).toBe(0);
    await world.finish();
  });

  it("clients whose lease runs are not put out by a conflict: SHARE_DENIED", async () => {
    const { world, client } = await begin(minor);
    await client.open("/f", { deny: DENY_BOTH });
    await world.pass(LEASE - 5);
    const other = await world.mount(minor, "other");
    expect((await other.tryOpen("/f")).status).toBe("NFS4ERR_SHARE_DENIED");
    await world.finish();
  });
});

describe("renewal", () => {
  it("SEQUENCE renews: a 4.1 client that only says SEQUENCE lives on", async () => {
    const { world, client } = await begin(1);
    for (let i = 0; i < 5; i++) {
      await world.pass(LEASE - 5);
      (await client.compound().send()).ok();
    }
    expect(record(world)?.expired).toBe(false);
    await world.finish();
  });

  it.each<[string, (client: Client40) => Promise<unknown>]>([
    ["RENEW", (client) => client.compound().op("RENEW", { clientid: client.clientid }).send()],
    ["OPEN", (client) => client.open("/f", { access: READ, owner: "x" })],
    ["READ", async (client) => readOf(client)],
    ["LOCKT", async (client) => client.testLock((await opened(client)) as never, { owner: "t" })],
    [
      "RELEASE_LOCKOWNER",
      (client) =>
        client
          .compound()
          .op("RELEASE_LOCKOWNER", { lock_owner: { clientid: client.clientid, owner: utf8("x") } })
          .send(),
    ],
  ])("%s renews the lease of a 4.0 client", async (_name, act) => {
    const { world, client } = await begin(0);
    const c40 = client as Client40;
    kept.set(c40, await c40.open("/f"));
    for (let i = 0; i < 3; i++) {
      await world.pass(LEASE - 5);
      await act(c40);
    }
    expect(record(world)?.expired).toBe(false);
    await world.finish();
  });

  it("PUTROOTFH or GETATTR do not renew it", async () => {
    const { world, client } = await begin(0);
    await client.open("/f");
    await world.pass(LEASE - 5);
    (await client.compound().putroot().getattr(1).send()).ok();
    await world.pass(10);
    expect(record(world)?.expired).toBe(true);
    await world.finish();
  });
});

const kept = new WeakMap<Client40, Awaited<ReturnType<Client40["open"]>>>();

async function opened(client: Client40) {
  return kept.get(client);
}

async function readOf(client: Client40) {
  const file = kept.get(client);
  if (!file) throw new Error("nothing is open");
  return (await client.compound().putfh(file.handle).read(file.stateid, 0, 1).send()).ok();
}

describe("room for clients", () => {
  it("is not taken by names: of those that say no more, the first are forgotten", async () => {
    const world = await World.create({ leaseSeconds: LEASE, limits: { maxUnconfirmedClients: 20 } });
    const here = await world.client41("here");
    const first = new Client41(await world.wire(), "first");
    (await first.exchangeId()).ok();
    for (let i = 0; i < 50; i++) (await new Client41(first.wire, `name ${i}`).exchangeId()).ok();
    expect([...world.server.clients]).toHaveLength(11);
    expect((await here.compound().send()).status).toBe("NFS4_OK");
    expect((await first.createSession()).status).toBe("NFS4ERR_STALE_CLIENTID");
    await world.finish();
  });

  it("is made by those that have been gone for longest, not by those that are there", async () => {
    const world = await World.create({ leaseSeconds: LEASE, limits: { maxClients: 2 } });
    const gone = await world.client41("gone");
    await gone.writeFile("/f", "x");
    await gone.open("/f");
    gone.wire.abort();
    await world.pass(LEASE + 1);
    const here = await world.client41("here");
    await here.open("/f");
    const next = await world.client41("next");
    expect((await next.compound().send()).status).toBe("NFS4_OK");
    expect((await here.compound().send()).status).toBe("NFS4_OK");
    await expect(world.client41("too many")).rejects.toThrow("NFS4ERR_DELAY");
    await expect(world.client40("too many")).rejects.toThrow("NFS4ERR_RESOURCE");
    await world.finish();
  });
});

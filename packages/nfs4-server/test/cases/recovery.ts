/** Restarts: grace, reclaims and who may make them (RFC 8881 §8.4.2, RFC 7530 §9.6). */
import { ANONYMOUS_STATEID, CLAIM_PREVIOUS, OPEN_DELEGATE_NONE } from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../../src/storage/memory-storage.ts";
import { Client40, OPEN_RESULT_CONFIRM } from "../harness/client40.ts";
import type { Client41 } from "../harness/client41.ts";
import { BOTH, DENY_BOTH, DENY_WRITE, type Opened, type OpenOptions, READ, WRITE } from "../harness/open-options.ts";
import type { Reply } from "../harness/reply.ts";
import { World } from "../harness/world.ts";

const LEASE = 30;

type Client = Client40 | Client41;

/** The client finds the server again and introduces itself anew, as the same incarnation. */
async function comeBack(world: World, client: Client): Promise<void> {
  client.wire = await world.wire();
  if (client instanceof Client40) await client.introduce();
  else await client.introduce({ reclaimComplete: false });
}

async function reclaimOpen(client: Client, file: Opened, options: OpenOptions = {}): Promise<Reply> {
  const claim = { claim: CLAIM_PREVIOUS, delegate_type: OPEN_DELEGATE_NONE } as const;
  const compound = client.compound().putfh(file.handle);
  const reply = await client.addOpen(compound, "", { owner: file.owner, ...options, claim }).send();
  if (client instanceof Client40) client.advance(file.owner, reply);
  if (reply.status === "NFS4_OK") file.stateid = reply.get("OPEN").stateid;
  return reply;
}

/** Says that it takes back nothing more, where there is a way to say it. */
async function reclaimed(client: Client): Promise<void> {
  if (!(client instanceof Client40)) (await client.reclaimComplete()).ok();
}

async function begin(minor: number, storage = new MemoryStorage()) {
  const world = await World.create({ leaseSeconds: LEASE, courtesySeconds: 600, storage });
  const client = await world.mount(minor);
  await client.writeFile("/f", "content");
  return { world, client };
}

/** A client with an open and a lock on /f, and a restart. */
async function restarted(minor: number, options: OpenOptions = {}) {
  const { world, client } = await begin(minor);
  const file = await client.open("/f", options);
  await client.lock(file);
  await world.restart();
  return { world, client, file };
}

describe.each([0, 1, 2])("grace in 4.%i", (minor) => {
  it("is none at the first start, and none where nobody had anything", async () => {
    const { world, client } = await begin(minor);
    expect(world.server.inGrace).toBe(false);
    const idle = await world.mount(minor, "idle");
    expect(idle.clientid).not.toEqual(client.clientid);
    await world.finish();
    await world.start();
    // The first client has opened a file; what it had was closed, but it is on record until the server knows that it is gone.
    expect(world.server.inGrace).toBe(true);
    await world.pass(LEASE + 1);
    await world.restart();
    expect(world.server.inGrace).toBe(false);
    await world.finish();
  });

  it("holds off OPEN, LOCK, LOCKT, and READ, WRITE and SETATTR of the size without an open: GRACE; names and attributes go on", async () => {
    const { world, client, file } = await restarted(minor);
    await comeBack(world, client);
    expect((await client.tryOpen("/f")).status).toBe("NFS4ERR_GRACE");
    const at = () => client.compound().putfh(file.handle);
    expect((await at().read(ANONYMOUS_STATEID, 0, 1).send()).status).toBe("NFS4ERR_GRACE");
    expect((await at().write(ANONYMOUS_STATEID, 0, "x").send()).status).toBe("NFS4ERR_GRACE");
    expect((await at().setattr({ size: 0n }).send()).status).toBe("NFS4ERR_GRACE");
    expect(await client.testLock(file)).toBe("NFS4ERR_GRACE");
    expect((await at().setattr({ mode: 0o600 }).getattr(1).send()).status).toBe("NFS4_OK");
    expect((await client.compound().putroot().mkdir("d").send()).status).toBe("NFS4_OK");
    (await reclaimOpen(client, file)).ok();
    client.locks.clear();
    expect((await client.lock(file)).status).toBe("NFS4ERR_GRACE");
    expect((await at().read(file.stateid, 0, 7).send()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("gives OPEN and LOCK back to who had them; nobody else gets in between", async () => {
    const { world, client, file } = await restarted(minor, { deny: DENY_WRITE });
    await comeBack(world, client);
    const open = await reclaimOpen(client, file, { deny: DENY_WRITE });
    // A reclaim can be no stray retransmission (RFC 7530 §9.1.11).
    expect(open.ok().get("OPEN").rflags & OPEN_RESULT_CONFIRM).toBe(0);
    client.locks.clear();
    expect((await client.lock(file, { reclaim: true })).status).toBe("NFS4_OK");
    await reclaimed(client);
    for (let i = 0; i < 4; i++) {
      await world.pass(10);
      (await client.compound().putfh(file.handle).read(file.stateid, 0, 1).send()).ok();
    }
    expect(world.server.inGrace).toBe(false);
    const other = await world.mount(minor, "other");
    expect((await other.tryOpen("/f", { access: WRITE })).status).toBe("NFS4ERR_SHARE_DENIED");
    expect((await client.unlock(file)).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("is not for those who had nothing: NO_GRACE for a reclaim, GRACE for the rest", async () => {
    const { world, file } = await restarted(minor);
    const other = await world.mount(minor, "other");
    expect((await reclaimOpen(other, file)).status).toBe("NFS4ERR_NO_GRACE");
    expect((await other.tryOpen("/f")).status).toBe("NFS4ERR_GRACE");
    await world.finish();
  });

  it("ends after the lease; then a reclaim is too late: NO_GRACE", async () => {
    const { world, client, file } = await restarted(minor);
    await world.pass(LEASE - 1);
    expect(world.server.inGrace).toBe(true);
    await world.pass(2);
    expect(world.server.inGrace).toBe(false);
    await comeBack(world, client);
    expect((await reclaimOpen(client, file)).status).toBe("NFS4ERR_NO_GRACE");
    await reclaimed(client);
    expect((await client.tryOpen("/f")).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("goes on while reclaims come, up to twice its length, and not more than five seconds after the last", async () => {
    const { world, client, file } = await restarted(minor);
    await comeBack(world, client);
    for (let second = 2; second < 2 * LEASE; second += 2) {
      await world.pass(2);
      expect((await reclaimOpen(client, file)).status, `after ${second} s`).toBe("NFS4_OK");
    }
    await world.pass(2);
    expect(world.server.inGrace).toBe(false);
    await reclaimed(client);

    await world.restart();
    await comeBack(world, client);
    await world.pass(LEASE - 1);
    (await reclaimOpen(client, file)).ok();
    await world.pass(4);
    expect(world.server.inGrace).toBe(true);
    await world.pass(2);
    expect(world.server.inGrace).toBe(false);
    await world.finish();
  });

  it("survives a second restart: who had something may still reclaim", async () => {
    const { world, client, file } = await restarted(minor);
    await world.restart();
    expect(world.server.inGrace).toBe(true);
    await comeBack(world, client);
    expect((await reclaimOpen(client, file)).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("is over for who did not come back: after the next restart it is NO_GRACE (RFC 8881 §8.4.3)", async () => {
    const { world, client, file } = await restarted(minor);
    const other = await world.mount(minor, "other");
    await world.pass(LEASE + 1);
    other.wire = await world.wire();
    await comeBack(world, other);
    await reclaimed(other);
    await other.open("/f");
    await world.restart();
    expect(world.server.inGrace).toBe(true);
    await comeBack(world, client);
    expect((await reclaimOpen(client, file)).status).toBe("NFS4ERR_NO_GRACE");
    await world.finish();
  });

  it("is not for who lost its state to somebody while it was away (RFC 8881 §8.4.3)", async () => {
    const { world, client } = await begin(minor);
    const file = await client.open("/f", { deny: DENY_BOTH });
    client.wire.abort();
    await world.pass(2 * LEASE);
    const other = await world.mount(minor, "other");
    await other.open("/f");
    await world.restart();
    await comeBack(world, client);
    expect((await reclaimOpen(client, file, { deny: DENY_BOTH })).status).toBe("NFS4ERR_NO_GRACE");
    await world.finish();
  });

  it("a reclaim that cannot have been so: RECLAIM_CONFLICT, for opens and for locks", async () => {
    const { world, client } = await begin(minor);
    const other = await world.mount(minor, "other");
    const file = await client.open("/f");
    const others = await other.open("/f");
    await world.restart();
    await comeBack(world, client);
    await comeBack(world, other);
    (await reclaimOpen(client, file)).ok();
    expect((await reclaimOpen(other, others, { deny: DENY_BOTH })).status).toBe("NFS4ERR_RECLAIM_CONFLICT");
    (await reclaimOpen(other, others)).ok();
    expect((await client.lock(file, { reclaim: true })).status).toBe("NFS4_OK");
    expect((await other.lock(others, { reclaim: true })).status).toBe("NFS4ERR_RECLAIM_CONFLICT");
    await world.finish();
  });

  it("a reclaim of a delegation, which nobody ever had: RECLAIM_BAD", async () => {
    const { world, client, file } = await restarted(minor);
    await comeBack(world, client);
    const claim = { claim: CLAIM_PREVIOUS, delegate_type: 1 } as const;
    const compound = client.compound().putfh(file.handle);
    expect((await client.addOpen(compound, "", { access: READ, claim }).send()).status).toBe("NFS4ERR_RECLAIM_BAD");
    await world.finish();
  });

  it("what the journal cannot keep is not granted: SERVERFAULT; when it can again, it is", async () => {
    const storage = new MemoryStorage();
    const { world, client } = await begin(minor, storage);
    const other = await world.mount(minor, "other");
    const append = storage.append.bind(storage);
    const replace = storage.replace.bind(storage);
    const fail = () => Promise.reject(Object.assign(new Error("the disk is broken"), { code: "EIO" }));
    storage.append = fail;
    storage.replace = fail;
    expect((await other.tryOpen("/f", { access: BOTH })).status).toBe("NFS4ERR_SERVERFAULT");
    expect(world.services.states.stateCount).toBe(0);
    storage.append = append;
    storage.replace = replace;
    const file = await other.open("/f");
    await world.restart();
    await comeBack(world, other);
    expect((await reclaimOpen(other, file)).status).toBe("NFS4_OK");
    expect(client.clientid).not.toEqual(other.clientid);
    await world.finish();
  });
});

describe("grace since 4.1", () => {
  it("ends when all who had something have said RECLAIM_COMPLETE", async () => {
    const { world, client, file } = await restarted(1);
    const other = await world.client41("other");
    expect(world.server.inGrace).toBe(true);
    await comeBack(world, client);
    (await reclaimOpen(client, file)).ok();
    await reclaimed(client);
    expect(world.server.inGrace).toBe(false);
    expect((await other.tryOpen("/f")).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("is over for a client that has said RECLAIM_COMPLETE: NO_GRACE for its reclaims, GRACE for the rest", async () => {
    const { world, client } = await begin(1);
    const file = await client.open("/f");
    const other = await world.client41("other");
    await other.open("/f");
    await world.restart();
    await comeBack(world, client);
    await reclaimed(client);
    expect(world.server.inGrace).toBe(true);
    expect((await reclaimOpen(client, file)).status).toBe("NFS4ERR_NO_GRACE");
    expect((await client.tryOpen("/f")).status).toBe("NFS4ERR_GRACE");
    await world.finish();
  });

  it("a session of the earlier life is BADSESSION, a client id of it STALE_CLIENTID", async () => {
    const { world, client } = await restarted(1);
    client.wire = await world.wire();
    expect((await client.compound().send()).status).toBe("NFS4ERR_BADSESSION");
    expect((await (client as Client41).createSession()).status).toBe("NFS4ERR_STALE_CLIENTID");
    await world.finish();
  });
});

describe("grace in 4.0", () => {
  it("a client id of the earlier life is STALE_CLIENTID for whoever takes one", async () => {
    const { world, client, file } = await restarted(0);
    client.wire = await world.wire();
    const { clientid } = client;
    const lock_owner = { clientid, owner: new Uint8Array(4) };
    const stale = [
      client.compound().op("RENEW", { clientid }),
      client.compound().op("DELEGPURGE", { clientid }),
      client.compound().op("RELEASE_LOCKOWNER", { lock_owner }),
      client.compound().putfh(file.handle).op("LOCKT", { locktype: 2, offset: 0n, length: 1n, owner: lock_owner }),
      (client as Client40).addOpen(client.compound().putroot(), "f", {}),
    ];
    for (const compound of stale) expect((await compound.send()).status).toBe("NFS4ERR_STALE_CLIENTID");
    await world.finish();
  });
});

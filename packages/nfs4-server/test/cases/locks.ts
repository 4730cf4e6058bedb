/** Byte-range locks: LOCK, LOCKT, LOCKU, waiting (RFC 8881 §9, §18.10–§18.12; RFC 7530 §16.10–§16.12). */
import { describe, expect, it } from "vitest";
import { utf8 } from "../harness/bytes.ts";
import { CallbackReceiver } from "../harness/callbacks.ts";
import { Client41 } from "../harness/client41.ts";
import type { Mount } from "../harness/mount.ts";
import {
  type LockOptions,
  type Opened,
  READ,
  READ_LT,
  READW_LT,
  TO_END,
  WRITE,
  WRITE_LT,
  WRITEW_LT,
} from "../harness/open-options.ts";
import { World } from "../harness/world.ts";

const at = (offset: number, length: number, rest: LockOptions = {}): LockOptions => ({
  offset: BigInt(offset),
  length: BigInt(length),
  ...rest,
});

/** Which of the bytes 0 … n−1 a stranger could lock for reading and for writing: "." free, "r" read-locked, "w" write-locked. */
async function mapOf(client: Mount, file: Opened, n: number): Promise<string> {
  let map = "";
  for (let i = 0; i < n; i++) {
    const writable = (await client.testLock(file, at(i, 1, { owner: "stranger" }))) === "NFS4_OK";
    const readable = (await client.testLock(file, at(i, 1, { owner: "stranger", type: READ_LT }))) === "NFS4_OK";
    map += writable ? "." : readable ? "r" : "w";
  }
  return map;
}

describe.each([0, 1])("LOCK in 4.%i", (minor) => {
  const begin = async () => {
    const world = await World.create();
    const client = await world.mount(minor, "a");
    await client.writeFile("/f", "content");
    const file = await client.open("/f");
    return { world, client, file };
  };

  it("excludes others from what is locked, shared with shared; LOCKT tells who holds what", async () => {
    const { world, client, file } = await begin();
    expect((await client.lock(file, at(2, 3, { type: READ_LT }))).status).toBe("NFS4_OK");
    expect((await client.lock(file, at(6, 2, { type: WRITE_LT }))).status).toBe("NFS4_OK");
    expect(await mapOf(client, file, 10)).toBe("..rrr.ww..");
    const other = await world.mount(minor, "b");
    const theirs = await other.open("/f");
    expect((await other.lock(theirs, at(0, 5, { type: READ_LT }))).status).toBe("NFS4_OK");
    expect(await other.lock(theirs, at(0, 7, { type: READ_LT }))).toEqual({
      status: "NFS4ERR_DENIED",
      denied: expect.objectContaining({ offset: 6n, length: 2n, locktype: WRITE_LT, owner: "locker" }),
    });
    const reply = await other
      .compound()
      .putfh(file.handle)
      .op("LOCKT", {
        locktype: WRITE_LT,
        offset: 3n,
        length: 1n,
        owner: { clientid: other.clientid, owner: utf8("x") },
      })
      .send();
    expect(reply.result("LOCKT")).toMatchObject({ denied: { offset: 0n, length: 5n, locktype: READ_LT } });
    await world.finish();
  });

  it("of the own owner never conflicts: upgrade, downgrade, split and merge (RFC 8881 §9.3)", async () => {
    const { world, client, file } = await begin();
    await client.lock(file, at(0, 10, { type: WRITE_LT }));
    await client.lock(file, at(3, 4, { type: READ_LT }));
    expect(await mapOf(client, file, 10)).toBe("wwwrrrrwww");
    (await client.unlock(file, at(4, 2))).ok();
    expect(await mapOf(client, file, 10)).toBe("wwwr..rwww");
    await client.lock(file, at(0, 10, { type: WRITE_LT }));
    expect(await mapOf(client, file, 10)).toBe("wwwwwwwwww");
    (await client.unlock(file, at(0, 20))).ok();
    expect(await mapOf(client, file, 10)).toBe("..........");
    expect(await client.testLock(file, { owner: "locker" })).toBe("NFS4_OK");
    await world.finish();
  });

  it("an upgrade that others stand in the way of is DENIED, and the old lock stays", async () => {
    const { world, client, file } = await begin();
    await client.lock(file, at(0, 5, { type: READ_LT, owner: "a" }));
    await client.lock(file, at(0, 5, { type: READ_LT, owner: "b" }));
    expect((await client.lock(file, at(0, 5, { type: WRITE_LT, owner: "a" }))).status).toBe("NFS4ERR_DENIED");
    expect(await mapOf(client, file, 6)).toBe("rrrrr.");
    await world.finish();
  });

  it("is exact to the last byte of 64 bits: all ones are to the end, 0 and what passes the end are INVAL", async () => {
    const { world, client, file } = await begin();
    const end = 2n ** 64n;
    for (const [offset, length] of [
      [0n, 0n],
      [5n, TO_END - 3n],
      [end - 1n, 2n],
    ] as const)
      expect([offset, (await client.lock(file, { offset, length })).status]).toEqual([offset, "NFS4ERR_INVAL"]);
    expect((await client.lock(file, { offset: end - 2n, length: 1n })).status).toBe("NFS4_OK");
    expect((await client.lock(file, { offset: end - 1n, length: 1n, owner: "z" })).status).toBe("NFS4_OK");
    expect(await client.testLock(file, { offset: end - 3n, length: 1n, owner: "x" })).toBe("NFS4_OK");
    expect(await client.testLock(file, { offset: 100n, length: TO_END, owner: "x" })).toBe("NFS4ERR_DENIED");
    expect(await client.testLock(file, { offset: 0n, length: 0n })).toBe("NFS4ERR_INVAL");
    await world.finish();
  });

  it("needs an OPEN with that access: OPENMODE", async () => {
    const { world, client } = await begin();
    const reader = await client.open("/f", { access: READ, owner: "r" });
    const writer = await client.open("/f", { access: WRITE, owner: "w" });
    expect((await client.lock(reader, at(0, 1, { type: WRITE_LT }))).status).toBe("NFS4ERR_OPENMODE");
    expect((await client.lock(reader, at(0, 1, { type: READ_LT }))).status).toBe("NFS4_OK");
    expect((await client.lock(writer, at(5, 1, { type: READ_LT, owner: "l2" }))).status).toBe("NFS4ERR_OPENMODE");
    expect((await client.lock(writer, at(5, 1, { type: WRITE_LT, owner: "l2" }))).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("moves its stateid's seqid on with each LOCK and LOCKU", async () => {
    const { world, client, file } = await begin();
    const first = await client.lock(file, at(0, 1));
    const second = await client.lock(file, at(1, 1));
    const unlock = (await client.unlock(file, at(0, 1))).result("LOCKU") as { lock_stateid: { seqid: number } };
    expect([first.stateid?.seqid, second.stateid?.seqid, unlock.lock_stateid.seqid]).toEqual([1, 2, 3]);
    await world.finish();
  });

  it("LOCKT on what is no file: ISDIR; LOCKT makes no state", async () => {
    const { world, client, file } = await begin();
    const before = [...world.server.clients][0]?.lockOwners.size;
    const directory = (await client.compound().putroot().getfh().send()).ok().get("GETFH").object;
    expect(await client.testLock({ ...file, handle: directory })).toBe("NFS4ERR_ISDIR");
    expect(await client.testLock(file, { owner: "nobody" })).toBe("NFS4_OK");
    expect([...world.server.clients][0]?.lockOwners.size).toBe(before);
    await world.finish();
  });

  it("LOCKU of what is not locked is no error; of a wrong stateid it is", async () => {
    const { world, client, file } = await begin();
    await client.lock(file, at(0, 1));
    expect((await client.unlock(file, at(50, 10))).status).toBe("NFS4_OK");
    client.locks.set(client.lockKey(file), file.stateid);
    expect((await client.unlock(file, at(0, 1))).status).toBe("NFS4ERR_BAD_STATEID");
    await world.finish();
  });

  it("with a reclaim outside of grace: NO_GRACE", async () => {
    const { world, client, file } = await begin();
    expect((await client.lock(file, at(0, 1, { reclaim: true }))).status).toBe("NFS4ERR_NO_GRACE");
    await world.finish();
  });

  it("is bounded in ranges of one file", async () => {
    const world = await World.create({ limits: { maxLocksPerFile: 5 } });
    const client = await world.mount(minor);
    await client.writeFile("/f", "x");
    const file = await client.open("/f");
    for (let i = 0; i < 5; i++) expect((await client.lock(file, at(2 * i, 1))).status).toBe("NFS4_OK");
    expect((await client.lock(file, at(20, 1))).status).toBe(minor === 0 ? "NFS4ERR_RESOURCE" : "NFS4ERR_DELAY");
    await world.finish();
  });
});

describe("waiting for a lock (READW_LT, WRITEW_LT; RFC 8881 §9.6)", () => {
  it("never blocks the server: DENIED at once", async () => {
    const world = await World.create();
    const [a, b] = [await world.client41("a"), await world.client41("b")];
    await a.writeFile("/f", "x");
    const [ours, theirs] = [await a.open("/f"), await b.open("/f")];
    await a.lock(ours);
    expect((await b.lock(theirs, { type: WRITEW_LT })).status).toBe("NFS4ERR_DENIED");
    expect((await b.lock(theirs, { type: READW_LT })).status).toBe("NFS4ERR_DENIED");
    await world.finish();
  });

  it("is fair: who was told that it is its turn finds the lock free for a moment, other waiters do not", async () => {
    const world = await World.create();
    const told: string[] = [];
    const waiter = async (name: string) => {
      const receiver = new CallbackReceiver();
      const client = new Client41(await world.wire("10.0.0.2", [receiver.program]), name);
      await client.introduce({ session: { csa_flags: 2 } });
      await client.compound().send();
      await world.pass(0.1);
      receiver.received.length = 0;
      return { client, receiver, file: await client.open("/f"), name };
    };
    const holder = await world.client41("holder");
    await holder.writeFile("/f", "x");
    const held = await holder.open("/f");
    const [first, second] = [await waiter("first"), await waiter("second")];
    await holder.lock(held);
    expect((await first.client.lock(first.file, { type: WRITEW_LT })).status).toBe("NFS4ERR_DENIED");
    expect((await second.client.lock(second.file, { type: WRITEW_LT })).status).toBe("NFS4ERR_DENIED");
    (await holder.unlock(held)).ok();
    await world.pass(0.1);
    for (const { name, receiver } of [first, second])
      for (const callback of receiver.names) told.push(`${name} ${callback}`);
    expect(told).toEqual(["first CB_NOTIFY_LOCK"]);
    expect((await second.client.lock(second.file, { type: WRITEW_LT })).status).toBe("NFS4ERR_DENIED");
    expect((await first.client.lock(first.file, { type: WRITEW_LT })).status).toBe("NFS4_OK");
    expect((await second.client.lock(second.file, { type: WRITEW_LT })).status).toBe("NFS4ERR_DENIED");
    (await first.client.unlock(first.file)).ok();
    await world.pass(0.1);
    expect(second.receiver.names).toEqual(["CB_NOTIFY_LOCK"]);
    expect((await second.client.lock(second.file, { type: WRITEW_LT })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("ends: a waiter that does not come back in time loses its turn", async () => {
    const world = await World.create();
    const [a, b, c] = [await world.client41("a"), await world.client41("b"), await world.client41("c")];
    await a.writeFile("/f", "x");
    const [fa, fb, fc] = [await a.open("/f"), await b.open("/f"), await c.open("/f")];
    await a.lock(fa);
    await b.lock(fb, { type: WRITEW_LT });
    (await a.unlock(fa)).ok();
    await world.pass(61);
    expect((await c.lock(fc, { type: WRITEW_LT })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("a lock that nobody waits in vain for is given to who does not wait, too", async () => {
    const world = await World.create();
    const [a, b] = [await world.client41("a"), await world.client41("b")];
    await a.writeFile("/f", "x");
    const [fa, fb] = [await a.open("/f"), await b.open("/f")];
    await a.lock(fa);
    await b.lock(fb, { type: WRITEW_LT });
    (await a.unlock(fa)).ok();
    expect((await a.lock(fa, { type: WRITE_LT, owner: "other" })).status).toBe("NFS4_OK");
    await world.finish();
  });
});

/** Open-owners and lock-owners of 4.0 and their sequences: replays, BAD_SEQID, confirmation (RFC 7530 §9.1.7–§9.1.11). */
import { CLAIM_NULL } from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { hex, utf8 } from "../harness/bytes.ts";
import type { Client40 } from "../harness/client40.ts";
import { OPEN_RESULT_CONFIRM } from "../harness/client40.ts";
import { lockArgs, openArgs } from "../harness/open-options.ts";
import type { Reply } from "../harness/reply.ts";
import { World } from "../harness/world.ts";

/** The same operations in another call: another xid, so that only the owner's sequence can tell that it is a retry. */
async function repeat(client: Client40, reply: Reply): Promise<Reply> {
  const { Reply: Decoded } = await import("../harness/reply.ts");
  const xid = client.wire.world.takeXid();
  return new Decoded(
    await client.wire.world.run(client.wire.start(reply.request, { xid, user: client.user })),
    reply.request,
    xid,
  );
}

async function withFile(): Promise<{ world: World; client: Client40 }> {
  const world = await World.create();
  const client = await world.client40();
  await client.writeFile("/f", "content");
  return { world, client };
}

describe("OPEN in its owner's sequence", () => {
  it("asks a new owner for OPEN_CONFIRM, and a known one no more (RFC 7530 §16.18.5)", async () => {
    const { world, client } = await withFile();
    const first = await client.tryOpen("/f", { owner: "new" });
    expect(first.get("OPEN").rflags & OPEN_RESULT_CONFIRM).not.toBe(0);
    const { stateid } = first.get("OPEN");
    const opened = { handle: first.get("GETFH").object, owner: "new", stateid, rflags: 0 };
    expect((await client.openConfirm(opened)).status).toBe("NFS4_OK");
    const second = await client.tryOpen("/f", { owner: "new" });
    expect(second.get("OPEN").rflags & OPEN_RESULT_CONFIRM).toBe(0);
    await world.finish();
  });

  it("replayed returns the same bytes and opens nothing more; the rest of the COMPOUND runs on the same file", async () => {
    const { world, client } = await withFile();
    await client.open("/f", { owner: "o" });
    const open = await client.tryOpen("/f", { owner: "o", access: 1 });
    const [before] = [...world.server.clients].map(({ states }) => states.size);
    const again = await repeat(client, open);
    expect(hex(again.bytes)).toBe(hex(open.bytes));
    expect([...world.server.clients].map(({ states }) => states.size)).toEqual([before]);
    await world.finish();
  });

  it("that failed is replayed as failed", async () => {
    const { world, client } = await withFile();
    await client.open("/f", { owner: "o" });
    const failed = await client.tryOpen("/none", { owner: "o" });
    expect(failed.status).toBe("NFS4ERR_NOENT");
    await (await world.client41("other")).writeFile("/none", "x");
    expect(hex((await repeat(client, failed)).bytes)).toBe(hex(failed.bytes));
    await world.finish();
  });

  it("out of order gets BAD_SEQID, and the sequence stays", async () => {
    const { world, client } = await withFile();
    await client.open("/f", { owner: "o" });
    const due = client.seqid("o");
    for (const wrong of [due + 1, due - 2, 0]) {
      client.seqids.set("o", wrong);
      expect((await client.tryOpen("/f", { owner: "o" })).status).toBe("NFS4ERR_BAD_SEQID");
    }
    client.seqids.set("o", due);
    expect((await client.tryOpen("/f", { owner: "o" })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("the last number with another operation is no replay: BAD_SEQID", async () => {
    const { world, client } = await withFile();
    const file = await client.open("/f", { owner: "o" });
    client.seqids.set("o", client.seqid("o") - 1);
    expect((await client.close(file)).status).toBe("NFS4ERR_BAD_SEQID");
    await world.finish();
  });

  it("counts an error on, but for those that RFC 7530 §9.1.7 names", async () => {
    const { world, client } = await withFile();
    await client.open("/f", { owner: "o" });
    const due = client.seqid("o");
    expect((await client.tryOpen("/f", { owner: "o", access: 0 })).status).toBe("NFS4ERR_INVAL");
    expect((await client.tryOpen("/f", { owner: "o", create: "guarded" })).status).toBe("NFS4ERR_EXIST");
    expect(client.seqid("o")).toBe(due + 2);
    const noFilehandle = client.addOpen(client.compound(), "f", { owner: "o" });
    expect((await noFilehandle.send()).status).toBe("NFS4ERR_NOFILEHANDLE");
    expect((await client.tryOpen("/f", { owner: "o" })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("counts what a file system throws, too: the client goes on to the next number", async () => {
    const world = await World.create({ delayed: true });
    const client = await world.client40();
    await client.writeFile("/f", "x");
    world.delays.onCall = (member) => {
      if (member === "open") throw Object.assign(new Error("broken"), { code: "EIO" });
    };
    const failed = await client.tryOpen("/f");
    expect(failed.status).toBe("NFS4ERR_IO");
    world.delays.onCall = () => {};
    expect((await client.retry(failed)).status).toBe("NFS4ERR_IO");
    await client.open("/f");
    await world.finish();
  });

  it("by an owner that never confirmed starts anew: what it had is gone, any number will do", async () => {
    const { world, client } = await withFile();
    const first = await client.tryOpen("/f", { owner: "o", deny: 3 });
    const before = [...world.server.clients][0]?.states.size;
    client.seqids.set("o", 77);
    const second = await client.tryOpen("/f", { owner: "o", deny: 3 });
    expect(second.get("OPEN").rflags & OPEN_RESULT_CONFIRM).not.toBe(0);
    expect([...world.server.clients][0]?.states.size).toBe(before);
    const stale = { handle: first.get("GETFH").object, owner: "o", stateid: first.get("OPEN").stateid, rflags: 0 };
    expect((await client.openConfirm(stale)).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await client.openConfirm({ ...stale, stateid: second.get("OPEN").stateid })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("waits while another request of its owner runs, and then is judged (RFC 7530 §9.1.7)", async () => {
    const world = await World.create({ delayed: true });
    const client = await world.client40();
    await client.open("/f", { create: "unchecked", owner: "o" });
    const open = (number: number) =>
      client
        .compound()
        .putroot()
        .op("OPEN", openArgs("f", { owner: "o" }, client.clientid, number))
        .start();
    for (const ahead of [0, 1]) {
      const seqid = client.seqid("o");
      world.delays.slowest = 10;
      const running = open(seqid);
      await world.clock.runFor(15);
      world.delays.slowest = 1000;
      const [first, second] = await world.run(Promise.all([running, open(seqid + ahead)]));
      expect([first.status, second.status]).toEqual(["NFS4_OK", "NFS4_OK"]);
      if (ahead === 0) expect(hex(second.bytes)).toBe(hex(first.bytes));
      else expect(second.get("OPEN").stateid.seqid).toBe(first.get("OPEN").stateid.seqid + 1);
      client.seqids.set("o", seqid + ahead + 1);
    }
    await world.finish();
  });
});

describe("an owner that has not confirmed (RFC 7530 §9.1.11, §16.18.5)", () => {
  it("cannot READ, WRITE, CLOSE, LOCK or OPEN_DOWNGRADE: BAD_STATEID", async () => {
    const { world, client } = await withFile();
    const reply = await client.tryOpen("/f", { owner: "o" });
    const file = { handle: reply.get("GETFH").object, owner: "o", stateid: reply.get("OPEN").stateid, rflags: 0 };
    const at = () => client.compound().putfh(file.handle);
    expect((await at().read(file.stateid, 0, 1).send()).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await at().write(file.stateid, 0, "x").send()).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await client.close(file)).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await client.lock(file)).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await client.downgrade(file, 1, 0)).status).toBe("NFS4ERR_BAD_STATEID");
    client.seqids.set("lock:locker", 1);
    expect((await client.openConfirm(file)).status).toBe("NFS4_OK");
    expect((await client.close(file)).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("OPEN_CONFIRM comes once: afterwards BAD_STATEID; replayed it returns the same bytes", async () => {
    const { world, client } = await withFile();
    const reply = await client.tryOpen("/f", { owner: "o" });
    const file = { handle: reply.get("GETFH").object, owner: "o", stateid: reply.get("OPEN").stateid, rflags: 0 };
    const confirm = (seqid: number) =>
      client.compound().putfh(file.handle).op("OPEN_CONFIRM", { open_stateid: file.stateid, seqid }).send();
    const first = (await confirm(2)).ok();
    expect(first.get("OPEN_CONFIRM").open_stateid.seqid).toBe(2);
    expect(hex((await confirm(2)).bytes)).toBe(hex(first.bytes));
    file.stateid = first.get("OPEN_CONFIRM").open_stateid;
    expect((await confirm(3)).status).toBe("NFS4ERR_BAD_STATEID");
    await world.finish();
  });
});

describe("replays of other operations with a seqid return the same bytes", () => {
  it("CLOSE, though its stateid is gone", async () => {
    const { world, client } = await withFile();
    const file = await client.open("/f");
    const close = await client.close(file);
    expect(close.status).toBe("NFS4_OK");
    expect(hex((await repeat(client, close)).bytes)).toBe(hex(close.bytes));
    const other = await client.compound().putfh(file.handle).close(file.stateid, client.seqid("owner")).send();
    expect(other.status).toBe("NFS4ERR_BAD_STATEID");
    expect((await client.open("/f")).stateid.seqid).toBe(1);
    await world.finish();
  });

  it("OPEN_DOWNGRADE", async () => {
    const { world, client } = await withFile();
    const file = await client.open("/f", { access: 1 });
    await client.open("/f", { access: 3 });
    file.stateid = { ...file.stateid, seqid: file.stateid.seqid + 1 };
    const downgrade = await client.downgrade(file, 1, 0);
    expect(downgrade.status).toBe("NFS4_OK");
    expect(hex((await repeat(client, downgrade)).bytes)).toBe(hex(downgrade.bytes));
    await world.finish();
  });

  it("LOCK with a new lock-owner, LOCK with a known one, and LOCKU", async () => {
    const { world, client } = await withFile();
    const file = await client.open("/f");
    const send = async (compound: ReturnType<Client40["compound"]>) => (await compound.send()).ok();
    const at = () => client.compound().putfh(file.handle);
    const owner = { clientid: client.clientid, owner: utf8("l") };
    const open_owner = {
      open_seqid: client.seqid("owner"),
      open_stateid: file.stateid,
      lock_seqid: 40,
      lock_owner: owner,
    };
    const first = await send(
      at().op("LOCK", lockArgs({ offset: 0n, length: 10n }, { new_lock_owner: true, open_owner })),
    );
    expect(hex((await repeat(client, first)).bytes)).toBe(hex(first.bytes));
    const lock_stateid = first.get("LOCK").lock_stateid;
    const second = await send(
      at().op(
        "LOCK",
        lockArgs({ offset: 20n, length: 10n }, { new_lock_owner: false, lock_owner: { lock_stateid, lock_seqid: 41 } }),
      ),
    );
    expect(hex((await repeat(client, second)).bytes)).toBe(hex(second.bytes));
    const unlock = await send(
      at().op("LOCKU", {
        locktype: 2,
        seqid: 42,
        lock_stateid: second.get("LOCK").lock_stateid,
        offset: 0n,
        length: 5n,
      }),
    );
    expect(hex((await repeat(client, unlock)).bytes)).toBe(hex(unlock.bytes));
    expect([...world.server.clients][0]?.states.size).toBe(2);
    const { stateid } = file;
    file.stateid = stateid;
    const bad = await at()
      .op("LOCKU", {
        locktype: 2,
        seqid: 50,
        lock_stateid: (unlock.result("LOCKU") as { lock_stateid: typeof lock_stateid }).lock_stateid,
        offset: 0n,
        length: 5n,
      })
      .send();
    expect(bad.status).toBe("NFS4ERR_BAD_SEQID");
    await world.finish();
  });

  it("a LOCK that was denied, too", async () => {
    const { world, client } = await withFile();
    const file = await client.open("/f");
    await client.lock(file, { owner: "first" });
    const compound = client.compound().putfh(file.handle);
    const open_owner = {
      open_seqid: client.seqid("owner"),
      open_stateid: file.stateid,
      lock_seqid: 1,
      lock_owner: { clientid: client.clientid, owner: utf8("second") },
    };
    const denied = await compound.op("LOCK", lockArgs({}, { new_lock_owner: true, open_owner })).send();
    expect(denied.status).toBe("NFS4ERR_DENIED");
    client.advance("owner", denied);
    (await client.unlock(file, { owner: "first" })).ok();
    expect(hex((await repeat(client, denied)).bytes)).toBe(hex(denied.bytes));
    await world.finish();
  });
});

describe("lock-owners (RFC 7530 §16.10.5)", () => {
  it("that have a lock stateid on the file must use it: LOCK with new_lock_owner gets BAD_SEQID", async () => {
    const { world, client } = await withFile();
    const file = await client.open("/f");
    expect((await client.lock(file, { offset: 0n, length: 1n })).status).toBe("NFS4_OK");
    client.locks.clear();
    expect((await client.lock(file, { offset: 5n, length: 1n })).status).toBe("NFS4ERR_BAD_SEQID");
    await world.finish();
  });

  it("errors of the range count on: LOCK and LOCKU with INVAL are in sequence", async () => {
    const { world, client } = await withFile();
    const file = await client.open("/f");
    expect((await client.lock(file, { length: 0n })).status).toBe("NFS4ERR_INVAL");
    expect((await client.lock(file, { length: 5n })).status).toBe("NFS4_OK");
    expect((await client.unlock(file, { length: 0n })).status).toBe("NFS4ERR_INVAL");
    expect((await client.unlock(file, { length: 5n })).status).toBe("NFS4_OK");
    await world.finish();
  });
});

describe("RELEASE_LOCKOWNER (RFC 7530 §16.37)", () => {
  it("forgets an owner without locks, refuses one with: LOCKS_HELD", async () => {
    const { world, client } = await withFile();
    const file = await client.open("/f");
    await client.lock(file);
    const release = async () =>
      (
        await client
          .compound()
          .op("RELEASE_LOCKOWNER", { lock_owner: { clientid: client.clientid, owner: utf8("locker") } })
          .send()
      ).status;
    expect(await release()).toBe("NFS4ERR_LOCKS_HELD");
    (await client.unlock(file)).ok();
    expect(await release()).toBe("NFS4_OK");
    expect(await release()).toBe("NFS4_OK");
    // Its sequence is forgotten with it: it begins anew, with any number.
    client.locks.clear();
    client.seqids.set("lock:locker", 99);
    expect((await client.lock(file)).status).toBe("NFS4_OK");
    const stranger = { lock_owner: { clientid: { hi: 1, lo: 1 }, owner: utf8("locker") } };
    expect((await client.compound().op("RELEASE_LOCKOWNER", stranger).send()).status).toBe("NFS4ERR_STALE_CLIENTID");
    await world.finish();
  });
});

describe("idle owners", () => {
  it("are bounded: a client that opens under ever new owners does not fill the server", async () => {
    const world = await World.create();
    const client = await world.client40();
    await client.writeFile("/f", "x");
    for (let i = 0; i < 1100; i++) {
      const args = openArgs("f", { owner: `o${i}`, access: 1 }, client.clientid, 1);
      args.claim = { claim: CLAIM_NULL, file: utf8("none") };
      expect((await client.compound().putroot().op("OPEN", args).send()).status).toBe("NFS4ERR_NOENT");
    }
    expect([...world.server.clients][0]?.openOwners.size).toBeLessThanOrEqual(1024);
    await world.finish();
  });

  it("are not kept at all in 4.1", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "x");
    const file = await client.open("/f", { owner: "a" });
    await client.tryOpen("/none", { owner: "b" });
    await client.lock(file, { owner: "l" });
    await client.lock(file, { owner: "m" });
    const record = [...world.server.clients][0];
    expect([[...(record?.openOwners.keys() ?? [])], [...(record?.lockOwners.keys() ?? [])]]).toEqual([["a"], ["l"]]);
    await world.finish();
  });
});

/** SETCLIENTID, SETCLIENTID_CONFIRM, RENEW: clients of 4.0 (RFC 7530 §16.33, §16.34, §16.29). In the RFC's notation: {v, x, c, k, s}. */
import { describe, expect, it } from "vitest";
import { hex, utf8 } from "../harness/bytes.ts";
import { Client40 } from "../harness/client40.ts";
import { ALICE } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

async function begin(world: World, name = "alpha"): Promise<Client40> {
  return new Client40(await world.wire(), name);
}

async function ask(client: Client40, changes: Parameters<Client40["setClientId"]>[0] = {}) {
  const { clientid, setclientid_confirm } = (await client.setClientId(changes)).ok().get("SETCLIENTID");
  return { c: clientid, s: setclientid_confirm.slice() };
}

const otherCallback = { callback: { cb_program: 9, cb_location: { na_r_netid: "tcp", na_r_addr: "10.0.0.2.8.1" } } };

describe("SETCLIENTID (RFC 7530 §16.33.5)", () => {
  it("with the verifier of a confirmed record: the same id and a new confirm verifier; the callback changes when confirmed", async () => {
    const world = await World.create();
    const client = await world.client40();
    await client.writeFile("/f", "x");
    const file = await client.open("/f");
    const first = await ask(client, otherCallback);
    const second = await ask(client, otherCallback);
    expect(first.c).toEqual(client.clientid);
    expect(hex(first.s)).not.toBe(hex(second.s));
    const record = [...world.server.clients][0];
    expect(record?.callback?.program).toBe(0);
    expect((await client.confirm(first.c, first.s)).status).toBe("NFS4ERR_STALE_CLIENTID");
    expect((await client.confirm(second.c, second.s)).status).toBe("NFS4_OK");
    expect(record?.callback?.program).toBe(9);
    expect((await client.compound().putfh(file.handle).read(file.stateid, 0, 1).send()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("with another verifier: a new id; the old state stays until that is confirmed, and then goes", async () => {
    const world = await World.create();
    const client = await world.client40();
    await client.writeFile("/f", "x");
    const file = await client.open("/f", { deny: 3 });
    const old = client.clientid;
    const { c, s } = await ask(client, { verifier: 2 });
    expect(c).not.toEqual(old);
    const read = () => client.compound().putfh(file.handle).read(file.stateid, 0, 1).send();
    expect((await read()).status).toBe("NFS4_OK");
    expect((await client.confirm(c, s)).status).toBe("NFS4_OK");
    expect((await read()).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await client.compound().op("RENEW", { clientid: old }).send()).status).toBe("NFS4ERR_EXPIRED");
    await client.introduce({ verifier: 2 });
    expect((await client.tryOpen("/f", { deny: 3 })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("again with another verifier: replaces the unconfirmed record, whatever its verifier", async () => {
    const world = await World.create();
    const client = await world.client40();
    const first = await ask(client, { verifier: 2 });
    const second = await ask(client, { verifier: 2 });
    const third = await ask(client, { verifier: 3 });
    expect(new Set([first.c.lo, second.c.lo, third.c.lo, client.clientid.lo]).size).toBe(4);
    expect((await client.confirm(first.c, first.s)).status).toBe("NFS4ERR_STALE_CLIENTID");
    expect((await client.confirm(second.c, second.s)).status).toBe("NFS4ERR_STALE_CLIENTID");
    expect((await client.confirm(third.c, third.s)).status).toBe("NFS4_OK");
    expect([...world.server.clients].length).toBe(1);
    await world.finish();
  });

  it("without a confirmed record: replaces an unconfirmed one", async () => {
    const world = await World.create();
    const client = await begin(world);
    const first = await ask(client);
    const second = await ask(client);
    expect(second.c).not.toEqual(first.c);
    expect((await client.confirm(first.c, first.s)).status).toBe("NFS4ERR_STALE_CLIENTID");
    expect((await client.confirm(second.c, second.s)).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("by another principal: CLID_INUSE, and who uses it, while there is state", async () => {
    const world = await World.create();
    const client = await world.client40();
    await client.writeFile("/f", "x");
    await client.open("/f");
    const other = await begin(world);
    other.user = ALICE;
    const reply = await other.setClientId({ verifier: 2 });
    expect(reply.status).toBe("NFS4ERR_CLID_INUSE");
    expect(reply.result("SETCLIENTID")).toMatchObject({ client_using: { na_r_netid: "tcp" } });
    await world.finish();
  });

  it("a 4.1 client's id is STALE_CLIENTID to whatever takes one in 4.0", async () => {
    const world = await World.create();
    const { clientid } = await world.client41("other");
    const client = await world.client40();
    const handle = await client.writeFile("/f", "x");
    const owner = { clientid, owner: utf8("locker") };
    const compounds = [
      client.compound().op("RENEW", { clientid }),
      client.compound().op("DELEGPURGE", { clientid }),
      client.compound().op("RELEASE_LOCKOWNER", { lock_owner: owner }),
      client.compound().putfh(handle).op("LOCKT", { locktype: 2, offset: 0n, length: 1n, owner }),
    ];
    for (const compound of compounds) expect((await compound.send()).status).toBe("NFS4ERR_STALE_CLIENTID");
    await world.finish();
  });

  it("4.0 and 4.1 clients of the same name do not know each other", async () => {
    const world = await World.create();
    const c40 = await world.client40("same");
    const c41 = await world.client41("same");
    await c40.writeFile("/f", "x");
    await c41.open("/f");
    expect((await c40.compound().op("RENEW", { clientid: c41.clientid }).send()).status).not.toBe("NFS4ERR_BADXDR");
    expect([...world.server.clients].length).toBe(2);
    await world.finish();
  });
});

describe("SETCLIENTID_CONFIRM (RFC 7530 §16.34.5)", () => {
  it("again with what has been confirmed already is a retry: NFS4_OK, and nothing changes", async () => {
    const world = await World.create();
    const client = await begin(world);
    const { c, s } = await ask(client);
    (await client.confirm(c, s)).ok();
    const file = await openOf(client, c);
    expect((await client.confirm(c, s)).status).toBe("NFS4_OK");
    expect(file).toBe("NFS4_OK");
    expect([...world.server.clients][0]?.states.size).toBe(1);
    await world.finish();
  });

  it("with a wrong verifier or an id that nobody has: STALE_CLIENTID", async () => {
    const world = await World.create();
    const client = await begin(world);
    const { c, s } = await ask(client);
    expect((await client.confirm(c, new Uint8Array(8))).status).toBe("NFS4ERR_STALE_CLIENTID");
    expect((await client.confirm({ hi: 5, lo: 5 }, s)).status).toBe("NFS4ERR_STALE_CLIENTID");
    expect((await client.confirm(c, s)).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("by another principal: CLID_INUSE in every case", async () => {
    const world = await World.create();
    const client = await begin(world);
    const fresh = await ask(client);
    client.user = ALICE;
    expect((await client.confirm(fresh.c, fresh.s)).status).toBe("NFS4ERR_CLID_INUSE");
    client.user = { uid: 0, gid: 0 };
    (await client.confirm(fresh.c, fresh.s)).ok();
    const update = await ask(client);
    client.user = ALICE;
    expect((await client.confirm(update.c, update.s)).status).toBe("NFS4ERR_CLID_INUSE");
    expect((await client.confirm(fresh.c, fresh.s)).status).toBe("NFS4ERR_CLID_INUSE");
    await world.finish();
  });

  it("until it has come, an OPEN gets STALE_CLIENTID, and RENEW too", async () => {
    const world = await World.create();
    const client = await begin(world);
    const { c } = await ask(client);
    expect(await openOf(client, c)).toBe("NFS4ERR_STALE_CLIENTID");
    expect((await client.compound().op("RENEW", { clientid: c }).send()).status).toBe("NFS4ERR_STALE_CLIENTID");
    await world.finish();
  });
});

async function openOf(client: Client40, clientid: { hi: number; lo: number }): Promise<string> {
  const args = {
    seqid: 1,
    share_access: 1,
    share_deny: 0,
    owner: { clientid, owner: new Uint8Array([1]) },
    openhow: { opentype: 1, how: { mode: 0, createattrs: { attrmask: [], attr_vals: new Uint8Array(0) } } },
    claim: { claim: 0, file: new Uint8Array([0x66]) },
  } as const;
  return (
    await client
      .compound()
      .putroot()
      .op("OPEN", {
        ...args,
        openhow: { ...args.openhow, how: { mode: 0, createattrs: { attrmask: [], attr_vals: new Uint8Array(0) } } },
      })
      .send()
  ).status;
}

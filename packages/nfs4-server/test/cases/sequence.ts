/** SEQUENCE, slots and the reply cache; DESTROY_SESSION and BIND_CONN_TO_SESSION (RFC 8881 §2.10.6, §18.46, §18.37, §18.34). */
import { CURRENT_STATEID, nfs_opnum4 } from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { hex } from "../harness/bytes.ts";
import { CHANNEL, Client41 } from "../harness/client41.ts";
import { ALICE } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

describe("SEQUENCE", () => {
  it("is needed first: OP_NOT_IN_SESSION without, SEQUENCE_POS in another place", async () => {
    const world = await World.create();
    const client = await world.client41();
    expect((await client.bare().putroot().send()).summary).toBe("PUTROOTFH=NFS4ERR_OP_NOT_IN_SESSION");
    const args = {
      sa_sessionid: client.session.id,
      sa_sequenceid: 9,
      sa_slotid: 0,
      sa_highest_slotid: 0,
      sa_cachethis: false,
    };
    const twice = await client.compound().putroot().op("SEQUENCE", args).send();
    expect(twice.summary).toBe("SEQUENCE PUTROOTFH SEQUENCE=NFS4ERR_SEQUENCE_POS");
    await world.finish();
  });

  it("returns session, slot and sequence as they came, and the highest slots", async () => {
    const world = await World.create();
    const client = await world.client41();
    const reply = await client.compound().on({ slot: 3 }).send();
    expect(reply.ok().get("SEQUENCE")).toMatchObject({
      sr_sequenceid: 1,
      sr_slotid: 3,
      sr_highest_slotid: 15,
      sr_target_highest_slotid: 15,
      sr_status_flags: 0,
    });
    await world.finish();
  });

  it("answers BADSESSION, BADSLOT and BAD_HIGH_SLOT", async () => {
    const world = await World.create();
    const client = await world.client41();
    const attempt = async (options: Parameters<ReturnType<Client41["compound"]>["on"]>[0]) =>
      (await client.compound().on(options).send()).summary;
    expect(await attempt({ sessionid: new Uint8Array(16) })).toBe("SEQUENCE=NFS4ERR_BADSESSION");
    expect(await attempt({ slot: 16 })).toBe("SEQUENCE=NFS4ERR_BADSLOT");
    expect(await attempt({ slot: 1, highest: 0 })).toBe("SEQUENCE=NFS4ERR_BAD_HIGH_SLOT");
    expect(await attempt({ slot: 1, highest: 16 })).toBe("SEQUENCE=NFS4ERR_BAD_HIGH_SLOT");
    expect(await attempt({ slot: 1, highest: 15 })).toBe("SEQUENCE");
    await world.finish();
  });

  it("answers SEQ_MISORDERED to a sequence that is neither the last nor the next", async () => {
    const world = await World.create();
    const client = await world.client41();
    const attempt = async (sequence: number) =>
      (await client.compound().on({ slot: 5, sequence, highest: 5 }).send()).status;
    expect(await attempt(0)).toBe("NFS4ERR_SEQ_MISORDERED");
    expect(await attempt(2)).toBe("NFS4ERR_SEQ_MISORDERED");
    expect(await attempt(1)).toBe("NFS4_OK");
    expect(await attempt(3)).toBe("NFS4ERR_SEQ_MISORDERED");
    expect(await attempt(0)).toBe("NFS4ERR_SEQ_MISORDERED");
    expect(await attempt(2)).toBe("NFS4_OK");
    await world.finish();
  });

  it("counts on from 2^32 − 1 to 0 (RFC 8881 §2.10.6.1)", async () => {
    const world = await World.create();
    const client = await world.client41();
    const verdict = world.services.clients.findSession(client.session.id)?.slots.admit(2, 1, 2, 1);
    if (verdict?.kind !== "new") throw new Error("no slot");
    const { slot } = verdict;
    slot.sequence = 0xffff_ffff;
    slot.busy = false;
    const zero = await client.compound().on({ slot: 2, sequence: 0 }).putroot().send();
    expect(zero.status).toBe("NFS4_OK");
    expect(hex((await client.retry(zero)).bytes)).toBe(hex(zero.bytes));
    await world.finish();
  });

  it("leaves slot and lease alone when it fails (RFC 8881 §18.46.3)", async () => {
    const world = await World.create({ leaseSeconds: 30 });
    const client = new Client41(await world.wire(), "alpha");
    await client.introduce({
      session: { csa_fore_chan_attrs: { ...CHANNEL, ca_maxoperations: 4, ca_maxrequestsize: 1024 } },
    });
    await client.writeFile("/f", "");
    await client.open("/f");
    await world.pass(20);
    const long = client.compound();
    for (let i = 0; i < 5; i++) long.putroot();
    expect((await long.send()).summary).toBe("SEQUENCE=NFS4ERR_TOO_MANY_OPS");
    const big = await client.compound().putroot().lookup("x".repeat(2000)).send();
    expect(big.summary).toBe("SEQUENCE=NFS4ERR_REQ_TOO_BIG");
    await world.pass(15);
    expect([...world.server.clients][0]?.expired).toBe(true);
    expect((await client.compound().putroot().send()).status).toBe("NFS4_OK");
    expect([...world.server.clients][0]?.expired).toBe(false);
    await world.finish();
  });

  it("counts the RPC header to a request's size: REQ_TOO_BIG above ca_maxrequestsize, not at it (RFC 8881 §18.36.3)", async () => {
    const world = await World.create();
    const client = new Client41(await world.wire(), "alpha");
    await client.introduce({ session: { csa_fore_chan_attrs: { ...CHANNEL, ca_maxrequestsize: 1024 } } });
    const ofSize = async (tag: number) => {
      const compound = client.compound().putroot();
      compound.tag = new Uint8Array(tag);
      return (await compound.send()).status;
    };
    // xid to verifier: 24, the credential 8 + 20 + machine name 4, its padding none, no groups; the verifier 8. Then tag, minor version, count, SEQUENCE 36, PUTROOTFH 4.
    const around = 24 + 8 + 24 + 8 + 4 + 4 + 4 + 36 + 4;
    expect(await ofSize(1024 - around)).toBe("NFS4_OK");
    expect(await ofSize(1024 - around + 4)).toBe("NFS4ERR_REQ_TOO_BIG");
    await world.finish();
  });
});

describe("retries in a slot (RFC 8881 §2.10.6.1)", () => {
  it("get the same bytes again, and REMOVE does not run twice; over another connection too", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "x");
    const reply = (await client.compound().on({ cache: true }).putroot().remove("f").getattr(3).send()).ok();
    expect(hex((await client.retry(reply)).bytes)).toBe(hex(reply.bytes));
    const other = await world.wire("10.0.0.3");
    expect(hex((await client.retry(reply, other)).bytes)).toBe(hex(reply.bytes));
    client.wire.abort();
    const third = await world.wire();
    expect(hex((await client.retry(reply, third)).bytes)).toBe(hex(reply.bytes));
    expect(world.server.counters.replays).toBe(3);
    await world.finish();
  });

  it("get a cached READ again, data and all", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "0123456789");
    const file = await client.open("/f");
    const reply = (
      await client.compound().on({ cache: true }).putfh(file.handle).read(file.stateid, 0, 10).send()
    ).ok();
    await client.compound().on({ slot: 1 }).putfh(file.handle).write(file.stateid, 0, "changed").send();
    expect(hex((await client.retry(reply)).bytes)).toBe(hex(reply.bytes));
    await world.finish();
  });

  it("get DELAY while the request still runs, and the reply afterwards", async () => {
    const world = await World.create({ delayed: true });
    const client = await world.client41();
    const running = client.compound().on({ cache: true }).putroot().mkdir("d").start();
    await world.clock.runFor(10);
    const request = client
      .compound()
      .on({ cache: true, sequence: (client.session.slots[0] ?? 0) + 1 })
      .putroot()
      .mkdir("d")
      .start();
    const reply = await world.run(request);
    expect(reply.summary).toBe("SEQUENCE=NFS4ERR_DELAY");
    const first = (await world.run(running)).ok();
    expect(hex((await client.retry(first)).bytes)).toBe(hex(first.bytes));
    await world.finish();
  });

  it("answers SEQ_MISORDERED to the next sequence while the last one still runs", async () => {
    const world = await World.create({ delayed: true });
    const client = await world.client41();
    const running = client.compound().putroot().mkdir("d").start();
    await world.clock.runFor(10);
    const next = await client
      .compound()
      .on({ sequence: (client.session.slots[0] ?? 0) + 2 })
      .putroot()
      .send();
    expect(next.summary).toBe("SEQUENCE=NFS4ERR_SEQ_MISORDERED");
    (await world.run(running)).ok();
    await world.finish();
  });

  it("that are false ones get SEQ_FALSE_RETRY: another request, or another user's (RFC 8881 §2.10.6.1.3.1)", async () => {
    const world = await World.create();
    const client = await world.client41();
    const reply = (await client.compound().on({ cache: true }).putroot().mkdir("d").send()).ok();
    const sequence = client.session.slots[0] ?? 0;
    const other = await client.compound().on({ cache: true, sequence }).putroot().mkdir("e").send();
    expect(other.summary).toBe("SEQUENCE=NFS4ERR_SEQ_FALSE_RETRY");
    client.user = ALICE;
    expect((await client.retry(reply)).summary).toBe("SEQUENCE=NFS4ERR_SEQ_FALSE_RETRY");
    await world.finish();
  });

  it("of a reply that was not kept: SEQUENCE goes well, the next operation is RETRY_UNCACHED_REP (RFC 8881 §2.10.6.1.3)", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "x".repeat(4000));
    const file = await client.open("/f");
    const reply = (await client.compound().putfh(file.handle).read(file.stateid, 0, 4000).send()).ok();
    const before = world.server.counters.readBytes;
    expect((await client.retry(reply)).summary).toBe("SEQUENCE PUTFH=NFS4ERR_RETRY_UNCACHED_REP");
    expect(world.server.counters.readBytes).toBe(before);
    expect((await client.compound().putroot().send()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("of SEQUENCE alone, and of small replies, are answered though nobody asked to keep them", async () => {
    const world = await World.create();
    const client = await world.client41();
    for (const compound of [client.compound(), client.compound().putroot().getfh()]) {
      const reply = (await compound.send()).ok();
      expect(hex((await client.retry(reply)).bytes)).toBe(hex(reply.bytes));
    }
    await world.finish();
  });

  it("of a failed COMPOUND get the failure again", async () => {
    const world = await World.create();
    const client = await world.client41();
    const reply = await client.compound().on({ cache: true }).putroot().remove("f").send();
    expect(reply.status).toBe("NFS4ERR_NOENT");
    await client.compound().on({ slot: 1 }).putroot().mkdir("f").send();
    expect(hex((await client.retry(reply)).bytes)).toBe(hex(reply.bytes));
    await world.finish();
  });
});

describe("the size of replies (RFC 8881 §2.10.6.4)", () => {
  const withChannel = async (world: World, changes: Partial<typeof CHANNEL>) => {
    const client = new Client41(await world.wire(), "alpha");
    await client.introduce({ session: { csa_fore_chan_attrs: { ...CHANNEL, ...changes } } });
    return client;
  };

  it("READ answers REP_TOO_BIG where the data would not fit, and the reply itself fits", async () => {
    const world = await World.create();
    const client = await withChannel(world, { ca_maxresponsesize: 2048 });
    await client.writeFile("/f", "x".repeat(4000));
    const file = await client.open("/f");
    const fits = await client.compound().putfh(file.handle).read(file.stateid, 0, 1900).send();
    expect(fits.status).toBe("NFS4_OK");
    const tooBig = await client.compound().putfh(file.handle).read(file.stateid, 0, 4000).getfh().send();
    expect(tooBig.summary).toBe("SEQUENCE PUTFH READ=NFS4ERR_REP_TOO_BIG");
    expect(tooBig.bytes.length + 24).toBeLessThanOrEqual(2048);
    await world.finish();
  });

  it("answers REP_TOO_BIG_TO_CACHE only where the reply is to be kept, and keeps that answer", async () => {
    const world = await World.create();
    const client = await withChannel(world, { ca_maxresponsesize_cached: 600 });
    await client.writeFile("/f", "x".repeat(4000));
    const file = await client.open("/f");
    const cached = await client.compound().on({ cache: true }).putfh(file.handle).read(file.stateid, 0, 1000).send();
    expect(cached.summary).toBe("SEQUENCE PUTFH READ=NFS4ERR_REP_TOO_BIG_TO_CACHE");
    expect(hex((await client.retry(cached)).bytes)).toBe(hex(cached.bytes));
    const free = await client.compound().putfh(file.handle).read(file.stateid, 0, 1000).send();
    expect(free.status).toBe("NFS4_OK");
    await world.finish();
  });

  it("SEQUENCE itself says so where not even its own reply fits, and the slot stays as it was (RFC 8881 §18.46.3)", async () => {
    const world = await World.create();
    const client = await world.client41();
    (await client.createSession({ csa_fore_chan_attrs: { ...CHANNEL, ca_maxresponsesize_cached: 64 } })).ok();
    expect((await client.compound().on({ cache: true }).send()).summary).toBe("SEQUENCE=NFS4ERR_REP_TOO_BIG_TO_CACHE");
    (await client.compound().on({ sequence: 1 }).send()).ok();
    const tagged = client.compound().on({ slot: 1 });
    tagged.tag = new Uint8Array(1000);
    (await client.createSession({ csa_fore_chan_attrs: { ...CHANNEL, ca_maxresponsesize: 1024 } })).ok();
    tagged.session = client.session;
    expect((await tagged.send()).summary).toBe("SEQUENCE=NFS4ERR_REP_TOO_BIG");
    (await client.compound().on({ slot: 1, sequence: 1 }).send()).ok();
    await world.finish();
  });

  it("READDIR is cut to what the session's reply can hold rather than refused", async () => {
    const world = await World.create();
    const client = await withChannel(world, { ca_maxresponsesize: 1024 });
    for (let i = 0; i < 40; i++) (await client.compound().putroot().mkdir(`directory-${i}`).send()).ok();
    const seen: string[] = [];
    for (let cookie = 0n, eof = false; !eof; ) {
      const { reply } = (await client.compound().putroot().readdir({ cookie, maxcount: 32_768 }).send())
        .ok()
        .get("READDIR");
      seen.push(...reply.entries.map(({ name }) => new TextDecoder().decode(name)));
      cookie = reply.entries.at(-1)?.cookie ?? 0n;
      eof = reply.eof;
    }
    expect(seen.length).toBe(40);
    await world.finish();
  });
});

describe("DESTROY_SESSION (RFC 8881 §18.37)", () => {
  it("ends a session; the client and its opens stay", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "x");
    const file = await client.open("/f");
    const first = client.session;
    (await client.createSession()).ok();
    (await client.bare().op("DESTROY_SESSION", { dsa_sessionid: first.id }).send()).ok();
    expect((await client.compound(first).send()).status).toBe("NFS4ERR_BADSESSION");
    expect((await client.bare().op("DESTROY_SESSION", { dsa_sessionid: first.id }).send()).status).toBe(
      "NFS4ERR_BADSESSION",
    );
    expect((await client.compound().putfh(file.handle).read(file.stateid, 0, 1).send()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("must be last behind a SEQUENCE of the same session: NOT_ONLY_OP", async () => {
    const world = await World.create();
    const client = await world.client41();
    const args = { dsa_sessionid: client.session.id };
    expect((await client.compound().op("DESTROY_SESSION", args).putroot().send()).status).toBe("NFS4ERR_NOT_ONLY_OP");
    expect((await client.bare().op("DESTROY_SESSION", args).putroot().send()).status).toBe("NFS4ERR_NOT_ONLY_OP");
    expect((await client.compound().putroot().op("DESTROY_SESSION", args).send()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("in a COMPOUND of another session may stand anywhere", async () => {
    const world = await World.create();
    const client = await world.client41();
    const first = client.session;
    (await client.createSession()).ok();
    const reply = await client.compound().op("DESTROY_SESSION", { dsa_sessionid: first.id }).putroot().send();
    expect(reply.status).toBe("NFS4_OK");
    await world.finish();
  });

  it("must come over a connection of the session: CONN_NOT_BOUND_TO_SESSION", async () => {
    const world = await World.create();
    const client = await world.client41();
    client.wire = await world.wire("10.0.0.3");
    const args = { dsa_sessionid: client.session.id };
    expect((await client.bare().op("DESTROY_SESSION", args).send()).status).toBe("NFS4ERR_CONN_NOT_BOUND_TO_SESSION");
    // SEQUENCE alone binds a connection where no state protection is (RFC 8881 §2.10.3.1).
    (await client.compound().send()).ok();
    (await client.bare().op("DESTROY_SESSION", args).send()).ok();
    await world.finish();
  });

  it("waits for nobody: DELAY while a request runs in the session", async () => {
    const world = await World.create({ delayed: true });
    const client = await world.client41();
    const running = client.compound().putroot().mkdir("d").start();
    await world.clock.runFor(10);
    const reply = await client.bare().op("DESTROY_SESSION", { dsa_sessionid: client.session.id }).send();
    expect(reply.status).toBe("NFS4ERR_DELAY");
    (await world.run(running)).ok();
    await world.finish();
  });
});

describe("BIND_CONN_TO_SESSION (RFC 8881 §18.34)", () => {
  const [FORE, BACK, FORE_OR_BOTH, BACK_OR_BOTH] = [1, 2, 3, 7] as const;
  const bind = async (client: Client41, bctsa_dir: 1 | 2 | 3 | 7) => {
    const reply = await client
      .bare()
      .op("BIND_CONN_TO_SESSION", { bctsa_sessid: client.session.id, bctsa_dir, bctsa_use_conn_in_rdma_mode: false })
      .send();
    return reply.status === "NFS4_OK" ? reply.get("BIND_CONN_TO_SESSION").bctsr_dir : reply.status;
  };

  it.each([
    [FORE, 1],
    [BACK, 2],
    [FORE_OR_BOTH, 3],
    [BACK_OR_BOTH, 3],
  ] as const)("direction %i is granted as %i", async (asked, granted) => {
    const world = await World.create();
    const client = await world.client41();
    client.wire = await world.wire();
    expect(await bind(client, asked)).toBe(granted);
    expect(await bind(client, asked)).toBe(granted);
    await world.finish();
  });

  it("may add a channel to a connection, but takes none away: INVAL", async () => {
    const world = await World.create();
    const client = await world.client41();
    expect(await bind(client, BACK)).toBe("NFS4ERR_INVAL");
    expect(await bind(client, FORE)).toBe(1);
    expect(await bind(client, FORE_OR_BOTH)).toBe(3);
    expect(await bind(client, FORE)).toBe("NFS4ERR_INVAL");
    await world.finish();
  });

  it("must be the only operation, and names a session that exists", async () => {
    const world = await World.create();
    const client = await world.client41();
    const args = { bctsa_sessid: client.session.id, bctsa_dir: 1, bctsa_use_conn_in_rdma_mode: false } as const;
    expect((await client.bare().op("BIND_CONN_TO_SESSION", args).putroot().send()).status).toBe("NFS4ERR_NOT_ONLY_OP");
    expect((await client.compound().op("BIND_CONN_TO_SESSION", args).send()).status).toBe("NFS4ERR_NOT_ONLY_OP");
    const unknown = { ...args, bctsa_sessid: new Uint8Array(16) };
    expect((await client.bare().op("BIND_CONN_TO_SESSION", unknown).send()).status).toBe("NFS4ERR_BADSESSION");
    await world.finish();
  });
});

describe("operations that this server does not offer", () => {
  it.each([
    ["COPY", nfs_opnum4.OP_COPY],
    ["READ_PLUS", nfs_opnum4.OP_READ_PLUS],
    ["GETXATTR", nfs_opnum4.OP_GETXATTR],
  ] as const)("%s is decoded before it is refused: BADXDR for half of it", async (_name, number) => {
    const world = await World.create();
    const client = await world.client41("alpha", 2);
    expect((await client.compound().putroot().raw(number).send()).status).toBe("NFS4ERR_BADXDR");
    await world.finish();
  });

  it("READ_PLUS whole gets NOTSUPP", async () => {
    const world = await World.create();
    const client = await world.client41("alpha", 2);
    const args = { rpa_stateid: CURRENT_STATEID, rpa_offset: 0, rpa_count: 1 };
    expect((await client.compound().putroot().op("READ_PLUS", args).send()).status).toBe("NFS4ERR_NOTSUPP");
    await world.finish();
  });
});

/** The duplicate request cache of 4.0 (RFC 7530 §9.1.7, RFC 5531 §8): what must not run twice and has no seqid. */
import { describe, expect, it } from "vitest";
import { hex } from "../harness/bytes.ts";
import type { Client40 } from "../harness/client40.ts";
import type { Compound } from "../harness/compound.ts";
import { ALICE } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

const REQUESTS: readonly [string, (client: Client40) => Compound][] = [
  ["REMOVE", (client) => client.compound().putroot().remove("a")],
  ["RENAME", (client) => client.compound().putroot().savefh().rename("a", "b")],
  ["CREATE", (client) => client.compound().putroot().mkdir("new")],
  ["LINK", (client) => client.compound().putroot().lookup("a").savefh().putroot().link("c")],
  ["SETATTR", (client) => client.compound().putroot().lookup("a").setattr({ size: 3n })],
];

describe.each(REQUESTS)("a retry of %s", (_name, build) => {
  const prepare = async () => {
    const world = await World.create();
    const client = await world.client40();
    await client.writeFile("/a", "content");
    return { world, client };
  };

  it("gets the reply that was given, to the last byte, and nothing runs", async () => {
    const { world, client } = await prepare();
    const reply = (await build(client).send()).ok();
    const changed = (await client.compound().putroot().getattr(3).send()).ok();
    expect(hex((await client.retry(reply)).bytes)).toBe(hex(reply.bytes));
    expect(hex((await client.compound().putroot().getattr(3).send()).bytes)).toBe(hex(changed.bytes));
    expect(world.server.counters.replays).toBe(1);
    await world.finish();
  });

  it("on a new connection of the same client as well", async () => {
    const { world, client } = await prepare();
    const reply = (await build(client).send()).ok();
    client.wire.abort();
    client.wire = await world.wire();
    expect(hex((await client.retry(reply)).bytes)).toBe(hex(reply.bytes));
    await world.finish();
  });

  it("is none from another address, with another xid, or by another user", async () => {
    const { world, client } = await prepare();
    const reply = (await build(client).send()).ok();
    await client.retry(reply, await world.wire("10.0.0.77"));
    await client.retry({ ...reply, xid: 99_999, request: reply.request } as never);
    client.user = ALICE;
    await client.retry(reply);
    expect(world.server.counters.replays).toBe(0);
    await world.finish();
  });
});

describe("a retry of a request that still runs", () => {
  it("waits for it: REMOVE runs once, and both get its reply", async () => {
    const world = await World.create({ delayed: true });
    const client = await world.client40();
    await client.writeFile("/a", "content");
    const other = await world.wire();
    for (const wait of [0, 20, 400, 900]) {
      await client.writeFile("/a", "content");
      const request = client.compound().putroot().remove("a");
      const xid = world.takeXid();
      const bytes = request.encode();
      const answers: string[] = [];
      const note = (answer: Uint8Array) => answers.push(hex(answer));
      client.wire.start(bytes, { xid }).then(note, () => {});
      await world.clock.runFor(wait);
      other.start(bytes, { xid }).then(note, () => {});
      await world.pass(1);
      expect(answers).toHaveLength(2);
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]?.slice(0, 8)).toBe("00000000");
    }
    other.abort();
    await world.finish();
  });

  it("gets the reply though the connection of the first is lost (RFC 7530 §3.1.1)", async () => {
    const world = await World.create({ delayed: true });
    const client = await world.client40();
    for (const wait of [50, 200, 400, 900]) {
      await client.writeFile("/a", "content");
      const request = client.compound().putroot().remove("a").encode();
      const xid = world.takeXid();
      client.wire.start(request, { xid }).catch(() => {});
      await world.clock.runFor(wait);
      client.wire.abort();
      client.wire = await world.wire();
      const answer = await world.run(client.wire.start(request, { xid }));
      expect(hex(answer).slice(0, 8)).toBe("00000000");
    }
    await world.finish();
  });
});

describe("the cache", () => {
  it("keeps failures too", async () => {
    const world = await World.create();
    const client = await world.client40();
    const reply = await client.compound().putroot().remove("a").send();
    expect(reply.status).toBe("NFS4ERR_NOENT");
    await client.writeFile("/a", "x");
    expect((await client.retry(reply)).status).toBe("NFS4ERR_NOENT");
    await world.finish();
  });

  it("does not keep what may run twice", async () => {
    const world = await World.create();
    const client = await world.client40();
    await client.writeFile("/a", "1");
    const reply = (await client.compound().putroot().lookup("a").getattr(4).send()).ok();
    await client.compound().putroot().lookup("a").setattr({ size: 9n }).send();
    expect(hex((await client.retry(reply)).bytes)).not.toBe(hex(reply.bytes));
    await world.finish();
  });
});

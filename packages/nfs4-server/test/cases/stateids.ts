/** Stateids: special ones, old ones, wrong ones; TEST_STATEID and FREE_STATEID (RFC 8881 §8.2, §18.38, §18.48; RFC 7530 §9.1.4). */
import { ANONYMOUS_STATEID, INVALID_STATEID, READ_BYPASS_STATEID, type stateid4 } from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import type { Client41 } from "../harness/client41.ts";
import { namesOf } from "../harness/mount.ts";
import { READ, WRITE } from "../harness/open-options.ts";
import { ALICE } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

const ZEROS = new Uint8Array(12);
const ONES = new Uint8Array(12).fill(0xff);

describe.each([0, 1, 2])("stateids in 4.%i", (minor) => {
  const begin = async (mode = 0o666) => {
    const world = await World.create();
    const client = await world.mount(minor);
    const handle = await client.writeFile("/f", "content", mode);
    const read = async (stateid: stateid4) => (await client.compound().putfh(handle).read(stateid, 0, 4).send()).status;
    const write = async (stateid: stateid4) =>
      (await client.compound().putfh(handle).write(stateid, 0, "x").send()).status;
    return { world, client, handle, read, write };
  };

  it("anonymous and bypass READ and WRITE by the caller's permission (RFC 8881 §8.2.3)", async () => {
    const { world, client, read, write } = await begin(0o644);
    for (const special of [ANONYMOUS_STATEID, READ_BYPASS_STATEID]) {
      expect(await read(special)).toBe("NFS4_OK");
      expect(await write(special)).toBe("NFS4_OK");
    }
    client.user = ALICE;
    expect(await read(ANONYMOUS_STATEID)).toBe("NFS4_OK");
    expect(await write(ANONYMOUS_STATEID)).toBe("NFS4ERR_ACCESS");
    expect(await write(READ_BYPASS_STATEID)).toBe("NFS4ERR_ACCESS");
    await world.finish();
  });

  it("all zeros or all ones with another seqid are nothing: BAD_STATEID", async () => {
    const { world, client, handle, read, write } = await begin();
    const wrong = [
      INVALID_STATEID,
      { seqid: 5, other: ZEROS },
      { seqid: 1, other: ZEROS },
      { seqid: 0, other: ONES },
      { seqid: 1, other: ONES },
    ];
    for (const stateid of wrong) {
      expect(await read(stateid)).toBe("NFS4ERR_BAD_STATEID");
      expect(await write(stateid)).toBe("NFS4ERR_BAD_STATEID");
      const truncate = await client.compound().putfh(handle).setattr({ size: 1n }, stateid).send();
      expect(truncate.status).toBe("NFS4ERR_BAD_STATEID");
      expect((await client.compound().putfh(handle).close(stateid, 1).send()).status).toBe("NFS4ERR_BAD_STATEID");
    }
    await world.finish();
  });

  it("special ones close and lock nothing: BAD_STATEID", async () => {
    const { world, client, handle } = await begin();
    for (const special of [ANONYMOUS_STATEID, READ_BYPASS_STATEID]) {
      expect((await client.compound().putfh(handle).close(special, 1).send()).status).toBe("NFS4ERR_BAD_STATEID");
      expect((await client.lock({ handle, owner: "o", stateid: special, rflags: 0 })).status).toBe(
        "NFS4ERR_BAD_STATEID",
      );
    }
    await world.finish();
  });

  it("an older seqid is OLD_STATEID, one of the future BAD_STATEID; 4.1 takes 0 for the latest", async () => {
    const { world, client, read } = await begin();
    await client.open("/f", { access: READ });
    const { stateid } = await client.open("/f", { access: WRITE });
    expect(await read({ ...stateid, seqid: stateid.seqid - 1 })).toBe("NFS4ERR_OLD_STATEID");
    expect(await read({ ...stateid, seqid: stateid.seqid + 1 })).toBe("NFS4ERR_BAD_STATEID");
    expect(await read({ ...stateid, seqid: 0 })).toBe(minor === 0 ? "NFS4ERR_OLD_STATEID" : "NFS4_OK");
    await world.finish();
  });

  it("made-up ones, and those of another file, are BAD_STATEID", async () => {
    const { world, client, read } = await begin();
    await client.writeFile("/g", "x");
    const { stateid } = await client.open("/g");
    expect(await read(stateid)).toBe("NFS4ERR_BAD_STATEID");
    const other = stateid.other.slice();
    other[11] = (other[11] ?? 0) ^ 0x40;
    expect(await read({ seqid: 1, other })).toBe("NFS4ERR_BAD_STATEID");
    const future = stateid.other.slice();
    future[0] = (future[0] ?? 0) + 1;
    expect(await read({ seqid: 1, other: future })).toBe("NFS4ERR_BAD_STATEID");
    await world.finish();
  });

  it("READ and WRITE need the access of the OPEN: OPENMODE", async () => {
    const { world, client, read, write } = await begin();
    const reader = await client.open("/f", { access: READ, owner: "r" });
    const writer = await client.open("/f", { access: WRITE, owner: "w" });
    expect(await write(reader.stateid)).toBe("NFS4ERR_OPENMODE");
    expect(await read(writer.stateid)).toBe("NFS4ERR_OPENMODE");
    expect([await read(reader.stateid), await write(writer.stateid)]).toEqual(["NFS4_OK", "NFS4_OK"]);
    await world.finish();
  });

  it("a lock's stateid reads and writes as its open would (RFC 8881 §8.2.5)", async () => {
    const { world, client, read, write } = await begin();
    const file = await client.open("/f", { access: READ });
    const { stateid } = await client.lock(file, { type: 1 });
    if (!stateid) throw new Error("no lock");
    expect(await read(stateid)).toBe("NFS4_OK");
    expect(await write(stateid)).toBe("NFS4ERR_OPENMODE");
    await world.finish();
  });

  it("of a server's earlier life: STALE_STATEID in 4.0; 4.1 has a new session, where it is BAD_STATEID", async () => {
    const { world, client, handle } = await begin();
    const { stateid } = await client.open("/f");
    await world.restart();
    await world.pass(200);
    const again = await world.mount(minor);
    const reply = await again.compound().putfh(handle).read(stateid, 0, 1).send();
    // The default file system in memory forgets nothing here: the World restarts the server on it.
    expect(reply.status).toBe(minor === 0 ? "NFS4ERR_STALE_STATEID" : "NFS4ERR_BAD_STATEID");
    await world.finish();
  });
});

describe("stateids belong to a client", () => {
  it("another client's is BAD_STATEID in 4.1; 4.0 and 4.1 do not take each other's", async () => {
    const world = await World.create();
    const [a, b] = [await world.client41("a"), await world.client41("b")];
    const handle = await a.writeFile("/f", "content");
    const { stateid } = await a.open("/f");
    const c40 = await world.client40("c");
    const theirs = await c40.open("/f");
    expect((await b.compound().putfh(handle).read(stateid, 0, 1).send()).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await c40.compound().putfh(handle).read(stateid, 0, 1).send()).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await c40.compound().putfh(handle).close(stateid, 1).send()).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await b.compound().putfh(handle).read(theirs.stateid, 0, 1).send()).status).toBe("NFS4ERR_BAD_STATEID");
    await world.finish();
  });
});

describe("TEST_STATEID (RFC 8881 §18.48)", () => {
  it("judges each by itself", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "content");
    await client.open("/f", { access: READ });
    const { stateid } = await client.open("/f", { access: WRITE });
    const ts_stateids = [
      stateid,
      { ...stateid, seqid: 0 },
      { ...stateid, seqid: stateid.seqid - 1 },
      { ...stateid, seqid: stateid.seqid + 1 },
      ANONYMOUS_STATEID,
      { seqid: 1, other: new Uint8Array(12).fill(9) },
    ];
    const { tsr_status_codes } = (await client.compound().op("TEST_STATEID", { ts_stateids }).send())
      .ok()
      .get("TEST_STATEID");
    expect(namesOf(tsr_status_codes)).toEqual([
      "NFS4_OK",
      "NFS4_OK",
      "NFS4ERR_OLD_STATEID",
      "NFS4ERR_BAD_STATEID",
      "NFS4ERR_BAD_STATEID",
      "NFS4ERR_BAD_STATEID",
    ]);
    await world.finish();
  });
});

describe("FREE_STATEID (RFC 8881 §18.38)", () => {
  const free = async (client: Client41, fsa_stateid: stateid4) =>
    (await client.compound().op("FREE_STATEID", { fsa_stateid }).send()).status;

  it("frees a lock stateid without locks, and nothing that still holds something: LOCKS_HELD", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "content");
    const file = await client.open("/f");
    const { stateid } = await client.lock(file);
    if (!stateid) throw new Error("no lock");
    expect(await free(client, file.stateid)).toBe("NFS4ERR_LOCKS_HELD");
    expect(await free(client, stateid)).toBe("NFS4ERR_LOCKS_HELD");
    (await client.unlock(file)).ok();
    expect(await free(client, stateid)).toBe("NFS4ERR_OLD_STATEID");
    expect(await free(client, { ...stateid, seqid: 2 })).toBe("NFS4_OK");
    expect(await free(client, { ...stateid, seqid: 2 })).toBe("NFS4ERR_BAD_STATEID");
    expect(await free(client, ANONYMOUS_STATEID)).toBe("NFS4ERR_BAD_STATEID");
    await world.finish();
  });
});

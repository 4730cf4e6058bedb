/** READ, WRITE, COMMIT, SETATTR of the size, SEEK, ALLOCATE, DEALLOCATE (RFC 8881 §18.22, §18.32, §18.3; RFC 7862 §15.1, §15.4, §15.11). */
import { ANONYMOUS_STATEID } from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { hex, text, utf8 } from "../harness/bytes.ts";
import { DATA_SYNC, FILE_SYNC, UNSTABLE } from "../harness/compound.ts";
import { READ } from "../harness/open-options.ts";
import type { Reply } from "../harness/reply.ts";
import { ALICE } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

const MAX = Number.MAX_SAFE_INTEGER;

describe.each([0, 1, 2])("READ in 4.%i", (minor) => {
  const begin = async (content = "0123456789") => {
    const world = await World.create();
    const client = await world.mount(minor);
    const handle = await client.writeFile("/f", content);
    const read = async (offset: number, count: number) => {
      const { eof, data } = (await client.compound().putfh(handle).read(ANONYMOUS_STATEID, offset, count).send())
        .ok()
        .get("READ");
      return [text(data), eof];
    };
    return { world, client, handle, read };
  };

  it("tells the end exactly: eof with the last byte, and at any offset behind it", async () => {
    const { world, read } = await begin();
    expect(await read(0, 9)).toEqual(["012345678", false]);
    expect(await read(0, 10)).toEqual(["0123456789", true]);
    expect(await read(0, 11)).toEqual(["0123456789", true]);
    expect(await read(9, 1)).toEqual(["9", true]);
    expect(await read(10, 1)).toEqual(["", true]);
    expect(await read(MAX, 5)).toEqual(["", true]);
    expect(await read(2 ** 64 - 2048, 5)).toEqual(["", true]);
    await world.finish();
  });

  it("of 0 bytes succeeds and tells whether the end is there", async () => {
    const { world, read } = await begin();
    expect(await read(3, 0)).toEqual(["", false]);
    expect(await read(10, 0)).toEqual(["", true]);
    await world.finish();
  });

  it("gives what it can of more than maxread", async () => {
    const world = await World.create({ limits: { maxIo: 4096 } });
    const client = await world.mount(minor);
    const handle = await client.writeFile("/f", "");
    (await client.compound().putfh(handle).setattr({ size: 10_000n }).send()).ok();
    const { data, eof } = (await client.compound().putfh(handle).read(ANONYMOUS_STATEID, 0, 10_000).send())
      .ok()
      .get("READ");
    expect([data.length, eof]).toEqual([4096, false]);
    await world.finish();
  });

  it("of what is no file: ISDIR, and for others INVAL in 4.0, SYMLINK and WRONG_TYPE since", async () => {
    const { world, client } = await begin();
    (
      await client
        .compound()
        .putroot()
        .create({ type: 5, linkdata: utf8("f") }, "l")
        .send()
    ).ok();
    (await client.compound().putroot().create({ type: 7 }, "p").send()).ok();
    const statusOf = async (path: string) => (await client.at(path).read(ANONYMOUS_STATEID, 0, 1).send()).status;
    expect(await statusOf("/")).toBe("NFS4ERR_ISDIR");
    expect(await statusOf("/l")).toBe(minor === 0 ? "NFS4ERR_INVAL" : "NFS4ERR_SYMLINK");
    expect(await statusOf("/p")).toBe(minor === 0 ? "NFS4ERR_INVAL" : "NFS4ERR_WRONG_TYPE");
    const write = await client.at("/p").write(ANONYMOUS_STATEID, 0, "x").send();
    expect(write.status).toBe(minor === 0 ? "NFS4ERR_INVAL" : "NFS4ERR_WRONG_TYPE");
    expect((await client.at("/").commit().send()).status).toBe("NFS4ERR_ISDIR");
    await world.finish();
  });

  it("several in one COMPOUND each give their data", async () => {
    const { world, client, handle } = await begin();
    const compound = client.compound().putfh(handle);
    for (let i = 0; i < 4; i++) compound.read(ANONYMOUS_STATEID, 2 * i, 2);
    const reply = (await compound.send()).ok();
    const parts = reply.operations
      .filter(({ name }) => name === "READ")
      .map(({ result }) => text((result as { resok4: { data: Uint8Array } }).resok4.data));
    expect(parts).toEqual(["01", "23", "45", "67"]);
    await world.finish();
  });

  it("without permission: ACCESS; who may execute may read (RFC 8881 §18.22.3)", async () => {
    const { world, client, handle } = await begin();
    (await client.compound().putfh(handle).setattr({ mode: 0o700 }).send()).ok();
    const read = async () =>
      (await client.compound().putfh(handle).read(ANONYMOUS_STATEID, 0, 1).as(ALICE).send()).status;
    expect(await read()).toBe("NFS4ERR_ACCESS");
    (await client.compound().putfh(handle).setattr({ mode: 0o711 }).send()).ok();
    expect(await read()).toBe("NFS4_OK");
    await world.finish();
  });
});

describe.each([0, 1, 2])("WRITE in 4.%i", (minor) => {
  const begin = async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    const handle = await client.writeFile("/f", "");
    const file = await client.open("/f");
    return { world, client, handle, file };
  };

  it("commits at least as much as was asked for, and returns the verifier", async () => {
    const { world, client, file } = await begin();
    const verifiers = new Set<string>();
    for (const stable of [UNSTABLE, DATA_SYNC, FILE_SYNC] as const) {
      const reply = (
        await client.compound().putfh(file.handle).write(file.stateid, 0, "data", stable).commit().send()
      ).ok();
      const { count, committed, writeverf } = reply.get("WRITE");
      expect(count).toBe(4);
      expect(committed).toBeGreaterThanOrEqual(stable);
      verifiers.add(hex(writeverf));
      verifiers.add(hex(reply.get("COMMIT").writeverf));
    }
    expect(verifiers.size).toBe(1);
    await world.finish();
  });

  it("behind the end leaves zeros between", async () => {
    const { world, client, file } = await begin();
    (await client.compound().putfh(file.handle).write(file.stateid, 3, "x").send()).ok();
    const { data } = (await client.compound().putfh(file.handle).read(file.stateid, 0, 9).send()).ok().get("READ");
    expect(hex(data)).toBe("00000078");
    await world.finish();
  });

  it("of 0 bytes changes nothing and succeeds", async () => {
    const { world, client, file } = await begin();
    const change = async () =>
      hex(
        (await client.compound().putfh(file.handle).getattr(3, 4).send()).ok().get("GETATTR").obj_attributes.attr_vals,
      );
    const before = await change();
    const { count } = (await client.compound().putfh(file.handle).write(file.stateid, 100, "").send())
      .ok()
      .get("WRITE");
    expect(count).toBe(0);
    expect(await change()).toBe(before);
    await world.finish();
  });

  it("past the largest file size is FBIG, up to it not", async () => {
    const { world, client, file } = await begin();
    const write = async (offset: number) =>
      (await client.compound().putfh(file.handle).write(file.stateid, offset, "xy").send()).status;
    expect(await write(MAX - 1)).toBe("NFS4ERR_FBIG");
    expect(await write(2 ** 64 - 2048)).toBe("NFS4ERR_FBIG");
    expect(await write(MAX - 2)).toBe("NFS4_OK");
    await world.finish();
  });

  it("to a full file system: as much as fits, then NOSPC", async () => {
    const world = await World.create({ capacity: 65_536 });
    const client = await world.mount(minor);
    await client.writeFile("/f", "");
    const file = await client.open("/f");
    const write = () => client.compound().putfh(file.handle).write(file.stateid, 65_530, "0123456789").send();
    expect((await write()).ok().get("WRITE").count).toBe(6);
    await client.compound().putfh(file.handle).write(file.stateid, 0, "x").send();
    const behind = await client.compound().putfh(file.handle).write(file.stateid, 65_536, "x").send();
    expect(behind.status).toBe("NFS4ERR_NOSPC");
    await world.finish();
  });
});

describe("the verifier of WRITE and COMMIT (RFC 8881 §18.3.3, §18.32.3)", () => {
  const begin = async () => {
    const world = await World.create({ delayed: true });
    const client = await world.client41("alpha", 2);
    await client.writeFile("/f", "x");
    const file = await client.open("/f");
    const write = (stable: 0 | 1 | 2 = UNSTABLE) =>
      client.compound().putfh(file.handle).write(file.stateid, 0, "data", stable).send();
    const commit = () => client.compound().putfh(file.handle).commit().send();
    return { world, client, file, write, commit };
  };
  const io = (member: string) => (called: string) => {
    if (called === member) throw Object.assign(new Error("the disk"), { code: "EIO" });
  };

  it("changes when a COMMIT fails, so that every client writes again", async () => {
    const { world, write, commit } = await begin();
    const before = hex((await write()).ok().get("WRITE").writeverf);
    world.delays.onCall = io("commit");
    expect((await commit()).status).toBe("NFS4ERR_IO");
    world.delays.onCall = () => {};
    const after = hex((await commit()).ok().get("COMMIT").writeverf);
    expect(after).not.toBe(before);
    expect(hex((await write()).ok().get("WRITE").writeverf)).toBe(after);
    await world.finish();
  });

  it("changes when a stable WRITE fails, not for an unstable one", async () => {
    const { world, write, commit } = await begin();
    const before = hex((await commit()).ok().get("COMMIT").writeverf);
    world.delays.onCall = io("write");
    expect((await write(UNSTABLE)).status).toBe("NFS4ERR_IO");
    world.delays.onCall = () => {};
    expect(hex((await commit()).ok().get("COMMIT").writeverf)).toBe(before);
    world.delays.onCall = io("write");
    expect((await write(FILE_SYNC)).status).toBe("NFS4ERR_IO");
    world.delays.onCall = () => {};
    expect(hex((await commit()).ok().get("COMMIT").writeverf)).not.toBe(before);
    await world.finish();
  });

  it("changes when the disk fails SETATTR, ALLOCATE, or an OPEN that cuts", async () => {
    const { world, client, file, commit } = await begin();
    const seen = new Set([hex((await commit()).ok().get("COMMIT").writeverf)]);
    const { stateid, handle } = file;
    const range = { aa_stateid: stateid, aa_offset: 0n, aa_length: 10n };
    const requests: [string, () => Promise<Reply>][] = [
      ["setattr", () => client.compound().putfh(handle).setattr({ size: 1n }, stateid).send()],
      ["allocate", () => client.compound().putfh(handle).op("ALLOCATE", range).send()],
      ["setattr", () => client.tryOpen("/f", { create: "unchecked", attributes: { size: 0n } })],
    ];
    for (const [member, request] of requests) {
      world.delays.onCall = io(member);
      expect((await request()).status).toBe("NFS4ERR_IO");
      world.delays.onCall = () => {};
      seen.add(hex((await commit()).ok().get("COMMIT").writeverf));
    }
    expect(seen.size).toBe(1 + requests.length);
    await world.finish();
  });

  it("changes when a COMMIT fails while another runs: the other returns the new one", async () => {
    const { world, client, file, write } = await begin();
    const before = hex((await write()).ok().get("WRITE").writeverf);
    let failing = true;
    world.delays.onCall = (member) => {
      if (member === "commit" && failing) {
        failing = false;
        throw Object.assign(new Error("the disk"), { code: "EIO" });
      }
    };
    const commits = [1, 2].map((slot) => client.compound().on({ slot }).putfh(file.handle).commit().start());
    const replies = await world.run(Promise.all(commits));
    const good = replies.find(({ status }) => status === "NFS4_OK");
    expect(replies.map(({ status }) => status).sort()).toEqual(["NFS4ERR_IO", "NFS4_OK"]);
    expect(hex(good?.get("COMMIT").writeverf ?? new Uint8Array(0))).not.toBe(before);
    await world.finish();
  });

  it("is another one after a restart", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "x");
    const commit = async (of: typeof client) => hex((await of.at("/f").commit().send()).ok().get("COMMIT").writeverf);
    const before = await commit(client);
    await world.restart();
    expect(await commit(await world.client41())).not.toBe(before);
    await world.finish();
  });

  it("COMMIT of a range past all files has nothing to do, and succeeds: RFC 8881 §15.2 knows no INVAL for it", async () => {
    const { world, client, file } = await begin();
    expect(
      (
        await client
          .compound()
          .putfh(file.handle)
          .commit(2 ** 60, 100)
          .send()
      ).status,
    ).toBe("NFS4_OK");
    await world.finish();
  });
});

describe.each([0, 1, 2])("SETATTR of the size in 4.%i (RFC 8881 §18.30)", (minor) => {
  it("cuts and extends; by an open it needs WRITE: OPENMODE", async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    await client.writeFile("/f", "0123456789");
    const reader = await client.open("/f", { access: READ, owner: "r" });
    const writer = await client.open("/f", { owner: "w" });
    const at = () => client.compound().putfh(reader.handle);
    expect((await at().setattr({ size: 4n }, reader.stateid).send()).status).toBe("NFS4ERR_OPENMODE");
    (await at().setattr({ size: 4n }, writer.stateid).send()).ok();
    (await at().setattr({ size: 6n }).send()).ok();
    expect(await client.readFile("/f")).toBe("0123\0\0");
    const { stateid } = await client.lock(writer);
    (await at().setattr({ size: 1n }, stateid).send()).ok();
    expect((await client.compound().putroot().setattr({ size: 0n }).send()).status).toBe(
      minor === 0 ? "NFS4ERR_ISDIR" : "NFS4ERR_WRONG_TYPE",
    );
    await world.finish();
  });

  it("without a size its stateid means nothing: some clients send uninitialised ones", async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    const handle = await client.writeFile("/f", "x");
    const junk = { seqid: 4711, other: utf8("uninitialise") };
    (await client.compound().putfh(handle).setattr({ mode: 0o600 }, junk).send()).ok();
    await world.finish();
  });
});

describe("sparse files (RFC 7862)", () => {
  const PAGE = 65_536;
  const begin = async () => {
    const world = await World.create();
    const client = await world.client41("alpha", 2);
    await client.writeFile("/f", "");
    const file = await client.open("/f");
    (await client.compound().putfh(file.handle).write(file.stateid, 0, "a").send()).ok();
    (
      await client
        .compound()
        .putfh(file.handle)
        .write(file.stateid, 4 * PAGE, "b")
        .setattr({ size: BigInt(8 * PAGE) })
        .send()
    ).ok();
    const seek = async (sa_offset: bigint, sa_what: 0 | 1) => {
      const reply = await client
        .compound()
        .putfh(file.handle)
        .op("SEEK", { sa_stateid: file.stateid, sa_offset, sa_what })
        .send();
      if (reply.status !== "NFS4_OK") return reply.status;
      const { sr_offset, sr_eof } = reply.get("SEEK");
      return [Number(sr_offset) / PAGE, sr_eof];
    };
    return { world, client, file, seek };
  };

  it("SEEK finds data and holes; what is not found any more is the end, beyond it NXIO (§15.11)", async () => {
    const { world, seek } = await begin();
    expect(await seek(0n, 0)).toEqual([0, false]);
    expect(await seek(BigInt(PAGE), 0)).toEqual([4, false]);
    expect(await seek(0n, 1)).toEqual([1, false]);
    expect(await seek(BigInt(4 * PAGE), 1)).toEqual([5, false]);
    expect(await seek(BigInt(5 * PAGE), 0)).toEqual([8, true]);
    expect(await seek(BigInt(8 * PAGE), 0)).toBe("NFS4ERR_NXIO");
    expect(await seek(BigInt(8 * PAGE), 1)).toBe("NFS4ERR_NXIO");
    expect(await seek(2n ** 64n - 1n, 0)).toBe("NFS4ERR_NXIO");
    await world.finish();
  });

  it("SEEK for a kind of content that there is not: UNION_NOTSUPP", async () => {
    const { world, client, file } = await begin();
    const args = { sa_stateid: file.stateid, sa_offset: 0n, sa_what: 9 as never };
    expect((await client.compound().putfh(file.handle).op("SEEK", args).send()).status).toBe("NFS4ERR_UNION_NOTSUPP");
    await world.finish();
  });

  it("every file has a hole at its end: SEEK of a hole in a full file gives its size", async () => {
    const { world, client } = await begin();
    await client.writeFile("/g", "full");
    const file = await client.open("/g");
    const reply = await client
      .compound()
      .putfh(file.handle)
      .op("SEEK", { sa_stateid: file.stateid, sa_offset: 0n, sa_what: 1 })
      .send();
    expect(reply.ok().get("SEEK")).toEqual({ sr_eof: true, sr_offset: 4n });
    await world.finish();
  });

  it("ALLOCATE takes room and extends; DEALLOCATE makes a hole and keeps the size (§15.1, §15.4)", async () => {
    const { world, client, file, seek } = await begin();
    const range = (offset: number, length: number) => [BigInt(offset * PAGE), BigInt(length * PAGE)] as const;
    const allocate = async (aa_offset: bigint, aa_length: bigint) =>
      (
        await client
          .compound()
          .putfh(file.handle)
          .op("ALLOCATE", { aa_stateid: file.stateid, aa_offset, aa_length })
          .send()
      ).status;
    const deallocate = async (da_offset: bigint, da_length: bigint) =>
      (
        await client
          .compound()
          .putfh(file.handle)
          .op("DEALLOCATE", { da_stateid: file.stateid, da_offset, da_length })
          .send()
      ).status;
    expect(await allocate(...range(7, 3))).toBe("NFS4_OK");
    expect(await seek(BigInt(5 * PAGE), 0)).toEqual([7, false]);
    expect(await deallocate(...range(0, 8))).toBe("NFS4_OK");
    expect(await seek(0n, 0)).toEqual([8, false]);
    const { data } = (await client.compound().putfh(file.handle).read(file.stateid, 0, 1).send()).ok().get("READ");
    expect(hex(data)).toBe("00");
    expect(await allocate(0n, 0n)).toBe("NFS4ERR_INVAL");
    expect(await deallocate(0n, 0n)).toBe("NFS4ERR_INVAL");
    expect(await allocate(2n ** 63n, 2n ** 63n)).toBe("NFS4ERR_FBIG");
    expect(await deallocate(BigInt(9 * PAGE), 2n ** 63n)).toBe("NFS4_OK");
    expect(await seek(BigInt(9 * PAGE), 1)).toEqual([9, false]);
    expect(await deallocate(2n ** 63n, 2n ** 63n)).toBe("NFS4_OK");
    await world.finish();
  });

  it("ALLOCATE, DEALLOCATE and SEEK of what is no regular file: WRONG_TYPE, for directories and links as well", async () => {
    const { world, client } = await begin();
    (await client.compound().putroot().mkdir("d").send()).ok();
    (
      await client
        .compound()
        .putroot()
        .create({ type: 5, linkdata: utf8("f") }, "l")
        .send()
    ).ok();
    const stateid = ANONYMOUS_STATEID;
    for (const path of ["/d", "/l"]) {
      for (const compound of [
        client.at(path).op("ALLOCATE", { aa_stateid: stateid, aa_offset: 0n, aa_length: 1n }),
        client.at(path).op("DEALLOCATE", { da_stateid: stateid, da_offset: 0n, da_length: 1n }),
        client.at(path).op("SEEK", { sa_stateid: stateid, sa_offset: 0n, sa_what: 0 }),
      ])
        expect((await compound.send()).status).toBe("NFS4ERR_WRONG_TYPE");
    }
    await world.finish();
  });

  it("ALLOCATE and DEALLOCATE need WRITE: OPENMODE", async () => {
    const { world, client } = await begin();
    const reader = await client.open("/f", { access: READ, owner: "r" });
    const args = { aa_stateid: reader.stateid, aa_offset: 0n, aa_length: 1n };
    expect((await client.compound().putfh(reader.handle).op("ALLOCATE", args).send()).status).toBe("NFS4ERR_OPENMODE");
    const dargs = { da_stateid: reader.stateid, da_offset: 0n, da_length: 1n };
    expect((await client.compound().putfh(reader.handle).op("DEALLOCATE", dargs).send()).status).toBe(
      "NFS4ERR_OPENMODE",
    );
    await world.finish();
  });
});

/** The COMPOUND engine (RFC 8881 §16.2, §2.10.6.4; RFC 7530 §14.2). */
import { CURRENT_STATEID, nfs_opnum4, OPERATIONS } from "@nfs4/protocol";
import { XdrWriter } from "@xdr-ts/xdr";
import { describe, expect, it } from "vitest";
import { hex, text, utf8 } from "../harness/bytes.ts";
import { World } from "../harness/world.ts";

/** Requirements of RFC 8881 §17 and RFC 7862 §13: "mandatory not to implement". */
const GONE_SINCE_41 = [
  "OPEN_CONFIRM",
  "RENEW",
  "SETCLIENTID",
  "SETCLIENTID_CONFIRM",
  "RELEASE_LOCKOWNER",
] as const satisfies readonly (keyof typeof OPERATIONS)[];

describe("COMPOUND", () => {
  it("repeats the tag, stops at the first failure and answers with its status (RFC 8881 §16.2.3)", async () => {
    const world = await World.create();
    const client = await world.client41();
    const compound = client.compound().putroot().lookup("none").getfh();
    compound.tag = utf8("what for");
    const reply = await compound.send();
    expect(reply.tag).toBe("what for");
    expect(reply.summary).toBe("SEQUENCE PUTROOTFH LOOKUP=NFS4ERR_NOENT");
    expect(reply.status).toBe("NFS4ERR_NOENT");
    await world.finish();
  });

  it("answers an empty COMPOUND with success in 4.0 (RFC 7530 §14.2.3)", async () => {
    const world = await World.create();
    const client = await world.client40();
    expect((await client.compound().send()).summary).toBe("");
    await world.finish();
  });

  it("answers MINOR_VERS_MISMATCH and no results to a minor version that it does not have (RFC 8881 §16.2.3)", async () => {
    const world = await World.create();
    const client = await world.client40();
    const compound = client.compound().putroot();
    compound.minor = 3;
    const reply = await compound.send();
    expect([reply.status, reply.operations.length]).toEqual(["NFS4ERR_MINOR_VERS_MISMATCH", 0]);
    await world.finish();
  });

  it.each([0, 1, 2])("4.%i: answers OP_ILLEGAL to numbers that are no operation (RFC 8881 §18.52)", async (minor) => {
    const world = await World.create();
    const client = await world.mount(minor);
    for (const number of [0, 1, 2, 77, 10044, 0xffff_ffff]) {
      const reply = await client.compound().raw(number).send();
      expect(reply.operations.at(-1)).toMatchObject({ name: "ILLEGAL", status: "NFS4ERR_OP_ILLEGAL" });
    }
    await world.finish();
  });

  it("answers OP_ILLEGAL to operations of later minor versions (RFC 8881 §2.7)", async () => {
    const world = await World.create();
    const c40 = await world.client40();
    const c41 = await world.client41("beta");
    for (const operation of Object.values(OPERATIONS)) {
      if (operation.name === "ILLEGAL") continue;
      for (const client of [c40, c41]) {
        if (operation.minorVersions[0] <= client.minor) continue;
        const reply = await client.compound().raw(operation.number).send();
        expect([operation.name, reply.operations.at(-1)?.name, reply.status]).toEqual([
          operation.name,
          "ILLEGAL",
          "NFS4ERR_OP_ILLEGAL",
        ]);
      }
    }
    await world.finish();
  });

  it.each(GONE_SINCE_41)(
    "answers NOTSUPP to %s in 4.1, where it must not be implemented (RFC 8881 §17)",
    async (name) => {
      const world = await World.create();
      const client = await world.client41();
      const reply = await client.compound().putroot().raw(OPERATIONS[name].number).send();
      expect(reply.operations.at(-1)).toMatchObject({ name, status: "NFS4ERR_NOTSUPP" });
      await world.finish();
    },
  );

  it("answers NOTSUPP to GETDEVICELIST in 4.2, which has abolished it (RFC 7862 §13)", async () => {
    const world = await World.create();
    const client = await world.client41("alpha", 2);
    const reply = await client.compound().putroot().raw(nfs_opnum4.OP_GETDEVICELIST).send();
    expect(reply.operations.at(-1)).toMatchObject({ name: "GETDEVICELIST", status: "NFS4ERR_NOTSUPP" });
    await world.finish();
  });

  it.each([0, 1, 2])(
    "4.%i: answers BADXDR to arguments that are cut short, and to a missing operation",
    async (minor) => {
      const world = await World.create();
      const client = await world.mount(minor);
      const cut = await client
        .compound()
        .putroot()
        .raw(nfs_opnum4.OP_LOOKUP, new Uint8Array([0, 0, 0, 9]))
        .send();
      expect(cut.operations.at(-1)).toMatchObject({ name: "LOOKUP", status: "NFS4ERR_BADXDR" });
      const enumeration = new XdrWriter();
      enumeration.uint32(17);
      const style =
        minor === 0 ? await client.compound().putroot().raw(nfs_opnum4.OP_CREATE, enumeration.bytes()).send() : null;
      if (style) expect(style.status).toBe("NFS4ERR_BADXDR");
      await world.finish();
    },
  );

  it("refuses a count of operations that the call cannot hold as garbage (RFC 5531 §9)", async () => {
    const world = await World.create();
    const client = await world.client40();
    const request = client.compound().putroot().encode([], 1000);
    await expect(world.run(client.wire.start(request))).rejects.toMatchObject({ code: "RPC_GARBAGE_ARGS" });
    const endless = client.compound();
    endless.tag = new Uint8Array(2000);
    await expect(world.run(endless.start())).rejects.toMatchObject({ code: "RPC_GARBAGE_ARGS" });
    await world.finish();
  });

  it("answers RESOURCE to a 4.0 COMPOUND of more than 256 operations (RFC 7530 §13.1.3.4)", async () => {
    const world = await World.create();
    const client = await world.client40();
    const compound = client.compound();
    for (let i = 0; i < 300; i++) compound.putroot();
    expect((await compound.send()).status).toBe("NFS4ERR_RESOURCE");
    await world.finish();
  });

  it.each([0, 1, 2])(
    "4.%i: answers NOFILEHANDLE where there is no current or saved one (RFC 8881 §16.2.3.1.1)",
    async (minor) => {
      const world = await World.create();
      const client = await world.mount(minor);
      const without = [
        client.compound().getfh(),
        client.compound().lookup("x"),
        client.compound().lookupp(),
        client.compound().getattr(1),
        client.compound().savefh(),
        client.compound().readdir(),
        client.compound().readlink(),
        client.compound().access(63),
        client.compound().commit(),
        client.compound().remove("x"),
        client.compound().read(CURRENT_STATEID, 0, 1),
        client.compound().write(CURRENT_STATEID, 0, "x"),
        client.compound().setattr({ mode: 0o600 }),
        client.compound().mkdir("x"),
        client.compound().op("SECINFO", { name: utf8("x") }),
        client.compound().op("VERIFY", { obj_attributes: { attrmask: [], attr_vals: new Uint8Array(0) } }),
        client.compound().op("NVERIFY", { obj_attributes: { attrmask: [], attr_vals: new Uint8Array(0) } }),
        client.compound().putroot().rename("a", "b"),
        client.compound().putroot().link("b"),
      ];
      for (const compound of without) expect((await compound.send()).status).toBe("NFS4ERR_NOFILEHANDLE");
      // RFC 7530 §16.28.4 has a status of its own for it, which 4.1 gave up.
      const restore = await client.compound().restorefh().send();
      expect(restore.status).toBe(minor === 0 ? "NFS4ERR_RESTOREFH" : "NFS4ERR_NOFILEHANDLE");
      await world.finish();
    },
  );

  it.each([0, 1, 2])(
    "4.%i: SAVEFH and RESTOREFH keep a filehandle, PUTPUBFH means the same as PUTROOTFH",
    async (minor) => {
      const world = await World.create();
      const client = await world.mount(minor);
      (await client.compound().putroot().mkdir("d").send()).ok();
      const reply = (
        await client
          .compound()
          .putroot()
          .savefh()
          .lookup("d")
          .restorefh()
          .getfh()
          .op("PUTPUBFH", undefined)
          .getfh()
          .send()
      ).ok();
      const handles = reply.operations.filter(({ name }) => name === "GETFH");
      const [restored, publicOne] = handles.map(({ result }) =>
        hex((result as { resok4: { object: Uint8Array } }).resok4.object),
      );
      expect(restored).toBe(publicOne);
      await world.finish();
    },
  );

  it("calls that are no COMPOUND: NULL is answered, other procedures are unavailable (RFC 7530 §14.1)", async () => {
    const world = await World.create();
    const wire = await world.wire();
    const call = (procedure: number, version = 4) => world.run(wire.rpc.call({ program: 100003, version, procedure }));
    await expect(call(0)).resolves.toBeUndefined();
    await expect(call(2)).rejects.toMatchObject({ code: "RPC_PROC_UNAVAIL" });
    await expect(call(1, 3)).rejects.toMatchObject({ code: "RPC_PROG_MISMATCH" });
    await world.finish();
  });
});

describe("the current stateid (RFC 8881 §16.2.3.1.2)", () => {
  it("is that of OPEN for READ, WRITE and CLOSE in the same COMPOUND", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "content");
    const reply = await client
      .addOpen(client.compound().putroot(), "f", {})
      .read(CURRENT_STATEID, 0, 100)
      .write(CURRENT_STATEID, 0, "CON")
      .close(CURRENT_STATEID)
      .send();
    expect(text(reply.ok().get("READ").data)).toBe("content");
    expect(await client.readFile("/f")).toBe("CONtent");
    await world.finish();
  });

  it("is saved and restored with the filehandle, and lost when that changes", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "content");
    const kept = await client
      .addOpen(client.compound().putroot(), "f", {})
      .savefh()
      .putroot()
      .restorefh()
      .close(CURRENT_STATEID)
      .send();
    kept.ok();
    const lost = await client
      .addOpen(client.compound().putroot(), "f", {})
      .getfh()
      .putroot()
      .lookup("f")
      .read(CURRENT_STATEID, 0, 1)
      .send();
    expect(lost.summary).toContain("READ=NFS4ERR_BAD_STATEID");
    const { stateid } = lost.get("OPEN");
    (await client.compound().putfh(lost.get("GETFH").object).close(stateid).send()).ok();
    await world.finish();
  });

  it("does not exist in 4.0: BAD_STATEID", async () => {
    const world = await World.create();
    const client = await world.client40();
    await client.writeFile("/f", "content");
    expect((await client.at("/f").read(CURRENT_STATEID, 0, 1).send()).status).toBe("NFS4ERR_BAD_STATEID");
    await world.finish();
  });
});

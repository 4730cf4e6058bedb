/** OPEN with every claim and create mode, OPEN_DOWNGRADE and CLOSE (RFC 8881 §18.16, §18.18, §18.2; RFC 7530 §16.16). */
import {
  ANONYMOUS_STATEID,
  bitsOf,
  CLAIM_DELEG_CUR_FH,
  CLAIM_DELEG_PREV_FH,
  CLAIM_DELEGATE_CUR,
  CLAIM_DELEGATE_PREV,
  CLAIM_FH,
  CLAIM_PREVIOUS,
  type createhow4,
  FATTR4_MODE,
  FATTR4_SIZE,
  FATTR4_TIME_ACCESS,
  FATTR4_TIME_MODIFY,
  makeFattr4,
  OPEN_DELEGATE_NONE,
  OPEN_DELEGATE_NONE_EXT,
  OPEN4_RESULT_LOCKTYPE_POSIX,
  OPEN4_RESULT_PRESERVE_UNLINKED,
  OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
} from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { hex, utf8, verifier } from "../harness/bytes.ts";
import type { Mount } from "../harness/mount.ts";
import { BOTH, DENY_BOTH, DENY_NONE, DENY_READ, DENY_WRITE, READ, WRITE } from "../harness/open-options.ts";
import { ALICE } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

const exclusive = (number: number): createhow4 => ({ mode: 2, createverf: verifier(number) });
const exclusive41 = (number: number, attributes: Parameters<typeof makeFattr4>[0]): createhow4 => ({
  mode: 3,
  ch_createboth: { cva_verf: verifier(number), cva_attrs: makeFattr4(attributes) },
});

async function sizeAndMode(client: Mount, path: string): Promise<[number, number]> {
  const { attr_vals } = (await client.at(path).getattr(FATTR4_SIZE, FATTR4_MODE).send())
    .ok()
    .get("GETATTR").obj_attributes;
  const view = new DataView(attr_vals.buffer, attr_vals.byteOffset);
  return [Number(view.getBigUint64(0)), view.getUint32(8)];
}

describe.each([0, 1, 2])("OPEN in 4.%i", (minor) => {
  const begin = async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    return { world, client };
  };

  it("with CLAIM_NULL opens what is there, and makes it the current filehandle", async () => {
    const { world, client } = await begin();
    const handle = await client.writeFile("/f", "x");
    const reply = (await client.tryOpen("/f")).ok();
    expect(hex(reply.get("GETFH").object)).toBe(hex(handle));
    const { cinfo, delegation, rflags } = reply.get("OPEN");
    expect(cinfo.before).toBe(cinfo.after);
    expect(delegation.delegation_type).toBe(OPEN_DELEGATE_NONE);
    expect(rflags & OPEN4_RESULT_LOCKTYPE_POSIX).not.toBe(0);
    expect((await client.tryOpen("/none")).status).toBe("NFS4ERR_NOENT");
    await world.finish();
  });

  it("UNCHECKED4 makes a file with its attributes, and tells which were set and how the directory changed", async () => {
    const { world, client } = await begin();
    const reply = (await client.tryOpen("/f", { create: "unchecked", attributes: { mode: 0o640, size: 5n } })).ok();
    const { attrset, cinfo } = reply.get("OPEN");
    expect(bitsOf(attrset)).toEqual([FATTR4_SIZE, FATTR4_MODE]);
    expect([cinfo.atomic, cinfo.after > cinfo.before]).toEqual([true, true]);
    expect(await sizeAndMode(client, "/f")).toEqual([5, 0o640]);
    await world.finish();
  });

  it("UNCHECKED4 on a file that is there: attributes are not used, but size 0 truncates", async () => {
    const { world, client } = await begin();
    await client.writeFile("/f", "content", 0o600);
    const kept = (
      await client.tryOpen("/f", { create: "unchecked", attributes: { mode: 0o777, size: 3n }, owner: "a" })
    ).ok();
    expect(bitsOf(kept.get("OPEN").attrset)).toEqual([]);
    expect(await sizeAndMode(client, "/f")).toEqual([7, 0o600]);
    const cut = (await client.tryOpen("/f", { create: "unchecked", attributes: { size: 0n }, owner: "b" })).ok();
    expect(bitsOf(cut.get("OPEN").attrset)).toEqual([FATTR4_SIZE]);
    expect(await sizeAndMode(client, "/f")).toEqual([0, 0o600]);
    await world.finish();
  });

  it("GUARDED4 makes a file once: EXIST", async () => {
    const { world, client } = await begin();
    expect((await client.tryOpen("/f", { create: "guarded", owner: "a" })).status).toBe("NFS4_OK");
    expect((await client.tryOpen("/f", { create: "guarded", owner: "b" })).status).toBe("NFS4ERR_EXIST");
    (await client.compound().putroot().mkdir("d").send()).ok();
    expect((await client.tryOpen("/d", { create: "guarded", owner: "c" })).status).toBe("NFS4ERR_EXIST");
    await world.finish();
  });

  it("EXCLUSIVE4: a retry with the same verifier opens what the first made, another one gets EXIST", async () => {
    const { world, client } = await begin();
    const first = (await client.tryOpen("/f", { create: exclusive(7), owner: "a" })).ok();
    expect(bitsOf(first.get("OPEN").attrset)).toEqual([FATTR4_TIME_ACCESS, FATTR4_TIME_MODIFY]);
    const again = (await client.tryOpen("/f", { create: exclusive(7), owner: "b" })).ok();
    expect(hex(again.get("GETFH").object)).toBe(hex(first.get("GETFH").object));
    expect((await client.tryOpen("/f", { create: exclusive(8), owner: "c" })).status).toBe("NFS4ERR_EXIST");
    await world.finish();
  });

  it("EXCLUSIVE4_1 sets attributes, too; 4.0 cannot decode it", async () => {
    const { world, client } = await begin();
    const reply = await client.tryOpen("/f", { create: exclusive41(7, { mode: 0o600 }), owner: "a" });
    if (minor === 0) {
      expect(reply.status).toBe("NFS4ERR_BADXDR");
    } else {
      expect(bitsOf(reply.ok().get("OPEN").attrset)).toContain(FATTR4_MODE);
      expect(await sizeAndMode(client, "/f")).toEqual([0, 0o600]);
      expect((await client.tryOpen("/f", { create: exclusive41(7, { mode: 0o600 }), owner: "b" })).status).toBe(
        "NFS4_OK",
      );
      expect((await client.tryOpen("/f", { create: exclusive41(9, { mode: 0o600 }), owner: "c" })).status).toBe(
        "NFS4ERR_EXIST",
      );
      // The times hold the verifier (suppattr_exclcreat does not have them).
      const times = exclusive41(1, { time_modify_set: { set_it: 0 } });
      expect((await client.tryOpen("/g", { create: times, owner: "d" })).status).toBe("NFS4ERR_INVAL");
    }
    await world.finish();
  });

  it("of what is no regular file: ISDIR, SYMLINK", async () => {
    const { world, client } = await begin();
    (await client.compound().putroot().mkdir("d").send()).ok();
    (
      await client
        .compound()
        .putroot()
        .create({ type: 5, linkdata: utf8("d") }, "l")
        .send()
    ).ok();
    (await client.compound().putroot().create({ type: 7 }, "p").send()).ok();
    expect((await client.tryOpen("/d", { owner: "a" })).status).toBe("NFS4ERR_ISDIR");
    expect((await client.tryOpen("/l", { owner: "b" })).status).toBe("NFS4ERR_SYMLINK");
    // RFC 7530 §16.16.6 has SYMLINK for special files; so have we in 4.1, for Linux opens them itself then.
    expect((await client.tryOpen("/p", { owner: "c" })).status).toBe("NFS4ERR_SYMLINK");
    expect((await client.tryOpen("/d", { owner: "d", create: "unchecked" })).status).toBe("NFS4ERR_ISDIR");
    expect((await client.tryOpen("/l/x", { owner: "e" })).status).not.toBe("NFS4_OK");
    await world.finish();
  });

  it("in what is no directory: NOTDIR", async () => {
    const { world, client } = await begin();
    const handle = await client.writeFile("/f", "x");
    const reply = await client
      .addOpen(client.compound().putfh(handle), "g", { owner: "z", create: "unchecked" })
      .send();
    expect(reply.status).toBe("NFS4ERR_NOTDIR");
    await world.finish();
  });

  it("refuses no access, unknown access and unknown denial: INVAL", async () => {
    const { world, client } = await begin();
    await client.writeFile("/f", "x");
    for (const wrong of [{ access: 0 }, { access: 4 }, { deny: 4 }, { access: 0x4000_0001 }]) {
      expect((await client.tryOpen("/f", { owner: "a", ...wrong })).status).toBe("NFS4ERR_INVAL");
    }
    if (minor > 0) expect((await client.tryOpen("/f", { access: 1 | 0x0600 })).status).toBe("NFS4ERR_INVAL");
    await world.finish();
  });

  it("decides permission by the mode: ACCESS", async () => {
    const { world, client } = await begin();
    await client.writeFile("/f", "x", 0o604);
    expect((await client.tryOpen("/f", { user: ALICE, access: READ, owner: "a" })).status).toBe("NFS4_OK");
    expect((await client.tryOpen("/f", { user: ALICE, access: BOTH, owner: "b" })).status).toBe("NFS4ERR_ACCESS");
    await world.finish();
  });

  it("a file made 0444 stays writable to who made it, by that open", async () => {
    const { world, client } = await begin();
    client.user = ALICE;
    const file = await client.open("/f", { create: "unchecked", attributes: { mode: 0o444 } });
    (await client.compound().putfh(file.handle).write(file.stateid, 0, "mine").send()).ok();
    expect((await client.compound().putfh(file.handle).setattr({ size: 2n }, file.stateid).send()).status).toBe(
      "NFS4_OK",
    );
    expect((await client.tryOpen("/f", { access: WRITE, owner: "again" })).status).toBe("NFS4ERR_ACCESS");
    await world.finish();
  });

  it("an upgrade by the same owner: one stateid, its seqid one higher, the access of both (RFC 8881 §9.11)", async () => {
    const { world, client } = await begin();
    await client.writeFile("/f", "x");
    const first = await client.open("/f", { access: READ });
    const second = await client.open("/f", { access: WRITE });
    expect(hex(second.stateid.other)).toBe(hex(first.stateid.other));
    expect(second.stateid.seqid).toBe(first.stateid.seqid + 1);
    (await client.compound().putfh(second.handle).read(second.stateid, 0, 1).send()).ok();
    (await client.compound().putfh(second.handle).write(second.stateid, 0, "y").send()).ok();
    (await client.close(second)).ok();
    expect([...world.server.clients][0]?.states.size).toBe(0);
    await world.finish();
  });

  it("that fails does not change the state that its owner has", async () => {
    const { world, client } = await begin();
    await client.writeFile("/f", "content");
    const file = await client.open("/f", { access: READ });
    const other = await world.mount(minor, "other");
    await other.open("/f", { access: READ, deny: DENY_WRITE });
    expect((await client.tryOpen("/f", { access: WRITE })).status).toBe("NFS4ERR_SHARE_DENIED");
    const truncating = { access: WRITE, create: "unchecked", attributes: { size: 0n } } as const;
    expect((await client.tryOpen("/f", truncating)).status).toBe("NFS4ERR_SHARE_DENIED");
    expect((await client.compound().putfh(file.handle).read(file.stateid, 0, 10).send()).status).toBe("NFS4_OK");
    expect(await sizeAndMode(client, "/f")).toEqual([7, 0o644]);
    await world.finish();
  });

  it("with CLAIM_DELEGATE_CUR and CLAIM_DELEGATE_PREV: there is no delegation to go on with or to take back", async () => {
    const { world, client } = await begin();
    await client.writeFile("/f", "x");
    const current = { delegate_stateid: { seqid: 1, other: new Uint8Array(12).fill(3) }, file: utf8("f") };
    const cur = await client.tryOpen("/f", {
      claim: { claim: CLAIM_DELEGATE_CUR, delegate_cur_info: current },
      owner: "a",
    });
    expect(cur.status).toBe("NFS4ERR_BAD_STATEID");
    const prev = await client.tryOpen("/f", {
      claim: { claim: CLAIM_DELEGATE_PREV, file_delegate_prev: utf8("f") },
      owner: "b",
    });
    expect(prev.status).toBe("NFS4ERR_RECLAIM_BAD");
    await world.finish();
  });

  it("with CLAIM_PREVIOUS outside of grace: NO_GRACE", async () => {
    const { world, client } = await begin();
    const handle = await client.writeFile("/f", "x");
    const claim = { claim: CLAIM_PREVIOUS, delegate_type: OPEN_DELEGATE_NONE } as const;
    const reply = await client.addOpen(client.compound().putfh(handle), "", { claim, owner: "a" }).send();
    expect(reply.status).toBe("NFS4ERR_NO_GRACE");
    await world.finish();
  });
});

describe("OPEN since 4.1", () => {
  it("with CLAIM_FH opens the current filehandle; 4.0 cannot decode that", async () => {
    const world = await World.create();
    const client = await world.client41();
    const handle = await client.writeFile("/f", "content");
    const open = (mount: Mount) =>
      mount.addOpen(mount.compound().putfh(handle), "", { claim: { claim: CLAIM_FH }, owner: "h" }).send();
    const { stateid } = (await open(client)).ok().get("OPEN");
    (await client.compound().putfh(handle).read(stateid, 0, 10).send()).ok();
    expect((await open(await world.client40("old"))).status).toBe("NFS4ERR_BADXDR");
    await world.finish();
  });

  it("with CLAIM_FH and a create mode: INVAL", async () => {
    const world = await World.create();
    const client = await world.client41();
    const handle = await client.writeFile("/f", "content");
    const options = { claim: { claim: CLAIM_FH }, create: "unchecked" } as const;
    expect((await client.addOpen(client.compound().putfh(handle), "", options).send()).status).toBe("NFS4ERR_INVAL");
    await world.finish();
  });

  it("with CLAIM_DELEG_CUR_FH and CLAIM_DELEG_PREV_FH: as with the claims by name", async () => {
    const world = await World.create();
    const client = await world.client41();
    const handle = await client.writeFile("/f", "content");
    const cur = {
      claim: CLAIM_DELEG_CUR_FH,
      oc_delegate_stateid: { seqid: 1, other: new Uint8Array(12).fill(3) },
    } as const;
    const open = (claim: typeof cur | { claim: typeof CLAIM_DELEG_PREV_FH }) =>
      client.addOpen(client.compound().putfh(handle), "", { claim }).send();
    expect((await open(cur)).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await open({ claim: CLAIM_DELEG_PREV_FH })).status).toBe("NFS4ERR_RECLAIM_BAD");
    await world.finish();
  });

  it("promises nothing over restarts for files without a name (RFC 8881 §18.16.4), and OPEN_DOWNGRADE passes over wishes (§18.18.3)", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "x");
    await client.open("/f", { access: READ });
    const file = await client.open("/f");
    expect(file.rflags & OPEN4_RESULT_PRESERVE_UNLINKED).toBe(0);
    expect((await client.downgrade(file, READ | OPEN4_SHARE_ACCESS_WANT_NO_DELEG, 0)).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("says why there is no delegation to who wished for one", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "content");
    const whyNone = async (want: number) =>
      (await client.tryOpen("/f", { access: READ | want })).ok().get("OPEN").delegation;
    expect(await whyNone(0x0100)).toMatchObject({
      delegation_type: OPEN_DELEGATE_NONE_EXT,
      od_whynone: { ond_why: 2 },
    });
    expect(await whyNone(0x0400)).toMatchObject({
      delegation_type: OPEN_DELEGATE_NONE_EXT,
      od_whynone: { ond_why: 0 },
    });
    expect(await whyNone(0)).toEqual({ delegation_type: OPEN_DELEGATE_NONE });
    await world.finish();
  });

  it("ignores the clientid of the owner: the session's client it is (RFC 8881 §18.16.3)", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "content");
    const { openArgs } = await import("../harness/open-options.ts");
    const args = openArgs("f", {}, { hi: 77, lo: 77 }, 0);
    expect((await client.compound().putroot().op("OPEN", args).send()).status).toBe("NFS4_OK");
    await world.finish();
  });
});

describe.each([0, 1])("share reservations in 4.%i (RFC 8881 §9.7)", (minor) => {
  const begin = async () => {
    const world = await World.create();
    const [a, b] = [await world.mount(minor, "a"), await world.mount(minor, "b")];
    const handle = await a.writeFile("/f", "content");
    return { world, a, b, handle };
  };

  it.each([
    [READ, DENY_NONE, READ, DENY_NONE, true],
    [READ, DENY_WRITE, READ, DENY_WRITE, true],
    [READ, DENY_WRITE, WRITE, DENY_NONE, false],
    [READ, DENY_READ, READ, DENY_NONE, false],
    [READ, DENY_READ, WRITE, DENY_NONE, true],
    [WRITE, DENY_NONE, READ, DENY_WRITE, false],
    [BOTH, DENY_BOTH, READ, DENY_NONE, false],
    [BOTH, DENY_NONE, READ, DENY_BOTH, false],
    [WRITE, DENY_NONE, WRITE, DENY_READ, true],
  ])("OPEN access %i deny %i, then access %i deny %i: granted %s", async (access, deny, access2, deny2, granted) => {
    const { world, a, b } = await begin();
    await a.open("/f", { access, deny });
    expect((await b.tryOpen("/f", { access: access2, deny: deny2 })).status).toBe(
      granted ? "NFS4_OK" : "NFS4ERR_SHARE_DENIED",
    );
    expect((await a.tryOpen("/f", { access: access2, deny: deny2, owner: "another" })).status).toBe(
      granted ? "NFS4_OK" : "NFS4ERR_SHARE_DENIED",
    );
    await world.finish();
  });

  it("hold against the same owner's further OPENs as well (RFC 8881 §18.16.3)", async () => {
    const { world, a } = await begin();
    await a.open("/f", { access: BOTH, deny: DENY_WRITE });
    expect((await a.tryOpen("/f", { access: WRITE })).status).toBe("NFS4ERR_SHARE_DENIED");
    expect((await a.tryOpen("/f", { access: READ })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("end with CLOSE and with OPEN_DOWNGRADE", async () => {
    const { world, a, b } = await begin();
    const file = await a.open("/f", { access: READ });
    const both = await a.open("/f", { access: READ, deny: DENY_WRITE });
    file.stateid = both.stateid;
    expect((await b.tryOpen("/f", { access: WRITE })).status).toBe("NFS4ERR_SHARE_DENIED");
    expect((await a.downgrade(file, READ, DENY_NONE)).status).toBe("NFS4_OK");
    const theirs = await b.open("/f", { access: WRITE });
    (await b.close(theirs)).ok();
    (await a.close(file)).ok();
    expect((await b.tryOpen("/f", { access: BOTH, deny: DENY_BOTH })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("hold against READ and WRITE without an open: LOCKED; a READ that bypasses passes", async () => {
    const { world, a, b, handle } = await begin();
    await a.open("/f", { access: BOTH, deny: DENY_BOTH });
    const ones = { seqid: 0xffff_ffff, other: new Uint8Array(12).fill(0xff) };
    expect((await b.compound().putfh(handle).read(ANONYMOUS_STATEID, 0, 1).send()).status).toBe("NFS4ERR_LOCKED");
    expect((await b.compound().putfh(handle).read(ones, 0, 1).send()).status).toBe("NFS4_OK");
    expect((await b.compound().putfh(handle).write(ANONYMOUS_STATEID, 0, "x").send()).status).toBe("NFS4ERR_LOCKED");
    expect((await b.compound().putfh(handle).write(ones, 0, "x").send()).status).toBe("NFS4ERR_LOCKED");
    expect((await b.compound().putfh(handle).setattr({ size: 0n }).send()).status).toBe("NFS4ERR_LOCKED");
    await world.finish();
  });
});

describe.each([0, 1])("OPEN_DOWNGRADE in 4.%i (RFC 8881 §18.18)", (minor) => {
  const begin = async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    await client.writeFile("/f", "content");
    return { world, client };
  };

  it("goes back to what is a union of OPENs in effect, and to nothing else: INVAL", async () => {
    const { world, client } = await begin();
    const file = await client.open("/f", { access: BOTH });
    expect((await client.downgrade(file, READ, DENY_NONE)).status).toBe("NFS4ERR_INVAL");
    file.stateid = (await client.open("/f", { access: READ })).stateid;
    expect((await client.downgrade(file, WRITE, DENY_NONE)).status).toBe("NFS4ERR_INVAL");
    expect((await client.downgrade(file, READ, DENY_WRITE)).status).toBe("NFS4ERR_INVAL");
    expect((await client.downgrade(file, 0, DENY_NONE)).status).toBe("NFS4ERR_INVAL");
    expect((await client.downgrade(file, READ, DENY_NONE)).status).toBe("NFS4_OK");
    expect((await client.compound().putfh(file.handle).write(file.stateid, 0, "x").send()).status).toBe(
      "NFS4ERR_OPENMODE",
    );
    expect((await client.compound().putfh(file.handle).read(file.stateid, 0, 1).send()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("forgets the OPENs that it undid: there is no way up again", async () => {
    const { world, client } = await begin();
    const file = await client.open("/f", { access: READ });
    file.stateid = (await client.open("/f", { access: WRITE })).stateid;
    (await client.downgrade(file, READ, DENY_NONE)).ok();
    expect((await client.downgrade(file, BOTH, DENY_NONE)).status).toBe("NFS4ERR_INVAL");
    await world.finish();
  });

  it("closes what the file system had opened for writing", async () => {
    const world = await World.create({ delayed: true });
    const client = await world.mount(minor);
    await client.writeFile("/f", "content");
    const file = await client.open("/f", { access: READ });
    file.stateid = (await client.open("/f", { access: WRITE })).stateid;
    await world.pass(1);
    expect(world.delays.openFiles).toBe(2);
    (await client.downgrade(file, READ, DENY_NONE)).ok();
    await world.pass(1);
    expect(world.delays.openFiles).toBe(1);
    (await client.close(file)).ok();
    await world.pass(1);
    expect(world.delays.openFiles).toBe(0);
    await world.finish();
  });
});

describe.each([0, 1])("CLOSE in 4.%i (RFC 8881 §18.2)", (minor) => {
  it("is refused while byte-range locks are held: LOCKS_HELD; lock stateids without locks go along", async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    await client.writeFile("/f", "content");
    const file = await client.open("/f");
    await client.lock(file);
    expect((await client.close(file)).status).toBe("NFS4ERR_LOCKS_HELD");
    (await client.unlock(file)).ok();
    const close = (await client.close(file)).ok();
    // What 4.1 returns can never be used (RFC 8881 §18.2.4).
    if (minor > 0)
      expect(close.result("CLOSE")).toMatchObject({ open_stateid: { seqid: 0xffff_ffff, other: new Uint8Array(12) } });
    expect([...world.server.clients][0]?.states.size).toBe(0);
    await world.finish();
  });

  it("needs the file that was opened, and closes once: BAD_STATEID", async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    await client.writeFile("/f", "content");
    const other = await client.writeFile("/g", "content");
    const file = await client.open("/f");
    expect((await client.close({ ...file, handle: other })).status).toBe("NFS4ERR_BAD_STATEID");
    expect((await client.close(file)).status).toBe("NFS4_OK");
    expect((await client.close(file)).status).toBe("NFS4ERR_BAD_STATEID");
    await world.finish();
  });

  it("keeps an unlinked file until then: open, REMOVE, READ", async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    await client.writeFile("/f", "content");
    const file = await client.open("/f");
    (await client.compound().putroot().remove("f").send()).ok();
    (await client.compound().putfh(file.handle).read(file.stateid, 0, 10).send()).ok();
    (await client.compound().putfh(file.handle).write(file.stateid, 0, "CON").send()).ok();
    (await client.close(file)).ok();
    expect((await client.compound().putfh(file.handle).send()).status).toBe("NFS4ERR_STALE");
    await world.finish();
  });
});

describe("delegations, of which there are none", () => {
  it.each([0, 1])("4.%i: DELEGRETURN gets BAD_STATEID, an open's stateid too", async (minor) => {
    const world = await World.create();
    const client = await world.mount(minor);
    await client.writeFile("/f", "content");
    const file = await client.open("/f");
    const giveBack = async (deleg_stateid: typeof file.stateid) =>
      (await client.compound().putfh(file.handle).op("DELEGRETURN", { deleg_stateid }).send()).status;
    expect(await giveBack(file.stateid)).toBe("NFS4ERR_BAD_STATEID");
    expect(await giveBack({ seqid: 1, other: new Uint8Array(12).fill(0x7f) })).toBe("NFS4ERR_BAD_STATEID");
    await world.finish();
  });

  it.each([0, 1])("4.%i: DELEGPURGE finds nothing to purge: NFS4_OK", async (minor) => {
    const world = await World.create();
    const client = await world.mount(minor);
    const purge = async (clientid: typeof client.clientid) =>
      (await client.compound().op("DELEGPURGE", { clientid }).send()).status;
    expect(await purge(client.clientid)).toBe("NFS4_OK");
    if (minor === 0) expect(await purge({ hi: 1, lo: 1 })).toBe("NFS4ERR_STALE_CLIENTID");
    await world.finish();
  });
});

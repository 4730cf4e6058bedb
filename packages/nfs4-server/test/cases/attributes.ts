/** GETATTR, SETATTR, VERIFY, NVERIFY and ACCESS (RFC 8881 §5, §18.1, §18.7, §18.15, §18.30, §18.31; RFC 7862 §12.2; RFC 8275). */
import * as p from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { PAGE_SIZE } from "../../src/filesystem/memory/page-store.ts";
import { attributes, valuesOf } from "../harness/attributes.ts";
import { text, utf8 } from "../harness/bytes.ts";
import type { Compound } from "../harness/compound.ts";
import { ALICE, BOB, ROOT, type User } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

const EVERYTHING = p.ATTRIBUTES.map(({ number }) => number).filter(
  (number) => p.hasBit(p.GETTABLE_ATTRIBUTES, number) && number !== p.FATTR4_RDATTR_ERROR,
);
/** What nothing below a server of files can tell: ACLs, named attributes, migration, layouts, retention, quotas, labels, clones. */
const NOT_HERE = [
  "acl archive fs_locations hidden mimetype quota_avail_hard quota_avail_soft quota_used system time_backup",
  "dir_notif_delay dirent_notif_delay dacl sacl change_policy fs_status fs_layout_types layout_hint layout_types",
  "layout_blksize layout_alignment fs_locations_info mdsthreshold retention_get retention_set retentevt_get",
  "retentevt_set retention_hold clone_blksize space_freed sec_label",
]
  .join(" ")
  .split(" ");

const status = async (compound: Compound): Promise<string> => (await compound.send()).status;
const junk = (number: number, bytes = new Uint8Array(0)): p.fattr4 => ({
  attrmask: p.bitmapOf(number),
  attr_vals: bytes,
});

async function begin(minor: number) {
  const world = await World.create();
  const client = await world.mount(minor);
  await client.writeFile("/f", "0123456789");
  const of = (path: string, ...numbers: number[]) => attributes(client.at(path), ...numbers);
  return { world, client, of };
}

describe.each([0, 1, 2])("GETATTR in 4.%i", (minor) => {
  it("has every attribute that is there to be fed, and says so in supported_attrs (RFC 8881 §5.6, §5.7)", async () => {
    const { world, of } = await begin(minor);
    const values = await of("/f", ...EVERYTHING);
    const expected = p.ATTRIBUTES.filter(
      ({ number, name, minorVersion }) =>
        EVERYTHING.includes(number) && minorVersion <= minor && !NOT_HERE.includes(name),
    ).map(({ name }) => name);
    expect(Object.keys(values).sort()).toEqual(expected.sort());
    const supported = p.bitsOf(values.supported_attrs ?? []);
    for (const number of p.bitsOf(p.requiredAttributes(minor))) expect(supported).toContain(number);
    const settable = ["time_access_set", "time_modify_set"];
    if (minor > 0) settable.push("mode_set_masked");
    if (minor > 1) settable.push("mode_umask");
    const names = supported.map((number) => p.attributeName(number));
    expect(names.sort()).toEqual([...expected, ...settable, "rdattr_error"].sort());
    await world.finish();
  });

  it("of a file tells what the file system knows of it", async () => {
    const { world, client, of } = await begin(minor);
    (
      await client
        .at("/f")
        .setattr({ mode: 0o4711, owner: utf8("7"), owner_group: utf8("4294967294") })
        .send()
    ).ok();
    const free = world.files.statfs();
    const values = await of("/f", ...EVERYTHING);
    expect(values).toMatchObject({
      type: p.NF4REG,
      size: 10n,
      mode: 0o4711,
      numlinks: 1,
      space_used: BigInt(PAGE_SIZE),
      fh_expire_type: 0,
      link_support: true,
      symlink_support: true,
      named_attr: false,
      unique_handles: true,
      lease_time: world.services.leaseSeconds,
      cansettime: true,
      case_insensitive: false,
      case_preserving: true,
      chown_restricted: true,
      homogeneous: true,
      no_trunc: true,
      maxname: 255,
      maxread: BigInt(world.services.limits.maxIo),
      maxwrite: BigInt(world.services.limits.maxIo),
      rawdev: { specdata1: 0, specdata2: 0 },
      files_total: BigInt(free.totalFiles),
      files_free: BigInt(free.freeFiles),
      files_avail: BigInt(free.availableFiles),
      space_total: BigInt(free.totalBytes),
      space_free: BigInt(free.freeBytes),
      space_avail: BigInt(free.availableBytes),
    });
    expect(text(values.owner!)).toBe("7");
    expect(text(values.owner_group!)).toBe("4294967294");
    expect(values.mounted_on_fileid).toBe(values.fileid);
    expect(values.change_attr_type).toBe(minor === 2 ? p.NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR : undefined);
    expect(values.xattr_support).toBe(minor === 2 ? false : undefined);
    const exclusive = p.bitsOf(values.suppattr_exclcreat ?? []).map((number) => p.attributeName(number));
    if (minor > 0) expect(exclusive).not.toContain("time_modify_set");
    expect(exclusive.includes("mode_umask")).toBe(minor === 2);
    await world.finish();
  });

  it("tells times of the change, the change attribute grows with each, and only with them", async () => {
    const { world, client, of } = await begin(minor);
    const numbers = [p.FATTR4_CHANGE, p.FATTR4_TIME_METADATA, p.FATTR4_TIME_MODIFY, p.FATTR4_TIME_CREATE];
    const first = await of("/f", ...numbers);
    await world.pass(10);
    expect(await of("/f", ...numbers)).toEqual(first);
    (await client.at("/f").setattr({ mode: 0o600 }).send()).ok();
    const second = await of("/f", ...numbers);
    expect(second.change! > first.change!).toBe(true);
    expect(second.time_modify).toEqual(first.time_modify);
    expect(second.time_metadata!.seconds).toBeGreaterThanOrEqual(first.time_metadata!.seconds + 10);
    expect(second.time_create).toEqual(first.time_create);
    await world.finish();
  });

  it("of what can only be set: INVAL (RFC 8881 §5.5); what the minor version does not have is left out", async () => {
    const { world, client, of } = await begin(minor);
    const only = [p.FATTR4_TIME_ACCESS_SET, p.FATTR4_TIME_MODIFY_SET];
    if (minor > 0) only.push(p.FATTR4_MODE_SET_MASKED);
    if (minor > 1) only.push(p.FATTR4_MODE_UMASK);
    for (const number of only) expect(await status(client.at("/f").getattr(number))).toBe("NFS4ERR_INVAL");
    const later = minor === 2 ? [90, 2000] : [p.FATTR4_MODE_UMASK, p.FATTR4_XATTR_SUPPORT];
    expect(await of("/f", ...later, p.FATTR4_SIZE)).toEqual({ size: 10n });
    expect(await of("/f")).toEqual({});
    await world.finish();
  });
});

describe.each([0, 1, 2])("SETATTR in 4.%i", (minor) => {
  it("sets mode, owners by number, and times to the nanosecond or to now, and tells what it set", async () => {
    const { world, client, of } = await begin(minor);
    const time = (seconds: number, nseconds: number) => ({
      set_it: p.SET_TO_CLIENT_TIME4,
      time: { seconds, nseconds },
    });
    const values: p.Fattr4Values = {
      mode: 0o640,
      owner: utf8("1000"),
      owner_group: utf8("0"),
      time_access_set: time(-5, 1),
      time_modify_set: time(2 ** 33, 999_999_999),
    };
    const reply = (await client.at("/f").setattr(values).send()).ok();
    const { attrsset } = reply.result("SETATTR") as p.SETATTR4res;
    expect(p.bitsOf(attrsset)).toEqual(p.bitsOf(p.makeFattr4(values).attrmask));
    const after = await of(
      "/f",
      p.FATTR4_MODE,
      p.FATTR4_OWNER,
      p.FATTR4_OWNER_GROUP,
      p.FATTR4_TIME_ACCESS,
      p.FATTR4_TIME_MODIFY,
    );
    expect(after).toEqual({
      mode: 0o640,
      owner: utf8("1000"),
      owner_group: utf8("0"),
      time_access: { seconds: -5, nseconds: 1 },
      time_modify: { seconds: 2 ** 33, nseconds: 999_999_999 },
    });
    (
      await client
        .at("/f")
        .setattr({ time_modify_set: { set_it: p.SET_TO_SERVER_TIME4 } })
        .send()
    ).ok();
    const { seconds, nanoseconds } = world.clock.wall();
    const now = (await of("/f", p.FATTR4_TIME_MODIFY)).time_modify!;
    expect(Math.abs(now.seconds - seconds + (now.nseconds - nanoseconds) / 1e9)).toBeLessThan(1);
    await world.finish();
  });

  it("refuses owners that are no numbers: BADOWNER", async () => {
    const { world, client } = await begin(minor);
    for (const owner of ["", "root", "root@localdomain", "007", "-1", "1.5", "4294967295", "99999999999", "１"]) {
      expect(await status(client.at("/f").setattr({ owner: utf8(owner) })), `"${owner}"`).toBe("NFS4ERR_BADOWNER");
      expect(await status(client.at("/f").setattr({ owner_group: utf8(owner) }))).toBe("NFS4ERR_BADOWNER");
      expect(await status(client.at("/").create({ type: p.NF4DIR }, "d", { owner: utf8(owner) }))).toBe(
        "NFS4ERR_BADOWNER",
      );
    }
    await world.finish();
  });

  it("refuses what is unknown: ATTRNOTSUPP; what can only be read, and values that there are not: INVAL; what cannot be decoded: BADXDR", async () => {
    const { world, client } = await begin(minor);
    const set = (values: p.Fattr4Values | p.fattr4) => status(client.at("/f").setattr(values));
    expect(await set(junk(p.FATTR4_ACL))).toBe("NFS4ERR_ATTRNOTSUPP");
    expect(await set(junk(200))).toBe("NFS4ERR_ATTRNOTSUPP");
    if (minor < 2) expect(await set(junk(p.FATTR4_MODE_UMASK))).toBe("NFS4ERR_ATTRNOTSUPP");
    expect(await set({ fileid: 7n })).toBe("NFS4ERR_INVAL");
    expect(await set({ rdattr_error: 0 })).toBe("NFS4ERR_INVAL");
    expect(await set({ mode: 0o10_000 })).toBe("NFS4ERR_INVAL");
    const time = { set_it: p.SET_TO_CLIENT_TIME4, time: { seconds: 0, nseconds: 1_000_000_000 } } as const;
    expect(await set({ time_modify_set: time })).toBe("NFS4ERR_INVAL");
    expect(await set({ size: 2n ** 64n - 1n })).toBe("NFS4ERR_FBIG");
    expect(await set(junk(p.FATTR4_MODE))).toBe("NFS4ERR_BADXDR");
    expect(await set(junk(p.FATTR4_MODE, new Uint8Array(8)))).toBe("NFS4ERR_BADXDR");
    expect(await set({})).toBe("NFS4_OK");
    await world.finish();
  });

  it("is for the owner, and for root: PERM; a size needs permission to write: ACCESS; own groups may be given", async () => {
    const { world, client } = await begin(minor);
    const as = (user: User, values: p.Fattr4Values) => status(client.at("/f").as(user).setattr(values));
    (
      await client
        .at("/f")
        .setattr({ owner: utf8("1000"), owner_group: utf8("1000"), mode: 0o644 })
        .send()
    ).ok();
    expect(await as(BOB, { mode: 0o777 })).toBe("NFS4ERR_PERM");
    expect(await as(BOB, { size: 0n })).toBe("NFS4ERR_ACCESS");
    expect(await as(BOB, { time_modify_set: { set_it: p.SET_TO_SERVER_TIME4 } })).toBe("NFS4ERR_ACCESS");
    expect(await as(ALICE, { owner: utf8("1001") })).toBe("NFS4ERR_PERM");
    expect(await as(ALICE, { owner: utf8("1000") })).toBe("NFS4_OK");
    expect(await as(ALICE, { owner_group: utf8("50") })).toBe("NFS4ERR_PERM");
    expect(await as({ ...ALICE, gids: [50] }, { owner_group: utf8("50") })).toBe("NFS4_OK");
    await world.finish();
  });
});

describe.each([1, 2])("mode_set_masked in 4.%i (RFC 8881 §6.2.5)", (minor) => {
  it("sets the bits of its mask and leaves the others; not beside mode, not with bits that there are not, not at creation: INVAL", async () => {
    const { world, client, of } = await begin(minor);
    const masked = (mm_value_to_set: number, mm_mask_bits: number) => ({
      mode_set_masked: { mm_value_to_set, mm_mask_bits },
    });
    const set = (values: p.Fattr4Values) => status(client.at("/f").setattr(values));
    (await client.at("/f").setattr({ mode: 0o644 }).send()).ok();
    expect(await set(masked(0o7111, 0o4011))).toBe("NFS4_OK");
    expect((await of("/f", p.FATTR4_MODE)).mode).toBe(0o4655);
    expect(await set(masked(0, 0o4000))).toBe("NFS4_OK");
    expect((await of("/f", p.FATTR4_MODE)).mode).toBe(0o655);
    expect(await set(masked(0o10_000, 0))).toBe("NFS4ERR_INVAL");
    expect(await set(masked(0, 0o10_000))).toBe("NFS4ERR_INVAL");
    expect(await set({ ...masked(0, 1), mode: 0o600 })).toBe("NFS4ERR_INVAL");
    expect(await status(client.at("/").create({ type: p.NF4DIR }, "d", masked(0o700, 0o777)))).toBe("NFS4ERR_INVAL");
    expect(await status(client.at("/f").as(BOB).setattr(masked(0o777, 0o777)))).toBe("NFS4ERR_PERM");
    await world.finish();
  });
});

describe("mode_umask (RFC 8275 §5)", () => {
  it("takes the umask's bits away from the mode of what is made; beside mode, with other bits, or in SETATTR: INVAL", async () => {
    const { world, client, of } = await begin(2);
    const mode_umask = (mu_mode: number, mu_umask: number) => ({ mode_umask: { mu_mode, mu_umask } });
    const make = (values: p.Fattr4Values) => status(client.at("/").create({ type: p.NF4DIR }, "d", values));
    expect(await make({ ...mode_umask(0o777, 0o022), mode: 0o755 })).toBe("NFS4ERR_INVAL");
    expect(await make(mode_umask(0o777, 0o1022))).toBe("NFS4ERR_INVAL");
    expect(await make(mode_umask(0o1777, 0o027))).toBe("NFS4_OK");
    expect((await of("/d", p.FATTR4_MODE)).mode).toBe(0o1750);
    expect(await status(client.at("/f").setattr(mode_umask(0o777, 0)))).toBe("NFS4ERR_INVAL");
    await client.open("/g", { create: "guarded", attributes: mode_umask(0o666, 0o077) });
    expect((await of("/g", p.FATTR4_MODE)).mode).toBe(0o600);
    await world.finish();
  });
});

describe.each([0, 1, 2])("VERIFY and NVERIFY in 4.%i", (minor) => {
  it("go on if the attributes are the same, or not: NOT_SAME, SAME else", async () => {
    const { world, client } = await begin(minor);
    const verify = (values: p.Fattr4Values) =>
      status(client.at("/f").op("VERIFY", { obj_attributes: p.makeFattr4(values) }));
    const nverify = (values: p.Fattr4Values) =>
      status(client.at("/f").op("NVERIFY", { obj_attributes: p.makeFattr4(values) }));
    const same = { size: 10n, type: p.NF4REG };
    expect(await verify(same)).toBe("NFS4_OK");
    expect(await verify({ ...same, size: 11n })).toBe("NFS4ERR_NOT_SAME");
    expect(await nverify(same)).toBe("NFS4ERR_SAME");
    expect(await nverify({ ...same, size: 11n })).toBe("NFS4_OK");
    expect(await verify({ owner: utf8("0"), mode: 0o644 })).toBe("NFS4_OK");
    await world.finish();
  });

  it("refuse what is not supported: ATTRNOTSUPP; what cannot be read, and rdattr_error: INVAL; half a value: BADXDR", async () => {
    const { world, client } = await begin(minor);
    const both = async (obj_attributes: p.fattr4) => {
      const [one, other] = [
        await status(client.at("/f").op("VERIFY", { obj_attributes })),
        await status(client.at("/f").op("NVERIFY", { obj_attributes })),
      ];
      expect(one).toBe(other);
      return one;
    };
    expect(await both(junk(p.FATTR4_ACL))).toBe("NFS4ERR_ATTRNOTSUPP");
    expect(await both(junk(p.FATTR4_TIME_MODIFY_SET))).toBe("NFS4ERR_INVAL");
    expect(await both(p.makeFattr4({ rdattr_error: 0 }))).toBe("NFS4ERR_INVAL");
    expect(await both(junk(p.FATTR4_SIZE, new Uint8Array(4)))).toBe("NFS4ERR_BADXDR");
    await world.finish();
  });
});

describe.each([0, 1, 2])("ACCESS in 4.%i", (minor) => {
  const [R, L, M, E, D, X] = [1, 2, 4, 8, 16, 32] as const;
  const ALL = 63;

  it("says which rights it can judge, and which of them the caller has", async () => {
    const { world, client } = await begin(minor);
    (await client.compound().putroot().mkdir("d").send()).ok();
    const ask = async (path: string, user: User, bits = ALL) => {
      const { supported, access } = (await client.at(path).as(user).access(bits).send()).ok().get("ACCESS");
      return [supported, access];
    };
    const own = { owner: utf8("1000"), owner_group: utf8("1001") };
    (
      await client
        .at("/f")
        .setattr({ ...own, mode: 0o750 })
        .send()
    ).ok();
    expect(await ask("/f", ALICE)).toEqual([R | M | E | X, R | M | E | X]);
    expect(await ask("/f", BOB)).toEqual([R | M | E | X, R | X]);
    expect(await ask("/f", { uid: 2, gid: 2 })).toEqual([R | M | E | X, 0]);
    expect(await ask("/f", { uid: 2, gid: 2, gids: [3, 1001] })).toEqual([R | M | E | X, R | X]);
    expect(await ask("/f", ROOT)).toEqual([R | M | E | X, R | M | E | X]);
    expect(await ask("/f", ALICE, R | M)).toEqual([R | M, R | M]);
    (await client.at("/f").setattr({ mode: 0o600 }).send()).ok();
    expect(await ask("/f", ROOT)).toEqual([R | M | E | X, R | M | E]);

    (
      await client
        .at("/d")
        .setattr({ ...own, mode: 0o731 })
        .send()
    ).ok();
    expect(await ask("/d", ALICE)).toEqual([R | L | M | E | D, R | L | M | E | D]);
    expect(await ask("/d", BOB)).toEqual([R | L | M | E | D, L | M | E | D]);
    expect(await ask("/d", { uid: 2, gid: 2 })).toEqual([R | L | M | E | D, L]);
    (await client.at("/d").setattr({ mode: 0o720 }).send()).ok();
    expect(await ask("/d", BOB)).toEqual([R | L | M | E | D, 0]);
    await world.finish();
  });
});

describe.each([0, 1, 2])("READDIR's attributes in 4.%i", (minor) => {
  it("are those of GETATTR", async () => {
    const { world, client, of } = await begin(minor);
    const { reply } = (
      await client
        .at("/")
        .readdir({ mask: p.bitmapOf(...EVERYTHING) })
        .send()
    )
      .ok()
      .get("READDIR");
    expect(valuesOf(reply.entries[0]!.attrs)).toEqual(await of("/f", ...EVERYTHING));
    await world.finish();
  });
});

/** Several exports under one name space, and what their options do (RFC 8881 §7, §2.6; exports(5)). */
import {
  FATTR4_FILEID,
  FATTR4_FSID,
  FATTR4_MOUNTED_ON_FILEID,
  FATTR4_OWNER,
  FATTR4_OWNER_GROUP,
  FATTR4_TYPE,
  type Fattr4Values,
} from "@nfs4/protocol";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import type { ExportOptions } from "../../src/exports/export.ts";
import { MemoryFileSystem } from "../../src/filesystem/memory/memory-file-system.ts";
import { createServer } from "../../src/server.ts";
import { attributes, entries } from "../harness/attributes.ts";
import { hex, text, utf8 } from "../harness/bytes.ts";
import type { Compound } from "../harness/compound.ts";
import type { Mount } from "../harness/mount.ts";
import { READ, WRITE } from "../harness/open-options.ts";
import { ALICE, type User } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

const memory = (world: { readonly clock: VirtualClock }) =>
  new MemoryFileSystem({ now: () => world.clock.wall(), root: { mode: 0o777 } });

/** /a and /deep/b are different file systems, /ro is /a read-only, /closed is for others. */
async function several(minor: number) {
  const world = await World.create({
    exports: (its) => [
      { path: "/a", fileSystem: its.files, squash: "none" },
      { path: "/deep/b", fileSystem: memory(its), squash: "none" },
      { path: "/ro", fileSystem: its.files, squash: "none", readOnly: true },
      { path: "/closed", fileSystem: its.files, clients: ["192.0.2.0/24", "2001:db8::1"] },
    ],
  });
  const client = await world.mount(minor);
  const fileOf = async (path: string) => (await client.at(path).getfh().send()).ok().get("GETFH").object;
  const status = async (compound: Compound) => (await compound.send()).status;
  return { world, client, fileOf, status };
}

const of = (client: Mount, path: string, ...numbers: number[]): Promise<Fattr4Values> =>
  attributes(client.at(path), ...numbers);

describe.each([0, 1, 2])("the pseudo file system in 4.%i (RFC 8881 §7.3)", (minor) => {
  it("leads to every export; each is a file system of its own", async () => {
    const { world, client } = await several(minor);
    const list = await entries(client.at("/"), FATTR4_TYPE);
    expect(list.map(({ name }) => name)).toEqual(["a", "deep", "ro", "closed"]);
    expect((await entries(client.at("/deep"), FATTR4_TYPE)).map(({ name }) => name)).toEqual(["b"]);
    const fsids: Fattr4Values["fsid"][] = [];
    for (const path of ["/", "/deep", "/a", "/deep/b", "/ro"]) fsids.push((await of(client, path, FATTR4_FSID)).fsid);
    const [top, deep, a, b, ro] = fsids.map((fsid) => `${fsid?.major}.${fsid?.minor}`);
    expect(deep).toBe(top);
    expect(new Set([top, a, b, ro]).size).toBe(4);
    await world.finish();
  });

  it("shows a mounted directory's own fileid as mounted_on_fileid, by GETATTR and by READDIR (RFC 8881 §5.8.2.23)", async () => {
    const { world, client } = await several(minor);
    const numbers = [FATTR4_FSID, FATTR4_FILEID, FATTR4_MOUNTED_ON_FILEID];
    const list = await entries(client.at("/"), ...numbers);
    const a = list.find(({ name }) => name === "a")?.attributes;
    const direct = await of(client, "/a", ...numbers);
    expect(a).toEqual(direct);
    expect(direct.mounted_on_fileid).not.toBe(direct.fileid);
    const deep = await of(client, "/deep", ...numbers);
    expect(deep.mounted_on_fileid).toBe(deep.fileid);
    (await client.at("/a").mkdir("d").send()).ok();
    const below = await of(client, "/a/d", ...numbers);
    expect(below.mounted_on_fileid).toBe(below.fileid);
    await world.finish();
  });

  it("LOOKUPP leads out of an export and up to the top; above that: NOENT", async () => {
    const { world, client, fileOf } = await several(minor);
    const up = async (path: string, times: number) => {
      let compound = client.at(path);
      for (let i = 0; i < times; i++) compound = compound.lookupp();
      return hex((await compound.getfh().send()).ok().get("GETFH").object);
    };
    expect(await up("/deep/b", 1)).toBe(hex(await fileOf("/deep")));
    expect(await up("/deep/b", 2)).toBe(hex(await fileOf("/")));
    expect(await up("/a", 1)).toBe(hex(await fileOf("/")));
    expect((await client.at("/").lookupp().send()).status).toBe("NFS4ERR_NOENT");
    await world.finish();
  });

  it("cannot be changed: ROFS; its handles last", async () => {
    const { world, client, fileOf, status } = await several(minor);
    expect(await status(client.at("/").mkdir("x"))).toBe("NFS4ERR_ROFS");
    expect(await status(client.at("/").remove("a"))).toBe("NFS4ERR_ROFS");
    expect(await status(client.at("/deep").setattr({ mode: 0o777 }))).toBe("NFS4ERR_ROFS");
    expect((await client.tryOpen("/deep/x", { create: "unchecked" })).status).toBe("NFS4ERR_ROFS");
    expect((await client.tryOpen("/deep", { access: READ })).status).toBe("NFS4ERR_ISDIR");
    expect(await status(client.at("/deep").lookup("none"))).toBe("NFS4ERR_NOENT");
    const handle = await fileOf("/deep");
    await world.restart();
    const again = await world.mount(minor, "again");
    expect(await status(again.compound().putfh(handle).getattr(FATTR4_TYPE))).toBe("NFS4_OK");
    await world.finish();
  });

  it("LINK and RENAME do not cross from one export to another: XDEV", async () => {
    const { world, client, status } = await several(minor);
    await client.writeFile("/a/f", "x");
    const from = () => client.at("/a");
    const to = (compound: Compound) => compound.savefh().putroot().lookup("deep", "b");
    expect(await status(to(from()).rename("f", "g"))).toBe("NFS4ERR_XDEV");
    expect(await status(to(from().lookup("f")).link("g"))).toBe("NFS4ERR_XDEV");
    await world.finish();
  });
});

describe.each([0, 1, 2])("an export at the top in 4.%i", (minor) => {
  it("is the root: nothing is above it, and it covers nothing", async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    const { fileid, mounted_on_fileid } = await of(client, "/", FATTR4_FILEID, FATTR4_MOUNTED_ON_FILEID);
    expect(mounted_on_fileid).toBe(fileid);
    expect((await client.at("/").lookupp().send()).status).toBe("NFS4ERR_NOENT");
    await world.finish();
  });

  it("that is not for a client lets it in nowhere: ACCESS", async () => {
    const world = await World.create({
      exports: ({ files }) => [{ path: "/", fileSystem: files, clients: ["192.0.2.1"] }],
    });
    const client = await world.mount(minor);
    expect((await client.at("/").send()).status).toBe("NFS4ERR_ACCESS");
    await world.finish();
  });
});

describe.each([0, 1, 2])("a read-only export in 4.%i: ROFS", (minor) => {
  it("for every operation that would change something", async () => {
    const { world, client, status } = await several(minor);
    await client.writeFile("/a/f", "x");
    const file = await client.open("/ro/f", { access: READ });
    const at = () => client.compound().putfh(file.handle);
    const top = () => client.at("/ro");
    const changes: Compound[] = [
      top().mkdir("d"),
      top().remove("f"),
      top().savefh().rename("f", "g"),
      at().savefh().putroot().lookup("ro").link("g"),
      at().setattr({ mode: 0o600 }),
      at().setattr({ size: 0n }),
      at().write(file.stateid, 0, "y"),
    ];
    if (minor === 2) {
      changes.push(at().op("ALLOCATE", { aa_stateid: file.stateid, aa_offset: 0n, aa_length: 1n }));
      changes.push(at().op("DEALLOCATE", { da_stateid: file.stateid, da_offset: 0n, da_length: 1n }));
    }
    for (const compound of changes) expect(await status(compound)).toBe("NFS4ERR_ROFS");
    expect((await client.tryOpen("/ro/f", { access: WRITE })).status).toBe("NFS4ERR_ROFS");
    expect((await client.tryOpen("/ro/new", { access: READ, create: "unchecked" })).status).toBe("NFS4ERR_ROFS");
    expect(await status(client.at("/a/f").read(file.stateid, 0, 1))).toBe("NFS4ERR_BAD_STATEID");
    expect(await client.readFile("/a/f")).toBe("x");
    await world.finish();
  });

  it("but not for what only looks: an UNCHECKED create of what is there opens it, COMMIT has nothing to do", async () => {
    const { world, client, status } = await several(minor);
    await client.writeFile("/a/f", "x");
    expect((await client.tryOpen("/ro/f", { access: READ, create: "guarded" })).status).toBe("NFS4ERR_EXIST");
    const cut = await client.tryOpen("/ro/f", { access: READ, create: "unchecked", attributes: { size: 0n } });
    expect(cut.status).toBe("NFS4ERR_ROFS");
    const file = await client.open("/ro/f", { access: READ, create: "unchecked" });
    expect(await status(client.compound().putfh(file.handle).read(file.stateid, 0, 1).commit())).toBe("NFS4_OK");
    expect(await status(client.at("/ro").commit())).toBe("NFS4ERR_ISDIR");
    const { access } = (await client.at("/ro/f").access(0x3f).send()).ok().get("ACCESS");
    expect(access & 0x0c).toBe(0);
    await world.finish();
  });
});

describe.each([0, 1, 2])("an export for other clients in 4.%i", (minor) => {
  it("is closed: LOOKUP and SECINFO get ACCESS, its handles are STALE, and its entry shows what it stands on", async () => {
    const { world, client, status } = await several(minor);
    expect(await status(client.at("/closed"))).toBe("NFS4ERR_ACCESS");
    expect(await status(client.at("/").op("SECINFO", { name: utf8("closed") }))).toBe("NFS4ERR_ACCESS");
    const list = await entries(client.at("/"), FATTR4_FSID, FATTR4_FILEID);
    const closed = list.find(({ name }) => name === "closed")?.attributes;
    expect(closed?.fsid).toEqual((await of(client, "/", FATTR4_FSID)).fsid);
    const friend = await world.mount(minor, "friend");
    friend.wire = await world.wire("192.0.2.77");
    const handle = (await friend.at("/closed").getfh().send()).ok().get("GETFH").object;
    expect(await status(client.compound().putfh(handle))).toBe("NFS4ERR_STALE");
    friend.wire = await world.wire("2001:db8::1");
    expect(await status(friend.compound().putfh(handle).getattr(FATTR4_TYPE))).toBe("NFS4_OK");
    await world.finish();
  });
});

describe.each([0, 1, 2])("squashing in 4.%i", (minor) => {
  const ownerOf = async (options: Partial<ExportOptions>, user: User) => {
    const world = await World.create({ exports: ({ files }) => [{ path: "/", fileSystem: files, ...options }] });
    const client = await world.mount(minor);
    (await client.at("/").mkdir("d").as(user).send()).ok();
    const { owner, owner_group } = await of(client, "/d", FATTR4_OWNER, FATTR4_OWNER_GROUP);
    await world.finish();
    return `${text(owner ?? utf8(""))}:${text(owner_group ?? utf8(""))}`;
  };

  it("root by default, in user and group; others stay who they are", async () => {
    expect(await ownerOf({}, { uid: 0, gid: 0 })).toBe("65534:65534");
    expect(await ownerOf({}, { uid: 1000, gid: 0 })).toBe("1000:65534");
    expect(await ownerOf({}, ALICE)).toBe("1000:1000");
  });

  it("everybody, or nobody, and to whom it was told", async () => {
    expect(await ownerOf({ squash: "all" }, ALICE)).toBe("65534:65534");
    expect(await ownerOf({ squash: "all", anonymousUid: 7, anonymousGid: 8 }, ALICE)).toBe("7:8");
    expect(await ownerOf({ squash: "none" }, { uid: 0, gid: 0 })).toBe("0:0");
  });

  it("of root's supplementary group too: it opens nothing", async () => {
    const world = await World.create({ exports: ({ files }) => [{ path: "/", fileSystem: files }] });
    const client = await world.mount(minor);
    const groups = { uid: 1000, gid: 1000, gids: [0, 50] };
    const access = async (gid: number) => {
      world.files.setattr(world.files.root(), { mode: 0o070, uid: 1, gid });
      return (await client.at("/").as(groups).access(1).send()).ok().get("ACCESS").access;
    };
    expect(await access(0)).toBe(0);
    expect(await access(50)).toBe(1);
    await world.finish();
  });
});

describe.each([0, 1, 2])("SECINFO in 4.%i (RFC 8881 §18.29)", (minor) => {
  it("tells the flavors of a name: AUTH_SYS, AUTH_NONE; NOENT and NOTDIR else; since 4.1 the filehandle is used up", async () => {
    const { world, client, status } = await several(minor);
    await client.writeFile("/a/f", "x");
    const secinfo = (path: string, name: string) => client.at(path).op("SECINFO", { name: utf8(name) });
    const flavors = (await secinfo("/", "a").send()).ok().get("SECINFO") as unknown as { flavor: number }[];
    expect(flavors.map(({ flavor }) => flavor)).toEqual([1, 0]);
    expect(await status(secinfo("/a", "none"))).toBe("NFS4ERR_NOENT");
    expect(await status(secinfo("/a/f", "x"))).toBe("NFS4ERR_NOTDIR");
    expect(await status(secinfo("/a", "f").getfh())).toBe(minor === 0 ? "NFS4_OK" : "NFS4ERR_NOFILEHANDLE");
    await world.finish();
  });
});

describe("SECINFO_NO_NAME (RFC 8881 §18.45)", () => {
  it("is about the current filehandle, or what is above it: NOENT at the top, NOTDIR for a file; the filehandle is used up", async () => {
    const { world, client, status } = await several(1);
    await client.writeFile("/a/f", "x");
    const ask = (path: string, style: 0 | 1) => client.at(path).op("SECINFO_NO_NAME", style);
    expect(await status(ask("/a/f", 0))).toBe("NFS4_OK");
    expect(await status(ask("/a", 1))).toBe("NFS4_OK");
    expect(await status(ask("/", 1))).toBe("NFS4ERR_NOENT");
    expect(await status(ask("/a/f", 1))).toBe("NFS4ERR_NOTDIR");
    expect(await status(ask("/a", 0).getfh())).toBe("NFS4ERR_NOFILEHANDLE");
    await world.finish();
  });
});

describe("exports that cannot be", () => {
  it.each([
    ["/data inside /", ["/", "/data"], 'export "/data" lies inside another export'],
    ["/a/b inside /a", ["/a/b", "/a"], 'export "/a/b" lies inside another export'],
    ["the same twice", ["/a", "//a/"], '"/a"'],
    ["no path", ["a"], '"a"'],
    ["dots", ["/a/../b"], '"/a/../b"'],
  ])("%s: the error says which", async (_name, paths, message) => {
    const clock = new VirtualClock();
    const exports = paths.map((path) => ({ path, fileSystem: memory({ clock }) }));
    const made = createServer({ clock, random: new SeededRandom(1), exports });
    await expect(made).rejects.toThrow(message);
    await expect(made).rejects.toBeInstanceOf(RangeError);
  });

  it.each(["10.0.0.0/33", "10.0.0", "10.0.0.0/", "::1/129", "host"])("clients %s: the error quotes it", async (one) => {
    const clock = new VirtualClock();
    const exports = [{ path: "/", fileSystem: memory({ clock }), clients: [one] }];
    await expect(createServer({ clock, random: new SeededRandom(1), exports })).rejects.toThrow(`"${one}"`);
  });
});

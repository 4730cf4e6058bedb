/** READDIR, CREATE, LINK, REMOVE, RENAME, LOOKUP, LOOKUPP, READLINK (RFC 8881 §18.4, §18.9, §18.13, §18.14, §18.23–§18.26). */
import {
  ATTRIBUTES,
  bitmapOf,
  decodeFattr4,
  FATTR4_FILEID,
  FATTR4_MOUNTED_ON_FILEID,
  FATTR4_NUMLINKS,
  FATTR4_RDATTR_ERROR,
  FATTR4_SIZE,
  FATTR4_TYPE,
} from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { hex, text, utf8 } from "../harness/bytes.ts";
import type { Mount } from "../harness/mount.ts";
import { ALICE, BOB } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

const DIRECTORY = 2;

async function entriesOf(
  client: Mount,
  path: string,
  options: Parameters<ReturnType<Mount["compound"]>["readdir"]>[0] = {},
) {
  const { reply } = (await client.at(path).readdir(options).send()).ok().get("READDIR");
  return {
    names: reply.entries.map(({ name }) => text(name)),
    cookies: reply.entries.map(({ cookie }) => cookie),
    eof: reply.eof,
    entries: reply.entries,
  };
}

describe.each([0, 1, 2])("READDIR in 4.%i", (minor) => {
  const begin = async (count: number, delayed = false) => {
    const world = await World.create({ delayed });
    const client = await world.mount(minor);
    for (let i = 0; i < count; i++)
      (
        await client
          .compound()
          .putroot()
          .mkdir(`d${String(i).padStart(3, "0")}`)
          .send()
      ).ok();
    return { world, client };
  };

  it("lists every name once, by cookies that are neither 0, 1 nor 2, without . and ..", async () => {
    const { world, client } = await begin(50);
    const seen: string[] = [];
    let cookie = 0n;
    for (let eof = false; !eof; ) {
      const page = await entriesOf(client, "/", { cookie, maxcount: 300 });
      seen.push(...page.names);
      expect(page.cookies.every((one) => one > 2n)).toBe(true);
      cookie = page.cookies.at(-1) ?? cookie;
      eof = page.eof;
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => `d${String(i).padStart(3, "0")}`));
    await world.finish();
  });

  it("of an empty directory is empty, and at its end", async () => {
    const { world, client } = await begin(0);
    expect(await entriesOf(client, "/")).toMatchObject({ names: [], eof: true });
    await world.finish();
  });

  it("never exceeds maxcount, and uses it to the last byte (RFC 8881 §18.23.3)", async () => {
    const { world, client } = await begin(5);
    // An entry: more 4, cookie 8, name 4 + 4, mask 4, values 4. Around them verifier 8, end 4, eof 4.
    const entry = 28;
    const around = 16;
    for (let n = 1; n <= 5; n++) {
      const exact = around + n * entry;
      expect((await entriesOf(client, "/", { maxcount: exact })).names.length).toBe(n);
      if (n > 1) expect((await entriesOf(client, "/", { maxcount: exact - 1 })).names.length).toBe(n - 1);
      expect((await entriesOf(client, "/", { maxcount: exact })).eof).toBe(n === 5);
    }
    await world.finish();
  });

  it("that cannot hold one entry is TOOSMALL", async () => {
    const { world, client } = await begin(1);
    const statusOf = async (maxcount: number, mask: number[] = []) =>
      (await client.compound().putroot().readdir({ maxcount, mask }).send()).status;
    expect(await statusOf(0)).toBe("NFS4ERR_TOOSMALL");
    expect(await statusOf(43)).toBe("NFS4ERR_TOOSMALL");
    expect(await statusOf(44)).toBe("NFS4_OK");
    expect(await statusOf(44, bitmapOf(FATTR4_SIZE))).toBe("NFS4ERR_TOOSMALL");
    expect(await statusOf(44 + 4 + 8, bitmapOf(FATTR4_SIZE))).toBe("NFS4_OK");
    await world.finish();
  });

  it("respects dircount: so many bytes of names and cookies, but one entry at least; 0 does not count", async () => {
    const { world, client } = await begin(9);
    // Cookie 8, name 4 + 4.
    for (const [dircount, expected] of [
      [0, 9],
      [1, 1],
      [16, 1],
      [31, 1],
      [32, 2],
      [64, 4],
      [9999, 9],
    ] as const)
      expect([dircount, (await entriesOf(client, "/", { dircount })).names.length]).toEqual([dircount, expected]);
    await world.finish();
  });

  it("gives each entry the attributes that were asked for", async () => {
    const { world, client } = await begin(1);
    await client.writeFile("/f", "abc");
    const mask = bitmapOf(FATTR4_TYPE, FATTR4_SIZE, FATTR4_FILEID);
    const { entries } = await entriesOf(client, "/", { mask });
    const values = entries.map(({ attrs }) => {
      const decoded = decodeFattr4(attrs);
      return decoded.ok ? [decoded.values.type, decoded.values.size] : null;
    });
    expect(values).toEqual([
      [DIRECTORY, 4096n],
      [1, 3n],
    ]);
    await world.finish();
  });

  it("refuses cookies 1, 2 and the impossible: BAD_COOKIE; another verifier: NOT_SAME", async () => {
    const { world, client } = await begin(3);
    const statusOf = async (cookie: bigint, verf = new Uint8Array(8)) =>
      (await client.compound().putroot().readdir({ cookie, verf }).send()).status;
    expect(await statusOf(1n)).toBe("NFS4ERR_BAD_COOKIE");
    expect(await statusOf(2n)).toBe("NFS4ERR_BAD_COOKIE");
    expect(await statusOf(2n ** 64n - 1n)).toBe("NFS4ERR_BAD_COOKIE");
    expect(await statusOf(3n, new Uint8Array(8).fill(1))).toBe("NFS4ERR_NOT_SAME");
    await world.finish();
  });

  it("of what is no directory: NOTDIR; without permission: ACCESS; of what can only be set: INVAL", async () => {
    const { world, client } = await begin(0);
    await client.writeFile("/f", "x");
    (await client.compound().putroot().mkdir("d", 0o711).send()).ok();
    expect((await client.at("/f").readdir().send()).status).toBe("NFS4ERR_NOTDIR");
    expect((await client.at("/d").readdir().as(ALICE).send()).status).toBe("NFS4ERR_ACCESS");
    expect(
      (
        await client
          .at("/")
          .readdir({ mask: bitmapOf(48) })
          .send()
      ).status,
    ).toBe("NFS4ERR_INVAL");
    await world.finish();
  });

  it("goes on behind a cookie whose entry was removed, and skips nothing that stays", async () => {
    const { world, client } = await begin(40);
    const first = await entriesOf(client, "/", { maxcount: 16 + 20 * 28 });
    expect(first.names.length).toBe(20);
    for (let i = 10; i < 30; i++)
      (
        await client
          .compound()
          .putroot()
          .remove(`d${String(i).padStart(3, "0")}`)
          .send()
      ).ok();
    (await client.compound().putroot().mkdir("late").send()).ok();
    const rest = await entriesOf(client, "/", { cookie: first.cookies.at(-1) ?? 0n });
    expect(rest.names).toEqual([...Array.from({ length: 10 }, (_, i) => `d0${i + 30}`), "late"]);
    await world.finish();
  });

  it("leaves out what is removed while it works, and does not end for that", async () => {
    const { world, client } = await begin(12, true);
    // Every entry of the first page is gone when its attributes are asked for.
    let raced = false;
    const { files } = world;
    world.delays.onCall = (member) => {
      if (member !== "readdir" || raced) return;
      raced = true;
      world.clock.defer(() => {
        const root = files.root();
        for (let i = 0; i < 4; i++) files.remove(root, `d00${i}`);
      });
    };
    const without = withoutAttributes(world);
    const page = await entriesOf(client, "/", { maxcount: 16 + 4 * 28 });
    without.restore();
    expect(page.names.length).toBeGreaterThan(0);
    expect(page.names.every((name) => Number(name.slice(1)) >= 4)).toBe(true);
    expect(page.eof).toBe(false);
    await world.finish();
  });

  it("reports an entry that cannot be looked at by rdattr_error, or fails without that", async () => {
    const { world, client } = await begin(2, true);
    const without = withoutAttributes(world);
    world.delays.onCall = (member, args) => {
      if (member === "lookup" && args[1] === "d001") throw Object.assign(new Error("the disk"), { code: "EIO" });
    };
    expect(
      (
        await client
          .compound()
          .putroot()
          .readdir({ mask: bitmapOf(FATTR4_SIZE) })
          .send()
      ).status,
    ).toBe("NFS4ERR_IO");
    const { entries } = await entriesOf(client, "/", { mask: bitmapOf(FATTR4_RDATTR_ERROR, FATTR4_SIZE) });
    without.restore();
    const values = entries.map(({ attrs }) => {
      const decoded = decodeFattr4(attrs);
      return decoded.ok ? [decoded.values.rdattr_error, decoded.values.size] : null;
    });
    expect(values).toEqual([
      [0, 4096n],
      [5, undefined],
    ]);
    await world.finish();
  });
});

/** The file system lists names only, as one may that has nothing else at hand. */
function withoutAttributes({ files }: World): { restore(): void } {
  const { readdir } = files;
  files.readdir = (...args: Parameters<typeof readdir>) => {
    const page = readdir.apply(files, args);
    if (typeof page === "string") return page;
    return { ...page, entries: page.entries.map(({ name, cookie }) => ({ name, cookie })) };
  };
  return {
    restore() {
      files.readdir = readdir;
    },
  };
}

describe.each([0, 1, 2])("names in 4.%i", (minor) => {
  const begin = async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    await client.writeFile("/f", "content");
    (await client.compound().putroot().mkdir("d").send()).ok();
    return { world, client };
  };

  it.each([
    ["NFS4ERR_INVAL", ""],
    ["NFS4ERR_BADNAME", "."],
    ["NFS4ERR_BADNAME", ".."],
    ["NFS4ERR_BADCHAR", "a/b"],
    ["NFS4ERR_BADCHAR", "a\0b"],
    ["NFS4ERR_NAMETOOLONG", "x".repeat(256)],
  ])("%s for %j wherever a name stands: LOOKUP, CREATE, OPEN, LINK, REMOVE, RENAME, SECINFO", async (status, name) => {
    const { world, client } = await begin();
    const root = () => client.compound().putroot();
    const attempts = [
      root().lookup(name),
      root().mkdir(name),
      root().remove(name),
      root().savefh().rename("f", name),
      root().savefh().rename(name, "g"),
      root().lookup("f").savefh().putroot().link(name),
      root().op("SECINFO", { name: utf8(name) }),
      client.addOpen(root(), name, { create: "unchecked", owner: "n" }),
    ];
    for (const attempt of attempts) expect((await attempt.send()).status).toBe(status);
    await world.finish();
  });

  it("of 255 bytes are fine, and any bytes but / and NUL survive, UTF-8 or not", async () => {
    const { world, client } = await begin();
    const strange = new Uint8Array([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x0a]);
    const longest = utf8("ü".repeat(127));
    for (const name of [strange, longest, utf8("ä\u{1f600}")]) {
      (await client.compound().putroot().mkdir(name).send()).ok();
      (await client.compound().putroot().lookup(name).send()).ok();
      const { entries } = await entriesOf(client, "/");
      expect(entries.map((entry) => hex(entry.name))).toContain(hex(name));
      (await client.compound().putroot().remove(name).send()).ok();
    }
    await world.finish();
  });

  it("LOOKUP finds what is there: NOENT, NOTDIR, SYMLINK and ACCESS else", async () => {
    const { world, client } = await begin();
    (
      await client
        .compound()
        .putroot()
        .create({ type: 5, linkdata: utf8("d") }, "l")
        .send()
    ).ok();
    (await client.compound().putroot().mkdir("closed", 0o700).send()).ok();
    expect((await client.at("/none").send()).status).toBe("NFS4ERR_NOENT");
    expect((await client.at("/f/x").send()).status).toBe("NFS4ERR_NOTDIR");
    expect((await client.at("/l/x").send()).status).toBe("NFS4ERR_SYMLINK");
    expect((await client.at("/closed/x").as(ALICE).send()).status).toBe("NFS4ERR_ACCESS");
    await world.finish();
  });

  it("LOOKUPP climbs; above the top is nothing: NOENT; from a file: NOTDIR", async () => {
    const { world, client } = await begin();
    (await client.at("/d").mkdir("e").send()).ok();
    const reply = (await client.at("/d/e").lookupp().lookupp().getfh().putroot().getfh().send()).ok();
    const [up, top] = reply.operations
      .filter(({ name }) => name === "GETFH")
      .map(({ result }) => hex((result as { resok4: { object: Uint8Array } }).resok4.object));
    expect(up).toBe(top);
    expect((await client.at("/").lookupp().send()).status).toBe("NFS4ERR_NOENT");
    expect((await client.at("/f").lookupp().send()).status).toBe("NFS4ERR_NOTDIR");
    await world.finish();
  });

  it("CREATE makes directories, links, fifos, sockets and devices, and BADTYPE for files", async () => {
    const { world, client } = await begin();
    const create = (type: Parameters<ReturnType<Mount["compound"]>["create"]>[0], name: string) =>
      client.compound().putroot().create(type, name, { mode: 0o640 });
    (
      await create({ type: 3, devdata: { specdata1: 8, specdata2: 1 } }, "block")
        .getattr(41)
        .send()
    ).ok();
    const device = (
      await create({ type: 4, devdata: { specdata1: 5, specdata2: 7 } }, "character")
        .getattr(FATTR4_TYPE, 41)
        .send()
    ).ok();
    expect(decodeFattr4(device.get("GETATTR").obj_attributes)).toMatchObject({
      values: { type: 4, rawdev: { specdata1: 5, specdata2: 7 } },
    });
    (await create({ type: 6 }, "socket").send()).ok();
    (await create({ type: 7 }, "fifo").send()).ok();
    expect((await create({ type: 1 }, "file").send()).status).toBe("NFS4ERR_BADTYPE");
    expect((await create({ type: 8 }, "attributes").send()).status).toBe("NFS4ERR_BADTYPE");
    expect((await create({ type: 2 }, "d").send()).status).toBe("NFS4ERR_EXIST");
    expect((await create({ type: 5, linkdata: new Uint8Array(0) }, "l").send()).status).toBe("NFS4ERR_INVAL");
    expect((await client.at("/f").mkdir("x").send()).status).toBe("NFS4ERR_NOTDIR");
    expect(
      (
        await create({ type: 3, devdata: { specdata1: 8, specdata2: 1 } }, "b2")
          .as(ALICE)
          .send()
      ).status,
    ).toBe("NFS4ERR_PERM");
    const dir = client.compound().putroot().create({ type: 2 }, "sized", { size: 5n });
    expect((await dir.send()).status).toBe("NFS4ERR_INVAL");
    await world.finish();
  });

  it("READLINK gives what CREATE was given, to the byte; of others INVAL in 4.0 and WRONG_TYPE since", async () => {
    const { world, client } = await begin();
    const target = new Uint8Array([0x2f, 0xff, 0x20, 0x2e, 0x2e]);
    (await client.compound().putroot().create({ type: 5, linkdata: target }, "l").send()).ok();
    expect(hex((await client.at("/l").readlink().send()).ok().get("READLINK").link)).toBe(hex(target));
    const wrong = minor === 0 ? "NFS4ERR_INVAL" : "NFS4ERR_WRONG_TYPE";
    expect((await client.at("/f").readlink().send()).status).toBe(wrong);
    expect((await client.at("/").readlink().send()).status).toBe(wrong);
    await world.finish();
  });

  it("LINK gives a file another name: numlinks 2; not directories (ISDIR), not twice (EXIST)", async () => {
    const { world, client } = await begin();
    const reply = (await client.at("/f").savefh().putroot().link("g").lookup("g").getattr(FATTR4_NUMLINKS).send()).ok();
    const { cinfo } = reply.get("LINK");
    expect([cinfo.atomic, cinfo.after > cinfo.before]).toEqual([true, true]);
    expect(decodeFattr4(reply.get("GETATTR").obj_attributes)).toMatchObject({ values: { numlinks: 2 } });
    expect(await client.readFile("/g")).toBe("content");
    expect((await client.at("/f").savefh().putroot().link("g").send()).status).toBe("NFS4ERR_EXIST");
    expect((await client.at("/d").savefh().putroot().link("h").send()).status).toBe("NFS4ERR_ISDIR");
    expect((await client.at("/f").savefh().link("h").send()).status).toBe("NFS4ERR_NOTDIR");
    await world.finish();
  });

  it("REMOVE takes names of files and empty directories: NOENT, NOTEMPTY, NOTDIR else; the change is atomic", async () => {
    const { world, client } = await begin();
    (await client.at("/d").mkdir("e").send()).ok();
    const remove = (path: string, name: string) => client.at(path).remove(name).send();
    expect((await remove("/", "none")).status).toBe("NFS4ERR_NOENT");
    expect((await remove("/", "d")).status).toBe("NFS4ERR_NOTEMPTY");
    expect((await remove("/f", "x")).status).toBe("NFS4ERR_NOTDIR");
    (await remove("/d", "e")).ok();
    const { cinfo } = (await remove("/", "d")).ok().get("REMOVE");
    expect([cinfo.atomic, cinfo.after > cinfo.before]).toEqual([true, true]);
    await world.finish();
  });

  it("REMOVE and RENAME heed the sticky bit: PERM", async () => {
    const { world, client } = await begin();
    (await client.compound().putroot().mkdir("tmp", 0o1777).send()).ok();
    client.user = ALICE;
    await client.writeFile("/tmp/hers", "x");
    client.user = BOB;
    expect((await client.at("/tmp").remove("hers").send()).status).toBe("NFS4ERR_PERM");
    expect((await client.at("/tmp").savefh().rename("hers", "his").send()).status).toBe("NFS4ERR_PERM");
    client.user = ALICE;
    expect((await client.at("/tmp").remove("hers").send()).status).toBe("NFS4_OK");
    await world.finish();
  });
});

describe.each([0, 1])("RENAME in 4.%i (RFC 8881 §18.26)", (minor) => {
  const begin = async () => {
    const world = await World.create();
    const client = await world.mount(minor);
    for (const name of ["a", "b"]) (await client.compound().putroot().mkdir(name).send()).ok();
    await client.writeFile("/a/f", "one");
    await client.writeFile("/b/f", "two");
    const rename = async (from: string, oldname: string, to: string, newname: string) =>
      client
        .at(from)
        .savefh()
        .putroot()
        .lookup(...to.split("/").filter((part) => part !== ""))
        .rename(oldname, newname)
        .send();
    return { world, client, rename };
  };

  it("moves, and replaces what is in the way, at once", async () => {
    const { world, client, rename } = await begin();
    const { source_cinfo, target_cinfo } = (await rename("/a", "f", "/b", "f")).ok().get("RENAME");
    expect([source_cinfo.after > source_cinfo.before, target_cinfo.after > target_cinfo.before]).toEqual([true, true]);
    expect(await client.readFile("/b/f")).toBe("one");
    expect((await client.at("/a/f").send()).status).toBe("NFS4ERR_NOENT");
    await world.finish();
  });

  it("to another name of the same file does nothing", async () => {
    const { world, client, rename } = await begin();
    (await client.at("/a/f").savefh().lookupp().send()).status;
    (await client.at("/a/f").savefh().putroot().link("g").send()).ok();
    const { source_cinfo, target_cinfo } = (await rename("/", "g", "/a", "f")).ok().get("RENAME");
    expect([source_cinfo.after, target_cinfo.after]).toEqual([source_cinfo.before, target_cinfo.before]);
    expect(await client.readFile("/g")).toBe("one");
    await world.finish();
  });

  it("over an open file leaves that to who has it", async () => {
    const { world, client, rename } = await begin();
    const file = await client.open("/b/f");
    (await rename("/a", "f", "/b", "f")).ok();
    expect(
      text((await client.compound().putfh(file.handle).read(file.stateid, 0, 9).send()).ok().get("READ").data),
    ).toBe("two");
    (await client.close(file)).ok();
    expect((await client.compound().putfh(file.handle).send()).status).toBe("NFS4ERR_STALE");
    await world.finish();
  });

  it("a directory over a file and a file over a directory: EXIST; over a full directory: NOTEMPTY", async () => {
    const { world, rename } = await begin();
    expect((await rename("/", "a", "/b", "f")).status).toBe("NFS4ERR_EXIST");
    expect((await rename("/a", "f", "/", "b")).status).toBe("NFS4ERR_EXIST");
    expect((await rename("/", "a", "/", "b")).status).toBe("NFS4ERR_NOTEMPTY");
    await world.finish();
  });

  it("into what lies below: INVAL; of what is not there: NOENT; where no directories are: NOTDIR", async () => {
    const { world, client, rename } = await begin();
    (await client.at("/a").mkdir("c").send()).ok();
    expect((await rename("/", "a", "/a/c", "x")).status).toBe("NFS4ERR_INVAL");
    expect((await rename("/a", "none", "/b", "x")).status).toBe("NFS4ERR_NOENT");
    expect((await rename("/a/f", "x", "/b", "x")).status).toBe("NFS4ERR_NOTDIR");
    expect((await rename("/a", "f", "/b/f", "x")).status).toBe("NFS4ERR_NOTDIR");
    await world.finish();
  });

  it("of a directory moves what is above it: LOOKUPP follows", async () => {
    const { world, client, rename } = await begin();
    (await client.at("/a").mkdir("c").send()).ok();
    (await rename("/a", "c", "/b", "c")).ok();
    const reply = (
      await client
        .at("/b/c")
        .lookupp()
        .getattr(FATTR4_FILEID, FATTR4_MOUNTED_ON_FILEID)
        .putroot()
        .lookup("b")
        .getattr(FATTR4_FILEID, FATTR4_MOUNTED_ON_FILEID)
        .send()
    ).ok();
    const [above, b] = reply.operations
      .filter(({ name }) => name === "GETATTR")
      .map(({ result }) => JSON.stringify(result, (_k, v) => (typeof v === "bigint" ? String(v) : v)));
    expect(above).toBe(b);
    expect(ATTRIBUTES.length).toBeGreaterThan(0);
    await world.finish();
  });
});

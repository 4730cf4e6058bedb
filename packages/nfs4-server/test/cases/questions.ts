/** Operations that only ask: ACCESS, GETATTR, GETFH and PUTFH, VERIFY, NVERIFY, SECINFO, SECINFO_NO_NAME. */
import {
  ACCESS4_DELETE,
  ACCESS4_EXECUTE,
  ACCESS4_EXTEND,
  ACCESS4_LOOKUP,
  ACCESS4_MODIFY,
  ACCESS4_READ,
  ATTRIBUTES,
  AUTH_NONE,
  AUTH_SYS,
  bitmapOf,
  bitsOf,
  decodeFattr4,
  FATTR4_ACL,
  FATTR4_MODE,
  FATTR4_RDATTR_ERROR,
  FATTR4_SIZE,
  FATTR4_SUPPORTED_ATTRS,
  FATTR4_TIME_MODIFY_SET,
  FATTR4_TYPE,
  makeFattr4,
  SECINFO_STYLE4_CURRENT_FH,
  SECINFO_STYLE4_PARENT,
} from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { utf8 } from "../harness/bytes.ts";
import type { Compound } from "../harness/compound.ts";
import { ALICE, BOB } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

const ALL = ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE | ACCESS4_EXECUTE;
const FLAVORS = [{ flavor: AUTH_SYS }, { flavor: AUTH_NONE }];

/** A server with a file of Alice's that others may read, and a directory. */
async function begin(minor: number) {
  const world = await World.create();
  const client = await world.mount(minor);
  await client.writeFile("/f", "data", 0o644);
  (
    await client
      .at("/f")
      .setattr({ owner: utf8("1000") })
      .send()
  ).ok();
  (await client.at("/").mkdir("d", 0o755).send()).ok();
  return { world, client };
}

describe.each([0, 1, 2])("questions in 4.%i", (minor) => {
  it("ACCESS answers what was asked, as far as it makes sense for the object, by the mode (RFC 8881 §18.1)", async () => {
    const { world, client } = await begin(minor);
    const access = async (path: string, user = ALICE, bits = ALL) => {
      const { supported, access: granted } = (await client.at(path).as(user).access(bits).send()).ok().get("ACCESS");
      return { supported, granted };
    };
    const ofFile = ACCESS4_READ | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_EXECUTE;
    const own = ACCESS4_READ | ACCESS4_MODIFY | ACCESS4_EXTEND;
    expect(await access("/f")).toEqual({ supported: ofFile, granted: own });
    expect(await access("/f", BOB)).toEqual({ supported: ofFile, granted: ACCESS4_READ });
    expect(await access("/f", BOB, ACCESS4_MODIFY)).toEqual({ supported: ACCESS4_MODIFY, granted: 0 });
    const ofDirectory = ALL & ~ACCESS4_EXECUTE;
    expect(await access("/d", BOB)).toEqual({ supported: ofDirectory, granted: ACCESS4_READ | ACCESS4_LOOKUP });
    await world.finish();
  });

  it("GETATTR gives what it has of what was asked; what can only be set is INVAL (RFC 8881 §18.7, §5.5)", async () => {
    const { world, client } = await begin(minor);
    const { obj_attributes } = (await client.at("/f").getattr(FATTR4_TYPE, FATTR4_SIZE, FATTR4_ACL).send())
      .ok()
      .get("GETATTR");
    expect(bitsOf(obj_attributes.attrmask)).toEqual([FATTR4_TYPE, FATTR4_SIZE]);
    expect(decodeFattr4(obj_attributes)).toMatchObject({ ok: true, values: { type: 1, size: 4n } });
    expect((await client.at("/f").getattr(FATTR4_TIME_MODIFY_SET).send()).status).toBe("NFS4ERR_INVAL");
    await world.finish();
  });

  it("GETATTR has every attribute that supported_attrs names, on files and directories (RFC 8881 §5.8.1.1)", async () => {
    const { world, client } = await begin(minor);
    const { obj_attributes } = (await client.at("/").getattr(FATTR4_SUPPORTED_ATTRS).send()).ok().get("GETATTR");
    const decoded = decodeFattr4(obj_attributes);
    const supported = bitsOf((decoded.ok && decoded.values.supported_attrs) || []);
    const gettable = supported.filter(
      (number) => ATTRIBUTES[number]?.access !== "set" && number !== FATTR4_RDATTR_ERROR,
    );
    for (const path of ["/f", "/d"]) {
      const { attrmask } = (
        await client
          .at(path)
          .getattr(...gettable)
          .send()
      )
        .ok()
        .get("GETATTR").obj_attributes;
      expect(gettable.filter((number) => !bitsOf(attrmask).includes(number))).toEqual([]);
    }
    await world.finish();
  });

  it("PUTFH goes to what GETFH named; what is no handle of ours is BADHANDLE (RFC 8881 §18.19)", async () => {
    const { world, client } = await begin(minor);
    const { object } = (await client.at("/f").getfh().send()).ok().get("GETFH");
    const again = (await client.compound().putfh(object).getfh().send()).ok().get("GETFH");
    expect(again.object).toEqual(object);
    const forged = object.slice();
    forged[forged.length - 1]! ^= 1;
    expect((await client.compound().putfh(forged).send()).status).toBe("NFS4ERR_BADHANDLE");
    await world.finish();
  });

  it("VERIFY goes on if all are the same, else NOT_SAME; NVERIFY is its opposite (RFC 8881 §18.15, §18.30)", async () => {
    const { world, client } = await begin(minor);
    const send = async (name: "VERIFY" | "NVERIFY", size: bigint) =>
      (
        await client
          .at("/f")
          .op(name, { obj_attributes: makeFattr4({ type: 1, size }) })
          .getfh()
          .send()
      ).status;
    expect(await send("VERIFY", 4n)).toBe("NFS4_OK");
    expect(await send("VERIFY", 5n)).toBe("NFS4ERR_NOT_SAME");
    expect(await send("NVERIFY", 4n)).toBe("NFS4ERR_SAME");
    expect(await send("NVERIFY", 5n)).toBe("NFS4_OK");
    await world.finish();
  });

  it.each(["VERIFY", "NVERIFY"] as const)(
    "%s refuses what this server does not have (ATTRNOTSUPP), what can only be set, and rdattr_error (INVAL)",
    async (name) => {
      const { world, client } = await begin(minor);
      const send = async (...numbers: number[]) =>
        (
          await client
            .at("/f")
            .op(name, { obj_attributes: { attrmask: bitmapOf(...numbers), attr_vals: new Uint8Array(64) } })
            .send()
        ).status;
      expect(await send(FATTR4_ACL)).toBe("NFS4ERR_ATTRNOTSUPP");
      expect(await send(FATTR4_TIME_MODIFY_SET)).toBe("NFS4ERR_INVAL");
      expect(await send(FATTR4_RDATTR_ERROR)).toBe("NFS4ERR_INVAL");
      // More values than the mask names.
      expect(await send(FATTR4_MODE)).toBe("NFS4ERR_BADXDR");
      await world.finish();
    },
  );

  it("SECINFO names the flavors of what is there: NOENT, NOTDIR else (RFC 8881 §18.29)", async () => {
    const { world, client } = await begin(minor);
    const secinfo = (compound: Compound, name: string) => compound.op("SECINFO", { name: utf8(name) });
    expect((await secinfo(client.at("/"), "f").send()).ok().get("SECINFO")).toEqual(FLAVORS);
    expect((await secinfo(client.at("/"), "x").send()).status).toBe("NFS4ERR_NOENT");
    expect((await secinfo(client.at("/f"), "x").send()).status).toBe("NFS4ERR_NOTDIR");
    // Since 4.1 there is no current filehandle afterwards (§2.6.3.1.1.8).
    const after = await secinfo(client.at("/"), "f").getfh().send();
    expect(after.status).toBe(minor === 0 ? "NFS4_OK" : "NFS4ERR_NOFILEHANDLE");
    await world.finish();
  });
});

describe.each([1, 2])("questions since 4.1, in 4.%i", (minor) => {
  it("SECINFO_NO_NAME is about the current filehandle or what is above it, and uses it up (RFC 8881 §18.45)", async () => {
    const { world, client } = await begin(minor);
    const ask = (path: string, style: 0 | 1) => client.at(path).op("SECINFO_NO_NAME", style);
    expect((await ask("/f", SECINFO_STYLE4_CURRENT_FH).send()).ok().get("SECINFO_NO_NAME")).toEqual(FLAVORS);
    expect((await ask("/d", SECINFO_STYLE4_PARENT).send()).ok().get("SECINFO_NO_NAME")).toEqual(FLAVORS);
    expect((await ask("/", SECINFO_STYLE4_PARENT).send()).status).toBe("NFS4ERR_NOENT");
    expect((await ask("/f", SECINFO_STYLE4_CURRENT_FH).getfh().send()).status).toBe("NFS4ERR_NOFILEHANDLE");
    await world.finish();
  });
});

import { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ATTRIBUTES,
  type AttributeName,
  attributeName,
  attributesOf,
  type Fattr4Values,
  GETTABLE_ATTRIBUTES,
  requiredAttributes,
  SETTABLE_ATTRIBUTES,
} from "./attribute-table.ts";
import { decodeFattr4, encodeFattr4, makeFattr4 } from "./attributes.ts";
import { type Bitmap, bitmapOf, bitsOf, intersection } from "./bitmap.ts";
import * as wire from "./generated/attributes.ts";
import { decode_fattr4, type fattr4 } from "./generated/basic.ts";

const text = new TextEncoder();
const time = { seconds: 1_700_000_000, nseconds: 999_999_999 };
const get = { rg_duration: 3n, rg_begin_time: [time] };
const set = { rs_enable: true, rs_duration: [2n ** 64n - 1n] };
const ace = { type: 0, flag: 0, access_mask: 0x1601bf, who: text.encode("OWNER@") };

/** A value for every attribute. */
const EVERYTHING: { readonly [Name in AttributeName]-?: NonNullable<Fattr4Values[Name]> } = {
  supported_attrs: [0x1f, 0xffff_ffff, 7],
  type: 1,
  fh_expire_type: 0,
  change: 2n ** 64n - 1n,
  size: 2n ** 63n,
  link_support: true,
  symlink_support: true,
  named_attr: false,
  fsid: { major: 1n, minor: 2n },
  unique_handles: true,
  lease_time: 90,
  rdattr_error: 0,
  acl: [ace],
  aclsupport: 3,
  archive: false,
  cansettime: true,
  case_insensitive: false,
  case_preserving: true,
  chown_restricted: true,
  filehandle: Uint8Array.of(1, 2, 3),
  fileid: 2n ** 64n - 1n,
  files_avail: 1n,
  files_free: 2n,
  files_total: 3n,
  fs_locations: { fs_root: [text.encode("a")], locations: [{ server: [text.encode("s")], rootpath: [] }] },
  hidden: false,
  homogeneous: true,
  maxfilesize: 2n ** 63n - 1n,
  maxlink: 65000,
  maxname: 255,
  maxread: 1048576n,
  maxwrite: 1048576n,
  mimetype: text.encode("text/plain"),
  mode: 0o7777,
  no_trunc: true,
  numlinks: 2,
  owner: text.encode("1000"),
  owner_group: text.encode("users@example.org"),
  quota_avail_hard: 1n,
  quota_avail_soft: 2n,
  quota_used: 3n,
  rawdev: { specdata1: 8, specdata2: 1 },
  space_avail: 1n,
  space_free: 2n,
  space_total: 3n,
  space_used: 4n,
  system: false,
  time_access: time,
  time_access_set: { set_it: 0 },
  time_backup: time,
  time_create: { seconds: -1, nseconds: 0 },
  time_delta: { seconds: 0, nseconds: 1 },
  time_metadata: time,
  time_modify: time,
  time_modify_set: { set_it: 1, time },
  mounted_on_fileid: 5n,
  dir_notif_delay: time,
  dirent_notif_delay: time,
  dacl: { na41_flag: 1, na41_aces: [ace] },
  sacl: { na41_flag: 0, na41_aces: [] },
  change_policy: { cp_major: 1n, cp_minor: 2n },
  fs_status: {
    fss_absent: false,
    fss_type: 4,
    fss_source: text.encode("s"),
    fss_current: new Uint8Array(0),
    fss_age: -1,
    fss_version: time,
  },
  fs_layout_types: [1, 4],
  layout_hint: { loh_type: 1, loh_body: Uint8Array.of(1) },
  layout_types: [],
  layout_blksize: 4096,
  layout_alignment: 512,
  fs_locations_info: { fli_flags: 1, fli_valid_for: -1, fli_fs_root: [], fli_items: [] },
  mdsthreshold: { mth_hints: [{ thi_layout_type: 1, thi_hintset: [3], thi_hintlist: Uint8Array.of(9) }] },
  retention_get: get,
  retention_set: set,
  retentevt_get: get,
  retentevt_set: set,
  retention_hold: 7n,
  mode_set_masked: { mm_value_to_set: 1, mm_mask_bits: 7 },
  suppattr_exclcreat: [1],
  fs_charset_cap: 1,
  clone_blksize: 4096,
  space_freed: 1n,
  change_attr_type: 0,
  sec_label: { slai_lfs: { lfs_lfs: 1, lfs_pi: 2 }, slai_data: text.encode("u:r:t") },
  mode_umask: { mu_mode: 0o666, mu_umask: 0o022 },
  xattr_support: true,
};

const numbers = fc.uniqueArray(fc.nat({ max: ATTRIBUTES.length - 1 }));

function only(mask: Bitmap): Fattr4Values {
  return Object.fromEntries(bitsOf(mask).map((n) => [ATTRIBUTES[n]!.name, EVERYTHING[ATTRIBUTES[n]!.name]]));
}

function encoded(mask: Bitmap, values: Fattr4Values): fattr4 {
  const writer = new XdrWriter();
  encodeFattr4(writer, mask, values);
  const reader = new XdrReader(writer.bytes());
  const attributes = decode_fattr4(reader);
  reader.expectEnd();
  return attributes;
}

describe("the table of attributes", () => {
  it("has every FATTR4 number once, at its place, under its name", () => {
    const constants = Object.entries(wire).filter(([name]) => /^FATTR4_[A-Z]/.test(name));
    expect(constants.length).toBe(83);
    expect(ATTRIBUTES.map(({ name, number }) => [`FATTR4_${name.toUpperCase()}`, number])).toEqual(
      constants.toSorted(([, a], [, b]) => (a as number) - (b as number)),
    );
    ATTRIBUTES.forEach(({ number, codec, name }, i) => {
      expect(number).toBe(i);
      expect(codec.name).toBe(`fattr4_${name}`);
    });
  });

  it("knows what can be read and what can be set (RFC 8881 §5.5)", () => {
    const names = (mask: Bitmap) => bitsOf(mask).map(attributeName);
    expect(ATTRIBUTES.filter(({ access }) => access === "set").map(({ name }) => name)).toEqual([
      "time_access_set",
      "time_modify_set",
      "layout_hint",
      "retention_set",
      "retentevt_set",
      "mode_set_masked",
      "mode_umask",
    ]);
    expect(names(intersection(GETTABLE_ATTRIBUTES, SETTABLE_ATTRIBUTES))).toEqual([
      "size",
      "acl",
      "archive",
      "hidden",
      "mimetype",
      "mode",
      "owner",
      "owner_group",
      "system",
      "time_backup",
      "time_create",
      "dacl",
      "sacl",
      "retention_hold",
      "sec_label",
    ]);
  });

  it("knows what each minor version has and requires (RFC 8881 §5.6, RFC 7862 §12.1)", () => {
    expect(bitsOf(attributesOf(0)).at(-1)).toBe(wire.FATTR4_MOUNTED_ON_FILEID);
    expect(bitsOf(attributesOf(1)).at(-1)).toBe(wire.FATTR4_FS_CHARSET_CAP);
    expect(bitsOf(attributesOf(2)).at(-1)).toBe(wire.FATTR4_XATTR_SUPPORT);
    expect(bitsOf(requiredAttributes(0))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 19]);
    expect(bitsOf(requiredAttributes(1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 19, 75]);
    expect(attributeName(4711)).toBe("attribute 4711");
  });
});

describe("fattr4", () => {
  it("gives back any set of attributes", () => {
    fc.assert(
      fc.property(numbers, (chosen) => {
        const mask = bitmapOf(...chosen);
        const attributes = encoded(mask, EVERYTHING);
        expect(attributes.attrmask).toEqual(mask);
        expect(decodeFattr4(attributes)).toEqual({ ok: true, values: only(mask) });
        expect(makeFattr4(only(mask))).toEqual(attributes);
      }),
    );
  });

  it("leaves out what has no value, and what is beyond the table", () => {
    fc.assert(
      fc.property(numbers, numbers, (asked, had) => {
        const mask = bitmapOf(...asked, 83, 200);
        const known = bitmapOf(...had);
        const attributes = encoded(mask, only(known));
        const expected = bitsOf(intersection(bitmapOf(...asked), known));
        expect(bitsOf(attributes.attrmask)).toEqual(expected);
        expect(decodeFattr4(attributes)).toEqual({ ok: true, values: only(bitmapOf(...expected)) });
      }),
    );
  });

  it("stays right when clients ask for ever new sets", () => {
    for (let i = 0; i < 1000; i++) {
      const mask = bitmapOf(
        1,
        ...Array.from({ length: 10 }, (_, bit) => ((i >> bit) & 1) * (20 + bit)).filter(Boolean),
      );
      expect(encoded(mask, EVERYTHING).attrmask).toEqual(mask);
    }
  });

  it("is the order of numbers, whatever the order of the values (RFC 8881 §3.3.7)", () => {
    expect(makeFattr4({ mode: 1, type: 2 })).toEqual({
      attrmask: [2, 2],
      attr_vals: Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 1),
    });
  });

  it("names the lowest attribute that is unknown or not supported", () => {
    const values = new Uint8Array(0);
    const status = 10032;
    expect(decodeFattr4({ attrmask: [0, 0, 1 << 19], attr_vals: values })).toEqual({
      ok: false,
      status,
      attribute: 83,
    });
    expect(decodeFattr4({ attrmask: [0, 0, 0, 0, 1], attr_vals: values })).toEqual({
      ok: false,
      status,
      attribute: 128,
    });
    const { attrmask, attr_vals } = makeFattr4({ size: 1n, archive: true, hidden: true });
    expect(decodeFattr4({ attrmask, attr_vals }, bitmapOf(4))).toEqual({ ok: false, status, attribute: 14 });
    expect(decodeFattr4({ attrmask, attr_vals }, bitmapOf(4, 14, 25))).toMatchObject({ ok: true });
  });

  it("is BADXDR when values are cut short, go on or are malformed (RFC 8881 §15.1.1.1)", () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (chosen, at) => {
        const { attrmask, attr_vals } = makeFattr4(only(bitmapOf(...chosen)));
        const longer = Uint8Array.of(...attr_vals, 0, 0, 0, 0);
        expect(decodeFattr4({ attrmask, attr_vals: longer })).toMatchObject({ ok: false, status: 10036 });
        fc.pre(attr_vals.length > 0);
        const shorter = attr_vals.subarray(0, at % attr_vals.length);
        expect(decodeFattr4({ attrmask, attr_vals: shorter })).toMatchObject({ ok: false, status: 10036 });
      }),
    );
    expect(decodeFattr4({ attrmask: [1 << 5], attr_vals: Uint8Array.of(0, 0, 0, 2) })).toMatchObject({ status: 10036 });
  });

  it("takes masks with words that are zero", () => {
    expect(decodeFattr4({ attrmask: [2, 0, 0, 0], attr_vals: Uint8Array.of(0, 0, 0, 1) })).toEqual({
      ok: true,
      values: { type: 1 },
    });
    expect(encoded([2, 0, 0, 0], { type: 1 }).attrmask).toEqual([2]);
    expect(encoded([], EVERYTHING)).toEqual({ attrmask: [], attr_vals: new Uint8Array(0) });
  });
});

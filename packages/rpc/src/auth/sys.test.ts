import { fc, test } from "@fast-check/vitest";
import { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import { describe, expect, it } from "vitest";
import { AuthFlavor, AuthStat } from "../constants.ts";
import { newCallHeader } from "../message.ts";
import type { Authenticator, CallSecurity, UnauthenticatedCall } from "./flavor.ts";
import { type AuthSysOptions, authSys, authSysServer } from "./sys.ts";

/** Hands a credential body to the server's side, as it would lie somewhere in a record. */
function judge(authenticator: Authenticator, body: Uint8Array, verifier = { flavor: 0, length: 0 }) {
  const record = new Uint8Array(body.length + 20);
  record.set(body, 12);
  const header = { ...newCallHeader(), credentialOffset: 12, credentialLength: body.length };
  header.verifierFlavor = verifier.flavor;
  header.verifierLength = verifier.length;
  return authenticator.authenticate({ args: new XdrReader(record) } as unknown as UnauthenticatedCall, header);
}

function bodyOf(options: AuthSysOptions): Uint8Array {
  const writer = new XdrWriter();
  authSys(options).begin({ xid: 0, program: 0, version: 0, procedure: 0 }).writeCredential(writer);
  const reader = new XdrReader(writer.bytes());
  expect(reader.uint32()).toBe(AuthFlavor.AUTH_SYS);
  return reader.opaque(400).slice();
}

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const options = fc.record({
  uid: uint32,
  gid: uint32,
  gids: fc.array(uint32, { maxLength: 16 }),
  machineName: fc.string({ unit: "binary-ascii", maxLength: 255 }),
  stamp: uint32,
});

describe("AUTH_SYS (RFC 5531 Appendix A)", () => {
  it("is, byte for byte", () => {
    const body = bodyOf({ stamp: 7, machineName: "krypton", uid: 1000, gid: 100, gids: [4, 24] });
    expect(Buffer.from(body).toString("hex")).toBe(
      `00000007 00000007 6b727970746f6e00 000003e8 00000064 00000002 00000004 00000018`.replaceAll(" ", ""),
    );
  });

  test.prop([fc.array(options, { maxLength: 40 })])("credentials come back, whatever was seen before", (all) => {
    const authenticator = authSysServer.authenticator();
    for (const each of [...all, ...all]) {
      const { credential } = judge(authenticator, bodyOf(each)) as CallSecurity;
      const { uid, gid, gids, machineName } = each;
      expect(credential).toEqual({ flavor: AuthFlavor.AUTH_SYS, uid, gid, gids, machineName });
    }
  });

  it("knows a credential again whose stamp has changed", () => {
    const authenticator = authSysServer.authenticator();
    const first = judge(authenticator, bodyOf({ uid: 1, gid: 2, stamp: 1 }));
    expect(judge(authenticator, bodyOf({ uid: 1, gid: 2, stamp: 2 }))).toBe(first);
    expect(judge(authenticator, bodyOf({ uid: 1, gid: 3, stamp: 2 }))).not.toBe(first);
  });

  it("sends the first 16 groups", () => {
    const gids = Array.from({ length: 20 }, (_, i) => i);
    const { credential } = judge(authSysServer.authenticator(), bodyOf({ uid: 0, gid: 0, gids })) as CallSecurity;
    expect(credential.gids).toEqual(gids.slice(0, 16));
  });

  const good = bodyOf({ uid: 1, gid: 2, gids: [3], machineName: "abcde" });
  const bad: [string, Uint8Array][] = [
    ["nothing", new Uint8Array(0)],
    ["a stamp alone", new Uint8Array(4)],
    ["bytes behind it", Uint8Array.from([...good, 0, 0, 0, 0])],
    ["a name above 255 bytes", Uint8Array.from([0, 0, 0, 0, 0, 0, 1, 0, ...new Uint8Array(256 + 12)])],
    ["17 groups", Uint8Array.from([...new Uint8Array(16), 0, 0, 0, 17, ...new Uint8Array(68)])],
  ];
  it.each(bad)("refuses %s", (_, body) => {
    expect(judge(authSysServer.authenticator(), body)).toEqual({ reject: AuthStat.AUTH_BADCRED });
  });

  it("refuses it cut off anywhere", () => {
    for (let length = 0; length < good.length; length++) {
      expect(judge(authSysServer.authenticator(), good.subarray(0, length))).toEqual({ reject: AuthStat.AUTH_BADCRED });
    }
  });

  it("refuses a verifier", () => {
    expect(judge(authSysServer.authenticator(), good, { flavor: 1, length: 0 })).toEqual({
      reject: AuthStat.AUTH_BADVERF,
    });
    expect(judge(authSysServer.authenticator(), good, { flavor: 0, length: 4 })).toEqual({
      reject: AuthStat.AUTH_BADVERF,
    });
  });
});

import { fc, test } from "@fast-check/vitest";
import { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import { describe, expect, it } from "vitest";
import { AcceptStat, AuthStat, MsgType } from "./constants.ts";
import {
  newCallHeader,
  newReplyHeader,
  readCallHeader,
  readReplyHeader,
  writeAcceptedHeader,
  writeAuth,
  writeAuthError,
  writeCallHeader,
  writeProgramMismatch,
  writeRpcMismatch,
} from "./message.ts";

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const opaqueAuth = fc.record({ flavor: uint32, body: fc.uint8Array({ maxLength: 400 }) });

function written(write: (writer: XdrWriter) => void): string {
  const writer = new XdrWriter();
  write(writer);
  return Buffer.from(writer.bytes()).toString("hex");
}

/** A reader behind xid and message type. */
function readerOf(hex: string): XdrReader {
  const reader = new XdrReader(new Uint8Array(Buffer.from(hex, "hex")));
  reader.uint32();
  reader.uint32();
  return reader;
}

describe("call and reply headers (RFC 5531 §9)", () => {
  test.prop([uint32, uint32, uint32, uint32, opaqueAuth, opaqueAuth])(
    "a call's header comes back",
    (xid, program, version, procedure, credential, verifier) => {
      const writer = new XdrWriter();
      writeCallHeader(writer, xid, program, version, procedure);
      writeAuth(writer, credential);
      writeAuth(writer, verifier);
      writer.uint32(0xabcd);
      const reader = new XdrReader(writer.bytes());
      expect(reader.uint32()).toBe(xid);
      expect(reader.uint32()).toBe(MsgType.CALL);
      const header = newCallHeader();
      expect(readCallHeader(reader, header)).toBeNull();
      expect([header.program, header.version, header.procedure]).toEqual([program, version, procedure]);
      const at = (offset: number, length: number) => reader.bytes.subarray(offset, offset + length);
      expect(header.credentialFlavor).toBe(credential.flavor);
      expect(at(header.credentialOffset, header.credentialLength)).toEqual(credential.body);
      expect(header.verifierFlavor).toBe(verifier.flavor);
      expect(at(header.verifierOffset, header.verifierLength)).toEqual(verifier.body);
      expect(reader.uint32()).toBe(0xabcd);
    },
  );

  test.prop([fc.uint8Array({ maxLength: 900 })])("no bytes make reading a header throw", (bytes) => {
    readCallHeader(new XdrReader(bytes), newCallHeader());
    readReplyHeader(new XdrReader(bytes), newReplyHeader());
    const call = Uint8Array.from([0, 0, 0, 2, ...bytes]);
    readCallHeader(new XdrReader(call), newCallHeader());
  });

  it("a header cut off anywhere is truncated", () => {
    const writer = new XdrWriter();
    writeCallHeader(writer, 1, 2, 3, 4);
    writeAuth(writer, { flavor: 1, body: new Uint8Array(21) });
    writeAuth(writer, { flavor: 0, body: new Uint8Array(5) });
    const whole = writer.bytes();
    for (let length = 8; length < whole.length; length++) {
      expect(readCallHeader(new XdrReader(whole.subarray(0, length), 8), newCallHeader())).toBe("truncated");
    }
  });

  it.each([
    ["another RPC version", "00000001 00000000 00000003", "version"],
    [
      "a credential above 400 bytes",
      `00000001 00000000 00000002 ${"00000001".repeat(3)} 00000001 00000191`,
      "credential",
    ],
    [
      "a verifier above 400 bytes",
      `00000001 00000000 00000002 ${"00000001".repeat(3)} 00000000 00000000 00000000 ffffffff`,
      "verifier",
    ],
  ])("finds %s", (_, text, fault) => {
    expect(readCallHeader(readerOf(text.replaceAll(" ", "")), newCallHeader())).toBe(fault);
  });

  it.each([
    ["a reply_stat of 2", "00000001 00000001 00000002 00000000", "garbage"],
    ["an accept_stat of 6", "00000001 00000001 00000000 00000000 00000000 00000006", "garbage"],
    ["a reject_stat of 2", "00000001 00000001 00000001 00000002", "garbage"],
    ["no accept_stat", "00000001 00000001 00000000 00000000 00000000", "truncated"],
    ["no range", "00000001 00000001 00000000 00000000 00000000 00000002 00000001", "truncated"],
    ["no auth_stat", "00000001 00000001 00000001 00000001", "truncated"],
    ["a verifier above 400 bytes", "00000001 00000001 00000000 00000000 00000191", "verifier"],
  ])("finds %s in a reply", (_, text, fault) => {
    expect(readReplyHeader(readerOf(text.replaceAll(" ", "")), newReplyHeader())).toBe(fault);
  });

  const xid = 0x01020304;
  it.each([
    [
      "SUCCESS",
      (w: XdrWriter) => writeAcceptedHeader(w, xid, null, AcceptStat.SUCCESS),
      "00000000 00000000 00000000 00000000",
    ],
    [
      "SUCCESS with a verifier",
      (w: XdrWriter) =>
        writeAcceptedHeader(w, xid, { flavor: 6, body: Uint8Array.of(1, 2, 3, 4, 5) }, AcceptStat.SUCCESS),
      "00000000 00000006 00000005 01020304 05000000 00000000",
    ],
    [
      "PROG_UNAVAIL",
      (w: XdrWriter) => writeAcceptedHeader(w, xid, null, AcceptStat.PROG_UNAVAIL),
      "00000000 00000000 00000000 00000001",
    ],
    [
      "PROG_MISMATCH",
      (w: XdrWriter) => writeProgramMismatch(w, xid, null, 3, 4),
      "00000000 00000000 00000000 00000002 00000003 00000004",
    ],
    [
      "PROC_UNAVAIL",
      (w: XdrWriter) => writeAcceptedHeader(w, xid, null, AcceptStat.PROC_UNAVAIL),
      "00000000 00000000 00000000 00000003",
    ],
    [
      "GARBAGE_ARGS",
      (w: XdrWriter) => writeAcceptedHeader(w, xid, null, AcceptStat.GARBAGE_ARGS),
      "00000000 00000000 00000000 00000004",
    ],
    [
      "SYSTEM_ERR",
      (w: XdrWriter) => writeAcceptedHeader(w, xid, null, AcceptStat.SYSTEM_ERR),
      "00000000 00000000 00000000 00000005",
    ],
    ["RPC_MISMATCH", (w: XdrWriter) => writeRpcMismatch(w, xid), "00000001 00000000 00000002 00000002"],
    ...Object.entries(AuthStat)
      .filter(([name]) => name !== "AUTH_OK")
      .map(([name, stat]): [string, (w: XdrWriter) => void, string] => [
        name,
        (w) => writeAuthError(w, xid, stat),
        `00000001 00000001 ${stat.toString(16).padStart(8, "0")}`,
      ]),
    // AUTH_OK would say that nothing is wrong.
    [
      "AUTH_ERROR without a reason",
      (w: XdrWriter) => writeAuthError(w, xid, AuthStat.AUTH_OK),
      "00000001 00000001 00000007",
    ],
  ])("%s, byte for byte", (_, write, body) => {
    const text = `01020304 00000001 ${body}`.replaceAll(" ", "");
    expect(written(write)).toBe(text);
    const header = newReplyHeader();
    expect(readReplyHeader(readerOf(text), header)).toBeNull();
  });

  it("a call's header, byte for byte", () => {
    expect(written((w) => writeCallHeader(w, xid, 100003, 4, 1))).toBe(
      "010203040000000000000002000186a30000000400000001",
    );
  });
});

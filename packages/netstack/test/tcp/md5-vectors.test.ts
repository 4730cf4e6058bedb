import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { OPTION_MD5 } from "../../src/tcp/constants.ts";
import { Md5Key } from "../../src/tcp/signatures/md5-key.ts";
import { SignedMessage } from "../../src/tcp/signatures/signed-message.ts";
import { SIGNATURE_BAD, SIGNATURE_GOOD } from "../../src/tcp/signatures/signer.ts";
import { outbound, parsePacket, sentBytes } from "./signature-packets.ts";

interface Captured {
  readonly ip: string;
  /** Null: there is no signature. */
  readonly valid: boolean | null;
}

const file = new URL("./fixtures/md5-segments.json", import.meta.url);
const { key, segments } = JSON.parse(readFileSync(file, "utf8")) as { key: string; segments: Captured[] };
const md5 = new Md5Key(key);
const message = new SignedMessage();

describe("segments of Linux with TCP_MD5SIG", () => {
  it("are judged as Linux judges them", () => {
    const counts = { good: 0, bad: 0, unsigned: 0 };
    for (const { ip, valid } of segments) {
      const segment = parsePacket(Buffer.from(ip, "hex"));
      const signed = segment.options.signatureKind === OPTION_MD5;
      expect(signed).toBe(valid !== null);
      if (!signed) {
        counts.unsigned++;
        continue;
      }
      expect(md5.verify(segment, message)).toBe(valid ? SIGNATURE_GOOD : SIGNATURE_BAD);
      counts[valid ? "good" : "bad"]++;
    }
    expect(counts).toEqual({ good: 40, bad: 3, unsigned: 20 });
  });

  it("are signed alike, whatever slices the payload comes in", () => {
    for (const { ip } of segments.filter(({ valid }) => valid)) {
      const bytes = Buffer.from(ip, "hex");
      const { options } = parsePacket(bytes);
      const at = options.signatureOffset + 2;
      expect(signatureOf(bytes)).toEqual(Uint8Array.from(bytes.subarray(at, at + 16)));
    }
  });

  it("no longer verify when any bit of what is signed has changed", () => {
    const valid = segments.find((segment) => segment.valid === true && segment.ip.length > 300)!;
    const bytes = Buffer.from(valid.ip, "hex");
    const { options, payloadOffset } = parsePacket(bytes);
    const header = 20;
    for (let bit = 12 * 8; bit < 8 * bytes.length; bit += bit < 8 * payloadOffset ? 1 : 97) {
      const at = bit >> 3;
      const inChecksums = at === header + 16 || at === header + 17;
      const inLengths = at === header + 12;
      const inOptions = at >= header + 20 && at < payloadOffset;
      const inDigest = at >= options.signatureOffset + 2 && at < options.signatureOffset + 18;
      if (inChecksums || inLengths || (inOptions && !inDigest)) continue;
      bytes[at]! ^= 1 << (bit & 7);
      expect(md5.verify(parsePacket(bytes), message), `bit ${bit}`).toBe(SIGNATURE_BAD);
      bytes[at]! ^= 1 << (bit & 7);
    }
    expect(md5.verify(parsePacket(bytes), message)).toBe(SIGNATURE_GOOD);
  });
});

describe("Md5Key", () => {
  it("takes text as UTF-8, or bytes, of 1 to 80", () => {
    expect(() => new Md5Key("")).toThrow(RangeError);
    expect(() => new Md5Key("x".repeat(81))).toThrow(/1 to 80 bytes, not 81/);
    expect(() => new Md5Key(new Uint8Array(80))).not.toThrow();
  });

  it("keeps its secret to itself", () => {
    const shown =
      inspect(new Md5Key("sesame"), { showHidden: true, depth: null }) + JSON.stringify(new Md5Key("sesame"));
    expect(shown).not.toMatch(/sesame|115, 101, 115|736573/);
  });
});

/** What we sign the same segment with, its signature moved to the end of the options. */
function signatureOf(bytes: Uint8Array): Uint8Array {
  const out = outbound(parsePacket(bytes));
  expect(md5.sign(out, message)).toBe(true);
  const sent = sentBytes(out);
  expect([...sent.subarray(-18, -16)]).toEqual([19, 18]);
  return Uint8Array.from(sent.subarray(-16));
}

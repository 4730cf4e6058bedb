import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import type { FlowKey } from "../../src/tcp/flow.ts";
import { AesCmac } from "../../src/tcp/signatures/aes-cmac.ts";
import { type AoAlgorithm, trafficKey } from "../../src/tcp/signatures/ao-algorithms.ts";
import { AoSigner } from "../../src/tcp/signatures/ao-signer.ts";
import { KeyChain } from "../../src/tcp/signatures/key-chain.ts";
import { MasterKey } from "../../src/tcp/signatures/master-key.ts";
import { SequenceExtension } from "../../src/tcp/signatures/sequence-extension.ts";
import { SignedMessage } from "../../src/tcp/signatures/signed-message.ts";
import { SIGNATURE_BAD, SIGNATURE_GOOD, SIGNATURE_KEY_UNKNOWN } from "../../src/tcp/signatures/signer.ts";
import { endsOf, outbound, parsePacket, sentBytes } from "./signature-packets.ts";

interface Vector {
  readonly section: string;
  readonly algorithm: AoAlgorithm;
  readonly includeOptions: boolean;
  readonly fromClient: boolean;
  readonly syn: boolean;
  readonly trafficKey: string;
  readonly packet: string;
  readonly mac: string;
  readonly clientIsn: number;
  readonly serverIsn: number;
}

const file = new URL("./fixtures/rfc9235.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, "utf8")) as { vectors: Vector[] };
const MASTER = "testvector";
const CLIENT_ID = 61;
const SERVER_ID = 84;
const message = new SignedMessage();

/** The signer of one side of a vector's connection. */
function signer(vector: Vector, ends: FlowKey, isClient: boolean, secret = MASTER): AoSigner {
  const { algorithm, includeOptions, clientIsn, serverIsn } = vector;
  const [sendId, recvId] = isClient ? [CLIENT_ID, SERVER_ID] : [SERVER_ID, CLIENT_ID];
  const chain = new KeyChain([new MasterKey({ sendId, recvId, secret, algorithm, includeOptions })]);
  const [iss, irs] = isClient ? [clientIsn, serverIsn] : [serverIsn, clientIsn];
  return new AoSigner(chain, ends, iss, irs, null);
}

describe("the vectors of RFC 9235", () => {
  it("are all there", () => {
    expect(vectors).toHaveLength(32);
  });

  for (const vector of vectors) {
    const { section, fromClient, syn } = vector;
    const bytes = Buffer.from(vector.packet, "hex");
    const options = vector.includeOptions ? "covers options" : "omits options";

    it(`§${section}: ${vector.algorithm}, ${options}, ${fromClient ? "client" : "server"}${syn ? " SYN" : ""}`, () => {
      const segment = parsePacket(bytes);
      const theirs = endsOf(segment);
      expect(signer(vector, theirs, !fromClient).verify(segment, message)).toBe(SIGNATURE_GOOD);
      expect(signer(vector, theirs, !fromClient, "testvectos").verify(segment, message)).toBe(SIGNATURE_BAD);

      const ours = {
        ...theirs,
        l0: theirs.r0,
        l1: theirs.r1,
        l2: theirs.r2,
        l3: theirs.r3,
        localPort: theirs.remotePort,
      };
      Object.assign(ours, { r0: theirs.l0, r1: theirs.l1, r2: theirs.l2, r3: theirs.l3, remotePort: theirs.localPort });
      const out = outbound(segment);
      // The option is written anew in its place at the end.
      out.slab.fill(0xee, out.transportOffset + out.transportLength - 16, out.transportOffset + out.transportLength);
      expect(signer(vector, ours, fromClient).sign(out, message)).toBe(true);
      const sent = sentBytes(out);
      expect(sent.slice(-12).toString("hex")).toBe(vector.mac);
      expect(sent).toEqual(bytes.subarray(segment.packet.transportOffset, segment.payloadOffset));
    });

    it(`§${section}: traffic key`, () => {
      const segment = parsePacket(bytes);
      const ends = endsOf(segment);
      const context = new SignedMessage();
      context.addAddress(ends.r0, ends.r1, ends.r2, ends.r3);
      context.addAddress(ends.l0, ends.l1, ends.l2, ends.l3);
      context.addWord((ends.remotePort << 16) | ends.localPort);
      context.addWord(fromClient ? vector.clientIsn : vector.serverIsn);
      context.addWord(syn ? 0 : fromClient ? vector.serverIsn : vector.clientIsn);
      const key = trafficKey(vector.algorithm, Buffer.from(MASTER), context.bytes);
      expect(Buffer.from(key).toString("hex")).toBe(vector.trafficKey);
    });
  }

  it("a key id that nobody has is told apart; other lengths, and flipped bits of options that count, are wrong", () => {
    const vector = vectors.find(({ section }) => section === "4.1.3")!;
    const bytes = Buffer.from(vector.packet, "hex");
    const judge = (at: number, value: number): number => {
      const changed = Buffer.from(bytes);
      changed[at]! ^= value;
      const segment = parsePacket(changed);
      return signer(vector, endsOf(segment), false).verify(segment, message);
    };
    const option = 20 + 20 + 12;
    expect(judge(option + 2, 1)).toBe(SIGNATURE_KEY_UNKNOWN);
    expect(judge(option + 3, 1)).toBe(SIGNATURE_BAD);
    expect(judge(option + 1, 16 ^ 12)).toBe(SIGNATURE_BAD);
    // A timestamp.
    expect(judge(20 + 20 + 5, 1)).toBe(SIGNATURE_BAD);
    expect(judge(bytes.length - 1, 1)).toBe(SIGNATURE_BAD);
  });
});

describe("AES-CMAC (RFC 4493 §4)", () => {
  const key = Buffer.from("2b7e151628aed2a6abf7158809cf4f3c", "hex");
  const text = Buffer.from(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    "hex",
  );
  const wanted: [number, string][] = [
    [0, "bb1d6929e95937287fa37d129b756746"],
    [16, "070a16b46b4d4144f79bdd9dd04a287c"],
    [40, "dfa66747de9ae63030ca32611497c827"],
    [64, "51f0bebf7e3b9d92fc49741779363cfe"],
  ];

  it("the examples, in any order with one key", () => {
    const cmac = new AesCmac(key);
    for (const [length, mac] of [...wanted, ...wanted.toReversed()]) {
      expect(Buffer.from(cmac.mac(text.subarray(0, length))).toString("hex")).toBe(mac);
    }
  });
});

describe("sequence number extensions (RFC 5925 §6.2, RFC 9187)", () => {
  test.prop([
    fc.integer({ min: 0, max: 0xffffffff }),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 2 ** 30 })), {
      maxLength: 40,
    }),
  ])(
    "are the upper half of a 64-bit number, whatever the jumps below 2^31 and however late a segment comes",
    (initial, steps) => {
      const extension = new SequenceExtension(initial);
      let highest = initial;
      for (const [step, late] of steps) {
        highest += step;
        extension.note(highest >>> 0);
        const old = Math.max(initial, highest - late);
        const [low, high] = [old % 2 ** 32, Math.floor(old / 2 ** 32)];
        expect(extension.of(low)).toBe(high);
        extension.note(low);
      }
    },
  );
});

describe("key chains", () => {
  const key = (sendId: number, recvId: number): MasterKey => new MasterKey({ sendId, recvId, secret: "x" });

  it("have ids from 0 to 255, each once", () => {
    expect(() => key(256, 0)).toThrow(RangeError);
    expect(() => key(0, -1)).toThrow(RangeError);
    const chain = new KeyChain([key(0, 255)]);
    expect(() => chain.add(key(0, 1))).toThrow(/send id 0/);
    expect(() => chain.add(key(1, 255))).toThrow(/receive id 255/);
    const other = key(1, 1);
    chain.add(other);
    chain.prefer(other);
    expect([...chain].map(({ sendId }) => sendId)).toEqual([1, 0]);
    expect([chain.remove(other), chain.remove(other), chain.preferred?.sendId]).toEqual([true, false, 0]);
    expect(() => chain.prefer(other)).toThrow(RangeError);
  });

  it("keep their secrets", () => {
    const chain = new KeyChain([new MasterKey({ sendId: 1, recvId: 2, secret: "sesame" })]);
    const shown = inspect(chain, { showHidden: true, depth: null }) + JSON.stringify([...chain]);
    expect(shown).not.toMatch(/sesame|115, 101, 115/);
  });
});

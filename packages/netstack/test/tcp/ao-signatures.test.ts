import type { ByteStream } from "@nfs4/bytestream";
import { describe, expect, it } from "vitest";
import { Address } from "../../src/address.ts";
import type { NetworkInterface, PacketTap } from "../../src/interface.ts";
import type { OutboundPacket } from "../../src/packet.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import type { AoAlgorithm } from "../../src/tcp/signatures/ao-algorithms.ts";
import { AoSigner } from "../../src/tcp/signatures/ao-signer.ts";
import { KeyChain } from "../../src/tcp/signatures/key-chain.ts";
import { MasterKey, type MasterKeyOptions } from "../../src/tcp/signatures/master-key.ts";
import { Md5Key } from "../../src/tcp/signatures/md5-key.ts";
import { SignedMessage } from "../../src/tcp/signatures/signed-message.ts";
import { SIGNATURE_BAD, SIGNATURE_GOOD } from "../../src/tcp/signatures/signer.ts";
import { ControlError, type ControlErrorKind } from "../../src/transport.ts";
import { Conversation, flags, signed } from "./conversation.ts";
import { Collector, Pair, type PairOptions, pattern, pump } from "./pair.ts";
import { encodeSegment } from "./segment-codec.ts";
import { endsOf, outbound, parsePacket } from "./signature-packets.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

/** The same key as either side has it. */
function keys(id: number, options: Partial<MasterKeyOptions> = {}): [MasterKey, MasterKey] {
  const shared = { secret: `secret ${id}`, ...options };
  return [
    new MasterKey({ sendId: id, recvId: id + 100, ...shared }),
    new MasterKey({ sendId: id + 100, recvId: id, ...shared }),
  ];
}

interface AoPair {
  readonly pair: Pair;
  readonly chainA: KeyChain;
  readonly chainB: KeyChain;
}

/** Two stacks that authenticate each other with key 1. */
function aoPair(options: PairOptions = {}, key: Partial<MasterKeyOptions> = {}): AoPair {
  const pair = new Pair({ delay: 1000, ...options });
  const [a, b] = keys(1, key);
  const [chainA, chainB] = [new KeyChain([a]), new KeyChain([b])];
  pair.tcpA.signatureKeys.set({ peer: B }, chainA);
  pair.tcpB.signatureKeys.set({ peer: A }, chainB);
  return { pair, chainA, chainB };
}

function faults({ pair }: AoPair): number {
  let sum = 0;
  for (const { statistics: s } of [pair.tcpA, pair.tcpB]) {
    sum += s.sigRcvBadSig + s.sigErrNoSigOpt + s.sigErrSigOpt + s.sigErrBuildSig + s.aoKeyNotFound;
  }
  return sum;
}

async function connected(ao: AoPair): Promise<{ client: TcpConnection; server: TcpConnection }> {
  const { client, server } = await ao.pair.connect();
  return { client, server: server as TcpConnection };
}

async function carry(ao: AoPair, from: ByteStream, to: ByteStream, length: number): Promise<void> {
  const collector = new Collector(to);
  const bytes = pattern(length);
  await ao.pair.clock.runToSettle(pump(from, bytes));
  ao.pair.clock.runForSync(2e6);
  expect(Buffer.compare(collector.bytes, bytes)).toBe(0);
}

describe("TCP-AO (RFC 5925)", () => {
  const cases: [AoAlgorithm, boolean][] = [
    ["hmac-sha-1-96", true],
    ["hmac-sha-1-96", false],
    ["aes-128-cmac-96", true],
    ["aes-128-cmac-96", false],
  ];
  it.each(cases)(
    "carries data over a bad link and closes: %s, options included: %s",
    async (algorithm, includeOptions) => {
      const ao = aoPair({ loss: 0.02, reorder: 0.02, duplicate: 0.01 }, { algorithm, includeOptions });
      const { client, server } = await connected(ao);
      expect(client.tcpInfo().signature).toMatchObject({ kind: "tcp-ao", algorithm, keyId: 1, rnextKeyId: 101 });
      expect(server.tcpInfo().signature).toMatchObject({ keyId: 101, rnextKeyId: 1, receivedKeyId: 1 });
      await carry(ao, client, server, 100_000);
      await carry(ao, server, client, 1000);
      ao.pair.clock.runForSync(1e6);
      expect([(await client.closed).how, (await server.closed).how]).toEqual(["closed", "closed"]);
      for (const { statistics } of [ao.pair.tcpA, ao.pair.tcpB]) {
        // What the link repeats once all is over has no key any more.
        const { rcvTotal, sigRcvGoodSig, aoKeyNotFound } = statistics;
        expect(sigRcvGoodSig + aoKeyNotFound).toBe(rcvTotal);
        expect(sigRcvGoodSig).toBeGreaterThan(10);
      }
    },
  );

  it("leaves room: 16 bytes in each segment, one SACK block beside timestamps", async () => {
    const ao = aoPair();
    const { client } = await connected(ao);
    expect(client.tcpInfo().sndMss).toBe(1460 - 12 - 16);
  });

  it("never connects with another secret, nor with an id that the other side has not", async () => {
    for (const [id, secret] of [
      [1, "another"],
      [2, "secret 1"],
    ] as const) {
      const ao = aoPair();
      ao.pair.tcpA.signatureKeys.set({ peer: B }, new KeyChain([keys(id, { secret })[0]]));
      ao.pair.tcpB.listen({ port: 2049 });
      const attempt = ao.pair.tcpA.connect({ address: B, port: 2049 }, { timeoutMs: 2000 });
      await expect(ao.pair.clock.runToSettle(attempt)).rejects.toMatchObject({ code: "ETIMEDOUT" });
      const { sigRcvBadSig, aoKeyNotFound } = ao.pair.tcpB.statistics;
      expect([sigRcvBadSig > 0, aoKeyNotFound > 0]).toEqual([id === 1, id === 2]);
      expect(ao.pair.tcpB.halfOpenCount).toBe(0);
    }
  });

  it("a listener takes the key that the SYN asks for", async () => {
    const ao = aoPair();
    const [a2, b2] = keys(2);
    ao.chainB.add(b2);
    ao.pair.tcpA.signatureKeys.set({ peer: B }, new KeyChain([a2]));
    const { client, server } = await connected(ao);
    expect([client, server].map((end) => end.tcpInfo().signature)).toMatchObject([
      { keyId: 2 },
      { keyId: 102, rnextKeyId: 2 },
    ]);
  });

  it("both may call at once", async () => {
    const ao = aoPair();
    const { pair } = ao;
    const calls = [
      pair.tcpA.connect({ address: B, port: 7 }, { localPort: 8 }),
      pair.tcpB.connect({ address: A, port: 8 }, { localPort: 7 }),
    ];
    await pair.clock.runToSettle(Promise.all(calls));
    expect(faults(ao)).toBe(0);
  });

  it("SYN cookies are signed, and taken from segments that are", async () => {
    const ao = aoPair({ sysctl: { "net.inet.tcp.syncookies_only": true } });
    const { client, server } = await connected(ao);
    await carry(ao, client, server, 10_000);
    expect([ao.pair.tcpB.statistics.scRecvCookie, faults(ao)]).toEqual([1, 0]);
  });

  it("a connection has keep-alive probes, for no reset can tell that the peer began anew (§7.7)", async () => {
    const ao = aoPair();
    const { client } = await connected(ao);
    await ao.pair.b.close();
    ao.pair.clock.runForSync(7_200e6 + 700e6);
    expect((await client.closed).how).toBe("timeout");
  });
});

describe("changing keys (RFC 5925 §6.1)", () => {
  it("goes on under traffic without the loss of a segment, one side asking, and the old key can go", async () => {
    const ao = aoPair({ bandwidth: 20e6 });
    const { chainA, chainB, pair } = ao;
    const { client, server } = await connected(ao);
    const collector = new Collector(server);
    const bytes = pattern(2_000_000);
    const done = pump(client, bytes, 10_000);
    const [old] = chainA;
    const [a2, b2] = keys(2);
    pair.clock.runForSync(100_000);
    // B is not ready: what A would like changes nothing yet.
    chainA.add(a2);
    client.selectKeys({ rnext: 102 });
    pair.clock.runForSync(100_000);
    expect(server.tcpInfo().signature).toMatchObject({ keyId: 101, receivedRnextKeyId: 102 });
    chainB.add(b2);
    pair.clock.runForSync(100_000);
    expect(server.tcpInfo().signature).toMatchObject({ keyId: 102, rnextKeyId: 1 });
    expect(client.tcpInfo().signature).toMatchObject({ keyId: 1, receivedKeyId: 102 });
    server.selectKeys({ rnext: 2 });
    pair.clock.runForSync(100_000);
    expect(client.tcpInfo().signature).toMatchObject({ keyId: 2, rnextKeyId: 102 });
    expect(collector.length).toBeLessThan(bytes.length);
    chainA.remove(old!);
    chainB.remove([...chainB][0]!);
    await pair.clock.runToSettle(done);
    pair.clock.runForSync(1e6);
    expect(Buffer.compare(collector.bytes, bytes)).toBe(0);
    expect([faults(ao), client.tcpInfo().retransmits]).toEqual([0, 0]);
  });

  it("a key that is removed while in use signs nothing more, and nothing more is taken from it", async () => {
    const ao = aoPair();
    const { chainA, chainB, pair } = ao;
    const { client, server } = await connected(ao);
    const [a2, b2] = keys(2);
    chainA.add(a2);
    chainA.remove([...chainA][0]!);
    client.write([{ bytes: pattern(10) }]);
    pair.clock.runForSync(50_000);
    expect(pair.tcpB.statistics.aoKeyNotFound).toBeGreaterThan(0);
    const collector = new Collector(server);
    chainB.add(b2);
    pair.clock.runForSync(2e6);
    expect(collector.length).toBe(10);
    chainA.remove(a2);
    client.write([{ bytes: pattern(10) }]);
    pair.clock.runForSync(2e6);
    expect(collector.length).toBe(10);
    expect(pair.tcpA.statistics.sigErrBuildSig).toBeGreaterThan(0);
    expect(client.tcpInfo().signature).toMatchObject({ keyId: -1 });
  });

  it("asks for keys that are there; TCP-AO and MD5 do not change places", async () => {
    const { client } = await connected(aoPair());
    expect(() => client.selectKeys({ rnext: 7 })).toThrow(RangeError);
    expect(() => client.selectKeys({ current: 7 })).toThrow(RangeError);
    expect(() => client.setSignatureKey(null)).toThrow(/TCP-AO begins and ends/);
    expect(() => client.setSignatureKey(new Md5Key("x"))).toThrow(/TCP-AO begins and ends/);
    const { client: plain } = await new Pair().connect();
    expect(() => plain.selectKeys({})).toThrow(/no TCP-AO/);
    expect(() => plain.setSignatureKey(new KeyChain(keys(1)))).toThrow(/TCP-AO begins and ends/);
  });
});

describe("sequence numbers that wrap", () => {
  it("are extended on both sides of an open connection", async () => {
    // Numbers count a clock's ticks of 4 µs: with the same secrets, let it run until they are about to wrap.
    const iss = await firstNumber(aoPair());
    const ao = aoPair();
    ao.pair.clock.runForSync(((0x1_0000_0000 - iss - 20_000) >>> 0) * 4);
    const numbers = new Numbers();
    for (const iface of ao.pair.a.interfaces) iface.addTap(numbers);
    const { client, server } = await connected(ao);
    await carry(ao, client, server, 100_000);
    expect(numbers.all[0]).toBeGreaterThan(0xffff_0000);
    expect(numbers.all.at(-1)).toBeLessThan(0x2_0000);
    expect(faults(ao)).toBe(0);
  });

  it("a segment replayed 2^32 bytes later no longer holds, though every bit of it is as it was", () => {
    const [a, b] = keys(1);
    const packet = (seq: number): Uint8Array =>
      encodeSegment(address(A), address(B), {
        sourcePort: 5,
        destinationPort: 6,
        seq: seq >>> 0,
        ack: 1,
        payload: "pay 100",
        rawOptions: [29, 16, ...new Array<number>(14).fill(0)],
      });
    const receiverEnds = endsOf(parsePacket(packet(0)));
    const senderEnds = { ...receiverEnds, localPort: 5, remotePort: 6 };
    Object.assign(senderEnds, { l3: receiverEnds.r3, r3: receiverEnds.l3 });
    const sender = new AoSigner(new KeyChain([a]), senderEnds, 999, 7, null);
    const receiver = new AoSigner(new KeyChain([b]), receiverEnds, 7, 999, null);
    const message = new SignedMessage();
    const send = (seq: number): Uint8Array => {
      const bytes = packet(seq);
      const out = outbound(parsePacket(bytes));
      expect(sender.sign(out, message)).toBe(true);
      bytes.set(out.slab.subarray(out.transportOffset, out.transportOffset + out.transportLength), 20);
      return bytes;
    };
    const first = send(1000);
    expect(receiver.verify(parsePacket(first), message)).toBe(SIGNATURE_GOOD);
    for (let sent = 2 ** 30; sent < 2 ** 32; sent += 2 ** 30) {
      expect(receiver.verify(parsePacket(send(1000 + sent)), message)).toBe(SIGNATURE_GOOD);
    }
    // By now the number would be acceptable again.
    expect(receiver.verify(parsePacket(first), message)).toBe(SIGNATURE_BAD);
    const again = send(1000);
    expect(receiver.verify(parsePacket(again), message)).toBe(SIGNATURE_GOOD);
    expect(Buffer.compare(again.subarray(0, 44), first.subarray(0, 44))).toBe(0);
    expect(Buffer.compare(again, first)).not.toBe(0);
  });
});

describe("what is not signed as it must be", () => {
  const AO = [29, 16, 1, 1, ...new Array<number>(12).fill(9)];
  const MD5 = [19, 18, ...new Array<number>(16).fill(9)];

  it("TCP-AO that no key is for is as if it were not there (§7.3), unless net.inet.tcp.ao.accept_unmatched is off", () => {
    for (const accept of [true, false]) {
      const talk = new Conversation({ sysctl: { "net.inet.tcp.ao.accept_unmatched": accept } });
      talk.listen();
      talk.say({ flags: "S", rawOptions: AO });
      if (accept) talk.hear(flags("SA"), signed(null));
      else talk.hearNothing();
      expect(talk.tcp.statistics.sigErrSigOpt).toBe(accept ? 0 : 1);
    }
  });

  it("two signatures, of one kind or of two, are never taken (§2.2)", () => {
    const talk = new Conversation();
    talk.listen();
    talk.say({ flags: "S", rawOptions: [...AO, ...AO] });
    talk.say({ flags: "S", rawOptions: [...MD5, ...AO] });
    talk.say({ flags: "S", rawOptions: [...AO, ...MD5] });
    talk.hearNothing();
    expect(talk.tcp.statistics.sigErrSigOpt).toBe(3);
  });

  it("a peer with a chain gets nothing for less: no signature, MD5, a short MAC, a wrong one; and no reset", () => {
    const talk = new Conversation();
    talk.listen({ signatureKeys: [{ peer: B, key: new KeyChain([keys(1)[1]]) }] });
    talk.say({ flags: "S" });
    talk.say({ flags: "S", rawOptions: MD5 });
    talk.say({ flags: "S", rawOptions: [29, 8, 1, 1, 9, 9, 9, 9] });
    talk.say({ flags: "S", rawOptions: AO });
    talk.say({ seq: 1, ack: 1, rawOptions: AO });
    talk.hearNothing();
    const { sigErrNoSigOpt, sigRcvBadSig, aoKeyNotFound } = talk.tcp.statistics;
    expect([sigErrNoSigOpt, sigRcvBadSig, aoKeyNotFound]).toEqual([2, 2, 1]);
  });
});

describe("ICMP for connections with TCP-AO (§7.8)", () => {
  it("hard errors and IPv4's path MTU are ignored, unless net.inet.tcp.ao.accept_icmp says so", async () => {
    for (const accept of [false, true]) {
      const ao = aoPair({ sysctl: { "net.inet.tcp.ao.accept_icmp": accept } });
      const { client } = await connected(ao);
      const numbers = new Numbers();
      for (const iface of ao.pair.a.interfaces) iface.addTap(numbers);
      client.write([{ bytes: pattern(1000) }]);
      const quoted = new Uint8Array(8);
      const view = new DataView(quoted.buffer);
      view.setUint16(0, client.localAddress.port);
      view.setUint16(2, 2049);
      view.setUint32(4, numbers.all.at(-1)!);
      for (const kind of ["packet-too-big", "unreachable-port"] as ControlErrorKind[]) {
        const error = new ControlError();
        Object.assign(error, { kind, mtu: 600, view, quotedOffset: 0, quotedLength: 8, l2: 0xffff, r2: 0xffff });
        Object.assign(error, { l3: address(A).w3, r3: address(B).w3 });
        ao.pair.a.enter();
        ao.pair.tcpA.controlInput(error);
        ao.pair.a.leave();
      }
      expect(client.tcpInfo()).toMatchObject({
        sndMss: accept ? 600 - 40 - 28 : 1432,
        softError: accept ? "ECONNREFUSED" : "",
      });
      expect(ao.pair.tcpA.statistics.aoDroppedIcmp).toBe(accept ? 0 : 2);
    }
  });
});

/** The sequence numbers of what an interface sends. */
class Numbers implements PacketTap {
  readonly all: number[] = [];

  received(): void {}

  transmitted(_iface: NetworkInterface, packet: OutboundPacket): void {
    this.all.push(packet.view.getUint32(packet.transportOffset + 4));
  }
}

async function firstNumber(ao: AoPair): Promise<number> {
  const numbers = new Numbers();
  for (const iface of ao.pair.a.interfaces) iface.addTap(numbers);
  await ao.pair.connect();
  return numbers.all[0]!;
}

function address(text: string): Address {
  return Address.parse(text);
}

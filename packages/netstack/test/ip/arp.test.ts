import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Address } from "../../src/address.ts";
import type { EthernetLink } from "../../src/link/ethernet.ts";
import type { ControlError, TransportProtocol } from "../../src/transport.ts";
import { attach, type Bench, bench } from "./bench.ts";
import { concat, describe4, ethernet, icmp, ipv4, mac, macText, ramp, viewOf } from "./packets.ts";

const OURS = "02:00:00:00:00:01";
const THEIRS = "02:00:00:00:00:02";
const OTHER = "02:00:00:00:00:03";
const ALL = "ff:ff:ff:ff:ff:ff";

function arp(operation: number, senderMac: string, sender: string, targetMac: string, target: string): Uint8Array {
  return concat(
    Uint8Array.of(0, 1, 8, 0, 6, 4, 0, operation),
    mac(senderMac),
    Address.parse(sender).toBytes(),
    mac(targetMac),
    Address.parse(target).toBytes(),
  );
}

const request = (senderMac: string, sender: string, target: string): Uint8Array =>
  ethernet(ALL, senderMac, 0x0806, arp(1, senderMac, sender, "00:00:00:00:00:00", target));
const reply = (senderMac: string, sender: string, to = OURS, target = "10.0.0.1"): Uint8Array =>
  ethernet(to, senderMac, 0x0806, arp(2, senderMac, sender, to, target));

/** Frames in words: "who has X tell Y" and so on, destination first. */
function words(frame: Uint8Array): string {
  const to = macText(frame.subarray(0, 6));
  const view = viewOf(frame);
  if (view.getUint16(12) !== 0x0806) return `${to} IP ${describe4(frame.subarray(14)).payload.length}`;
  const operation = view.getUint16(20);
  const sender = Address.fromBytes(frame.subarray(28, 32));
  const target = Address.fromBytes(frame.subarray(38, 42));
  return operation === 1
    ? `${to} who has ${target} tell ${sender}`
    : `${to} ${sender} is at ${macText(frame.subarray(22, 28))}`;
}

interface EthernetBench extends Bench {
  said(): string[];
}

function ethernetBench(sysctl: Record<string, number | boolean> = {}): EthernetBench {
  const made = bench({ medium: "ethernet", macAddress: mac(OURS), addresses: ["10.0.0.1/24"], sysctl });
  return { ...made, said: () => made.sent().map(words) };
}

/** Sends so many bytes to an address by UDP. */
function send(b: Bench, to: string, length = 10): number {
  const socket = b.stack.udp.bind({ message: () => {} });
  const result = socket.send(ramp(length), to, 9);
  socket.close();
  return result;
}

describe("ARP (RFC 826)", () => {
  it("answers requests for its address, and learns who asked", () => {
    const b = ethernetBench();
    b.said();
    b.driver.inject(request(THEIRS, "10.0.0.2", "10.0.0.1"));
    expect(b.said()).toEqual([`${THEIRS} 10.0.0.1 is at ${OURS}`]);
    send(b, "10.0.0.2");
    expect(b.said()).toEqual([`${THEIRS} IP 18`]);
  });

  it("does not answer for others, nor learn from their talk", () => {
    const b = ethernetBench();
    b.said();
    b.driver.inject(request(THEIRS, "10.0.0.2", "10.0.0.3"));
    expect(b.said()).toEqual([]);
    send(b, "10.0.0.2");
    expect(b.said()).toEqual([`${ALL} who has 10.0.0.2 tell 10.0.0.1`]);
  });

  it("holds packets while it asks, and sends them in order when the answer comes", () => {
    const b = ethernetBench();
    b.said();
    for (const length of [1, 2, 3]) send(b, "10.0.0.2", length);
    expect(b.said()).toEqual([`${ALL} who has 10.0.0.2 tell 10.0.0.1`]);
    b.driver.inject(reply(THEIRS, "10.0.0.2"));
    expect(b.said()).toEqual([`${THEIRS} IP 9`, `${THEIRS} IP 10`, `${THEIRS} IP 11`]);
    expect(b.stack.outstandingPackets).toBe(0);
  });

  it("holds no more than maxhold, the newest", () => {
    const b = ethernetBench({ "net.link.ether.inet.maxhold": 2 });
    b.said();
    for (const length of [1, 2, 3, 4]) send(b, "10.0.0.2", length);
    b.said();
    b.driver.inject(reply(THEIRS, "10.0.0.2"));
    expect(b.said()).toEqual([`${THEIRS} IP 11`, `${THEIRS} IP 12`]);
    expect(b.stack.statistics.arp.dropped).toBe(2);
  });

  it("asks once a second, five times, then tells the transport that the host is unreachable", async () => {
    const b = ethernetBench();
    const errors: string[] = [];
    const recorder: TransportProtocol = {
      input: () => {},
      controlInput: (error: ControlError) => errors.push(`${error.kind} ${error.quotedLength}`),
    };
    b.stack.registerTransport(253, recorder);
    b.said();
    const packet = b.stack.acquireOutbound();
    packet.family = 4;
    packet.protocol = 253;
    packet.src2 = packet.dst2 = 0xffff;
    packet.src0 = packet.src1 = packet.dst0 = packet.dst1 = 0;
    packet.src3 = 0x0a000001;
    packet.dst3 = 0x0a000002;
    packet.addSlice(ramp(20), 0, 20);
    b.stack.ip.output(packet, null);
    await b.clock.runFor(4.5e6);
    // Two of those said are the announcements of our own address.
    expect(b.said().filter((line) => line.includes("10.0.0.2")).length).toBe(5);
    expect(errors).toEqual([]);
    await b.clock.runFor(1e6);
    expect(errors).toEqual(["unreachable-host 20"]);
    expect(b.said()).toEqual([]);
    expect(b.stack.statistics.arp.timeouts).toBe(1);
    send(b, "10.0.0.2");
    expect(b.said().length).toBe(1);
  });

  it("verifies an old entry by asking its holder alone, keeps it if answered", async () => {
    const b = ethernetBench();
    b.driver.inject(request(THEIRS, "10.0.0.2", "10.0.0.1"));
    await b.clock.runFor(1201e6);
    b.said();
    send(b, "10.0.0.2");
    expect(b.said()).toEqual([`${THEIRS} IP 18`]);
    await b.clock.runFor(5.1e6);
    expect(b.said()).toEqual([`${THEIRS} who has 10.0.0.2 tell 10.0.0.1`]);
    b.driver.inject(reply(THEIRS, "10.0.0.2"));
    await b.clock.runFor(60e6);
    expect(b.said()).toEqual([]);
    send(b, "10.0.0.2");
    expect(b.said()).toEqual([`${THEIRS} IP 18`]);
  });

  it("forgets an old entry whose holder does not answer, and one that nobody uses", async () => {
    const b = ethernetBench();
    b.driver.inject(request(THEIRS, "10.0.0.2", "10.0.0.1"));
    b.driver.inject(request(OTHER, "10.0.0.3", "10.0.0.1"));
    await b.clock.runFor(1201e6);
    send(b, "10.0.0.2");
    await b.clock.runFor(9e6);
    b.said();
    send(b, "10.0.0.2");
    expect(b.said()).toEqual([`${ALL} who has 10.0.0.2 tell 10.0.0.1`]);
    await b.clock.runFor(700e6);
    b.said();
    send(b, "10.0.0.3");
    expect(b.said()).toEqual([`${ALL} who has 10.0.0.3 tell 10.0.0.1`]);
  });

  it("follows a neighbour that moved", () => {
    const b = ethernetBench();
    b.driver.inject(request(THEIRS, "10.0.0.2", "10.0.0.1"));
    b.driver.inject(request(OTHER, "10.0.0.2", "10.0.0.2"));
    b.said();
    send(b, "10.0.0.2");
    expect(b.said()).toEqual([`${OTHER} IP 18`]);
  });

  it("asks for the gateway of what is far, and sends broadcasts and groups without asking", () => {
    const b = ethernetBench();
    b.stack.routes.add({ destination: "default", gateway: "10.0.0.254" });
    b.said();
    send(b, "8.8.8.8");
    expect(b.said()).toEqual([`${ALL} who has 10.0.0.254 tell 10.0.0.1`]);
    const socket = b.stack.udp.bind({ message: () => {}, broadcast: true });
    socket.send(ramp(4), "10.0.0.255", 9);
    socket.send(ramp(5), "255.255.255.255", 9);
    socket.send(ramp(6), "224.0.0.251", 9);
    expect(b.said()).toEqual([`${ALL} IP 12`, `${ALL} IP 13`, "01:00:5e:00:00:fb IP 14"]);
  });

  it("drops malformed packets, and answers no request from a group address", () => {
    const b = ethernetBench();
    b.said();
    const good = request(THEIRS, "10.0.0.2", "10.0.0.1");
    b.driver.inject(good.subarray(0, 41));
    for (const at of [15, 17, 18, 19]) {
      const bad = good.slice();
      bad[at] = 0x77;
      b.driver.inject(bad);
    }
    b.driver.inject(ethernet(ALL, THEIRS, 0x0806, arp(1, "01:00:5e:00:00:01", "10.0.0.2", ALL, "10.0.0.1")));
    // Neither request nor reply: nothing is learnt from it.
    b.driver.inject(ethernet(OURS, THEIRS, 0x0806, arp(3, THEIRS, "10.0.0.2", OURS, "10.0.0.1")));
    expect(b.said()).toEqual([]);
    expect(b.stack.statistics.arp.badPackets).toBe(7);
    send(b, "10.0.0.2");
    expect(b.said()).toEqual([`${ALL} who has 10.0.0.2 tell 10.0.0.1`]);
  });

  it("keeps its table bounded", () => {
    const b = ethernetBench();
    for (let i = 0; i < 3000; i++) b.driver.inject(request(THEIRS, `10.0.0.${(i % 250) + 3}`, "10.0.0.1"));
    b.iface.addAddress("10.1.0.1/16");
    for (let i = 0; i < 3000; i++) b.driver.inject(request(THEIRS, `10.1.${i >>> 8}.${i & 255 || 7}`, "10.1.0.1"));
    b.said();
    send(b, "10.1.11.183");
    expect(b.said()).toEqual([`${THEIRS} IP 18`]);
    const { cache } = (b.iface.link as EthernetLink).arp;
    expect(cache.size).toBe(1024);
  });

  it("holds at most a megabyte for all who do not answer, and counts what it drops", () => {
    const b = ethernetBench();
    b.iface.addAddress("10.1.0.1/16");
    for (let i = 2; i < 1000; i++) send(b, `10.1.${i >>> 8}.${i & 255}`, 1400);
    const { cache } = (b.iface.link as EthernetLink).arp;
    const held = [...cache.values()].flatMap((neighbor) => neighbor.held).map((packet) => packet.bytes.length);
    const total = held.reduce((sum, length) => sum + length, 0);
    expect(total).toBeGreaterThan(1_000_000);
    expect(total).toBeLessThanOrEqual(1 << 20);
    expect(held.length + b.stack.statistics.arp.dropped).toBe(998);
    expect(b.stack.outstandingPackets).toBe(0);
  });

  it("tells the sender of a forwarded packet that its destination does not answer", async () => {
    const b = ethernetBench({ "net.inet.ip.forwarding": true });
    const plain = attach(b.stack, "net1", "10.0.1.1/24");
    plain.inject(ipv4({ from: "10.0.1.2", to: "10.0.0.9" }, ramp(20)));
    await b.clock.runFor(6e6);
    const { to, payload } = describe4(plain.take()[0]!.bytes);
    expect([to, payload[0], payload[1]]).toEqual(["10.0.1.2", 3, 1]);
  });
});

describe("address conflicts (RFC 5227)", () => {
  it("announces a new address twice", async () => {
    const b = ethernetBench();
    await b.clock.runFor(10e6);
    expect(b.said()).toEqual(Array(2).fill(`${ALL} who has 10.0.0.1 tell 10.0.0.1`));
  });

  it("probes three times first if told to, and uses the address only then", async () => {
    const b = ethernetBench({ "net.link.ether.inet.probes": 3 });
    const ping = ethernet(
      OURS,
      THEIRS,
      0x0800,
      ipv4({ from: "10.0.0.2", to: "10.0.0.1", protocol: 1 }, icmp(8, 0, 1, ramp(8))),
    );
    b.driver.inject(ping);
    expect(b.iface.addresses[0]?.state).toBe("tentative");
    await b.clock.runFor(10e6);
    expect(b.said()).toEqual([
      ...Array(3).fill(`${ALL} who has 10.0.0.1 tell 0.0.0.0`),
      ...Array(2).fill(`${ALL} who has 10.0.0.1 tell 10.0.0.1`),
    ]);
    expect(b.iface.addresses[0]?.state).toBe("preferred");
  });

  it.each([
    ["somebody has it", reply(THEIRS, "10.0.0.1", ALL, "10.0.0.1")],
    ["somebody probes for it too", request(THEIRS, "0.0.0.0", "10.0.0.1")],
  ])("gives way while probing when %s", async (_what, packet) => {
    const b = ethernetBench({ "net.link.ether.inet.probes": 3 });
    let told = "";
    b.iface.onAddressConflict = (address) => {
      told = `${address.address} ${address.state}`;
    };
    await b.clock.runFor(1e6);
    b.driver.inject(packet);
    expect(told).toBe("10.0.0.1 duplicated");
    b.said();
    await b.clock.runFor(20e6);
    expect(b.said()).toEqual([]);
    b.driver.inject(request(OTHER, "10.0.0.3", "10.0.0.1"));
    expect(b.said()).toEqual([]);
    expect(send(b, "10.0.0.2")).not.toBe(0);
  });

  it("defends an address that it uses, at most every ten seconds (§2.4)", async () => {
    const b = ethernetBench();
    await b.clock.runFor(10e6);
    b.said();
    const claim = request(THEIRS, "10.0.0.1", "10.0.0.1");
    b.driver.inject([claim, claim]);
    expect(b.said()).toEqual([`${ALL} who has 10.0.0.1 tell 10.0.0.1`]);
    await b.clock.runFor(11e6);
    b.driver.inject(claim);
    expect(b.said().length).toBe(1);
    expect(b.stack.statistics.arp.dupIps).toBe(3);
    expect(b.iface.addresses[0]?.state).toBe("preferred");
  });
});

describe("Ethernet", () => {
  it("drops frames for others, from ourselves, from groups, of unknown types and too short ones", () => {
    const b = ethernetBench();
    b.said();
    const ping = ipv4({ from: "10.0.0.2", to: "10.0.0.1", protocol: 1 }, icmp(8, 0, 1, ramp(8)));
    b.driver.inject([
      ethernet(OTHER, THEIRS, 0x0800, ping),
      ethernet(OURS, OURS, 0x0800, ping),
      ethernet(OURS, "03:00:00:00:00:02", 0x0800, ping),
      ethernet(OURS, THEIRS, 0x8100, ping),
      ramp(13),
    ]);
    expect(b.said()).toEqual([]);
    expect({ ...b.stack.statistics.link }).toEqual({ tooShort: 1, notForUs: 1, noProto: 1, badSource: 2 });
  });

  test.prop([fc.constantFrom(0x0800, 0x0806, 0x86dd), fc.uint8Array({ maxLength: 120 }), fc.boolean()])(
    "survives any bytes behind a header",
    (type, bytes, plausible) => {
      const b = ethernetBench();
      // Half of them begin like a good ARP packet.
      if (plausible) bytes.set(arp(1, THEIRS, "10.0.0.2", OURS, "10.0.0.1").subarray(0, Math.min(8, bytes.length)));
      b.driver.inject(ethernet(ALL, THEIRS, type, bytes));
      b.sent();
      expect(b.stack.outstandingPackets).toBe(0);
    },
  );

  it("chooses a local unicast address of its own where the driver has none", () => {
    const { iface } = bench({ medium: "ethernet" });
    expect((iface.macAddress![0]! & 3) === 2).toBe(true);
  });

  it("asks again and announces when the link comes back", () => {
    const b = ethernetBench();
    b.driver.inject(request(THEIRS, "10.0.0.2", "10.0.0.1"));
    b.driver.setLink(false);
    b.said();
    expect(send(b, "10.0.0.2")).not.toBe(0);
    b.driver.setLink(true);
    expect(b.said()).toEqual([`${ALL} who has 10.0.0.1 tell 10.0.0.1`]);
    send(b, "10.0.0.2");
    expect(b.said()).toEqual([`${ALL} who has 10.0.0.2 tell 10.0.0.1`]);
  });
});

import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Address } from "../../src/address.ts";
import type { EthernetLink } from "../../src/link/ethernet.ts";
import { type Bench, bench } from "./bench.ts";
import { checksumHolds6, concat, describe6, ethernet, icmp6, ipv6Checksummed, mac, macText, ramp } from "./packets.ts";

const OURS = "02:00:00:00:00:01";
const THEIRS = "02:00:00:00:00:02";
const OTHER = "02:00:00:00:00:03";
const NODES = "33:33:00:00:00:01";
const US = "fd00::1";
const LINK_LOCAL = "fe80::ff:fe00:1";
const PEER = "fd00::2";

function option(type: number, address: string): Uint8Array {
  return concat(Uint8Array.of(type, 1), mac(address));
}

interface NdFields {
  readonly from: string;
  readonly to: string;
  readonly target: string;
  readonly flags?: number;
  readonly options?: Uint8Array;
  readonly hopLimit?: number;
  readonly toMac?: string;
  readonly fromMac?: string;
}

function nd(type: number, fields: NdFields): Uint8Array {
  const body = concat(Address.parse(fields.target).toBytes(), fields.options ?? new Uint8Array(0));
  const packet = ipv6Checksummed(
    { from: fields.from, to: fields.to, next: 58, hopLimit: fields.hopLimit ?? 255 },
    icmp6(type, 0, fields.flags ?? 0, body),
  );
  return ethernet(fields.toMac ?? OURS, fields.fromMac ?? THEIRS, 0x86dd, packet);
}

const solicit = (fields: Partial<NdFields> = {}): Uint8Array =>
  nd(135, {
    from: PEER,
    to: "ff02::1:ff00:1",
    target: US,
    options: option(1, THEIRS),
    toMac: "33:33:ff:00:00:01",
    ...fields,
  });
const advertise = (fields: Partial<NdFields> = {}): Uint8Array =>
  nd(136, { from: PEER, to: US, target: PEER, flags: 0x60000000, options: option(2, THEIRS), ...fields });

/** Frames in words; MLD reports are left out. */
function words(frame: Uint8Array): string[] {
  const to = macText(frame.subarray(0, 6));
  const packet = frame.subarray(14);
  const { from, to: destination, protocol, ttl, payload } = describe6(packet);
  if (protocol === 0) return [];
  if (!checksumHolds6(packet)) throw new Error("checksum");
  if (payload[0] !== 135 && payload[0] !== 136) return [`${to} ${destination} IP ${payload.length}`];
  if (ttl !== 255) throw new Error("hop limit");
  const target = Address.fromBytes(payload.subarray(8, 24));
  const link = payload.length === 32 ? ` (${macText(payload.subarray(26, 32))})` : "";
  const flags = `${(payload[4]! & 0x40) !== 0 ? "S" : ""}${(payload[4]! & 0x20) !== 0 ? "O" : ""}`;
  return payload[0] === 135
    ? [`${to} ${destination} who has ${target} tell ${from}${link}`]
    : [`${to} ${destination} ${target} is here ${flags}${link}`];
}

interface NdBench extends Bench {
  said(): string[];
}

function ndBench(sysctl: Record<string, number | boolean> = {}): NdBench {
  const made = bench({
    medium: "ethernet",
    macAddress: mac(OURS),
    addresses: ["fd00::1/64"],
    sysctl: { "net.inet6.ip6.dad_count": 0, ...sysctl },
  });
  return { ...made, said: () => made.sent().flatMap(words) };
}

function send(b: Bench, to: string, length = 10): number {
  const socket = b.stack.udp.bind({ message: () => {} });
  const result = socket.send(ramp(length), to, 9);
  socket.close();
  return result;
}

const ASK = `33:33:ff:00:00:02 ff02::1:ff00:2 who has ${PEER} tell ${US} (${OURS})`;
const DATA = `${THEIRS} ${PEER} IP 18`;

describe("neighbour discovery (RFC 4861 §7.2)", () => {
  it("gives an Ethernet interface a link-local address (RFC 4291 appendix A)", () => {
    const b = ndBench();
    expect(b.iface.addresses.map((own) => `${own.address}`)).toEqual([US, `${LINK_LOCAL}%2`]);
    expect(b.said()).toEqual([
      `${NODES} ff02::1 ${US} is here O (${OURS})`,
      `${NODES} ff02::1 ${LINK_LOCAL} is here O (${OURS})`,
    ]);
  });

  it("answers solicitations, and learns who asked", () => {
    const b = ndBench();
    b.said();
    b.driver.inject(solicit());
    expect(b.said()).toEqual([`${THEIRS} ${PEER} ${US} is here SO (${OURS})`]);
    send(b, PEER);
    expect(b.said()).toEqual([DATA]);
  });

  it("keeps its table bounded, whoever asks", () => {
    const b = ndBench();
    for (let i = 2; i < 3000; i++) b.driver.inject(solicit({ from: `fd00::${i.toString(16)}` }));
    expect((b.iface.link as EthernetLink).neighborDiscovery.cache.size).toBe(1024);
    b.said();
    b.driver.inject(solicit());
    expect(b.said()).toEqual([`${THEIRS} ${PEER} ${US} is here SO (${OURS})`]);
  });

  it("answers for its link-local address too", () => {
    const b = ndBench();
    b.said();
    b.driver.inject(solicit({ from: "fe80::2", target: LINK_LOCAL }));
    expect(b.said()).toEqual([`${THEIRS} fe80::2 ${LINK_LOCAL} is here SO (${OURS})`]);
  });

  it("holds packets while it asks, and sends them when the answer comes", () => {
    const b = ndBench();
    b.said();
    send(b, PEER, 1);
    send(b, PEER, 2);
    expect(b.said()).toEqual([ASK]);
    b.driver.inject(advertise());
    expect(b.said()).toEqual([`${THEIRS} ${PEER} IP 9`, `${THEIRS} ${PEER} IP 10`]);
  });

  it("asks three times, a second apart, then tells whoever sent", async () => {
    const b = ndBench();
    const errors: string[] = [];
    const socket = b.stack.udp.bind({
      message: () => {},
      error: (kind, to, port) => errors.push(`${kind} ${to} ${port}`),
    });
    b.said();
    socket.send(ramp(4), PEER, 99);
    await b.clock.runFor(2.5e6);
    expect(b.said()).toEqual([ASK, ASK, ASK]);
    await b.clock.runFor(1e6);
    expect(errors).toEqual([`unreachable-host ${PEER} 99`]);
  });

  it.each([
    ["a hop limit below 255", { hopLimit: 254 }],
    ["a group as target", { target: "ff02::1" }],
    ["an option of length zero", { options: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) }],
    ["an option cut short", { options: Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0) }],
    ["a link-layer address from nobody", { from: "::" }],
    ["a probe to a single host", { from: "::", to: US, options: new Uint8Array(0) }],
  ])("drops a solicitation with %s (§7.1.1)", (_what, fields) => {
    const b = ndBench();
    b.said();
    b.driver.inject(solicit(fields));
    expect(b.said()).toEqual([]);
    expect(b.stack.statistics.icmp6.badNs).toBe(1);
  });

  it.each([
    ["a hop limit below 255", { hopLimit: 64 }],
    ["solicited, to a group", { to: "ff02::1", toMac: NODES }],
  ])("drops an advertisement with %s (§7.1.2)", (_what, fields) => {
    const b = ndBench();
    send(b, PEER);
    b.said();
    b.driver.inject(advertise(fields));
    expect(b.said()).toEqual([]);
    expect(b.stack.statistics.icmp6.badNa).toBe(1);
  });

  test.prop([
    fc.integer({ min: 128, max: 144 }),
    fc.uint8Array({ maxLength: 80 }),
    fc.constantFrom(1, 255),
    fc.boolean(),
  ])("survives any message with a good checksum", (type, body, hopLimit, isFromNobody) => {
    const b = ndBench();
    const from = isFromNobody ? "::" : "fe80::2";
    const message = ipv6Checksummed({ from, to: "ff02::1", next: 58, hopLimit }, icmp6(type, 0, 0, body));
    b.driver.inject(ethernet(NODES, THEIRS, 0x86dd, message));
    b.sent();
    expect(b.stack.outstandingPackets).toBe(0);
  });

  it("ignores advertisements of those that it never asked for", () => {
    const b = ndBench();
    b.said();
    b.driver.inject(advertise());
    send(b, PEER);
    expect(b.said()).toEqual([ASK]);
  });
});

describe("neighbour unreachability detection (RFC 4861 §7.3)", () => {
  it("goes from reachable over stale and delay to probe, and back by an answer", async () => {
    const b = ndBench();
    send(b, PEER);
    b.driver.inject(advertise());
    b.said();
    await b.clock.runFor(46e6);
    send(b, PEER);
    expect(b.said()).toEqual([DATA]);
    await b.clock.runFor(4.9e6);
    expect(b.said()).toEqual([]);
    await b.clock.runFor(0.2e6);
    expect(b.said()).toEqual([`${THEIRS} ${PEER} who has ${PEER} tell ${US} (${OURS})`]);
    b.driver.inject(advertise());
    await b.clock.runFor(10e6);
    expect(b.said()).toEqual([]);
  });

  it("gives up after three probes, and begins anew", async () => {
    const b = ndBench();
    send(b, PEER);
    b.driver.inject(advertise());
    await b.clock.runFor(46e6);
    send(b, PEER);
    b.said();
    await b.clock.runFor(9e6);
    expect(b.said().length).toBe(3);
    send(b, PEER);
    expect(b.said()).toEqual([ASK]);
  });

  it("needs no probe while an upper layer confirms (§7.3.1)", async () => {
    const b = ndBench();
    send(b, PEER);
    b.driver.inject(advertise());
    b.said();
    for (let i = 0; i < 20; i++) {
      await b.clock.runFor(10e6);
      const route = b.stack.ip.route(0xfd000000, 0, 0, 2)!;
      send(b, PEER);
      route.iface.link.confirm(route);
    }
    expect(new Set(b.said())).toEqual(new Set([DATA]));
  });

  it("does not take another address without the override flag, but looks again (§7.2.5)", async () => {
    const b = ndBench();
    send(b, PEER);
    b.driver.inject(advertise());
    b.driver.inject(advertise({ flags: 0x40000000, options: option(2, OTHER) }));
    b.said();
    send(b, PEER);
    expect(b.said()).toEqual([DATA]);
    await b.clock.runFor(5.1e6);
    expect(b.said()).toEqual([`${THEIRS} ${PEER} who has ${PEER} tell ${US} (${OURS})`]);
    b.driver.inject(advertise({ to: "ff02::1", toMac: NODES, flags: 0x20000000, options: option(2, OTHER) }));
    send(b, PEER);
    expect(b.said()).toEqual([`${OTHER} ${PEER} IP 18`]);
  });
});

describe("duplicate address detection (RFC 4862 §5.4)", () => {
  const probing = { "net.inet6.ip6.dad_count": 1, "net.inet6.ip6.auto_linklocal": false };

  it("probes from nobody, and uses the address a second later", async () => {
    const b = ndBench(probing);
    await b.clock.runFor(0);
    expect(b.said()).toEqual([`33:33:ff:00:00:01 ff02::1:ff00:1 who has ${US} tell ::`]);
    b.driver.inject(solicit());
    expect(b.said()).toEqual([]);
    await b.clock.runFor(1.1e6);
    expect(b.said()).toEqual([`${NODES} ff02::1 ${US} is here O (${OURS})`]);
    b.driver.inject(solicit());
    expect(b.said().length).toBe(1);
  });

  it.each([
    ["an advertisement of it", advertise({ to: "ff02::1", toMac: NODES, target: US, flags: 0x20000000 })],
    ["somebody else's probe for it", solicit({ from: "::", options: new Uint8Array(0) })],
  ])("gives the address up on %s", async (_what, packet) => {
    const b = ndBench(probing);
    await b.clock.runFor(0.5e6);
    b.driver.inject(packet);
    expect(b.iface.addresses[0]?.state).toBe("duplicated");
    b.said();
    await b.clock.runFor(10e6);
    b.driver.inject(solicit());
    expect(b.said()).toEqual([]);
    expect(b.stack.statistics.nd.dupIps).toBe(1);
  });

  it("tells a prober that the address is taken", () => {
    const b = ndBench();
    b.said();
    b.driver.inject(solicit({ from: "::", options: new Uint8Array(0) }));
    expect(b.said()).toEqual([`${NODES} ff02::1 ${US} is here O (${OURS})`]);
  });
});

describe("group membership (RFC 3810)", () => {
  /** Records of a report: mode and group. */
  function records(frame: Uint8Array): string[] {
    const { payload, to, ttl } = describe6(frame.subarray(14));
    if (payload[0] !== 58 || payload[8] !== 143) return [];
    expect([to, ttl, macText(frame.subarray(0, 6))]).toEqual(["ff02::16", 1, "33:33:00:00:00:16"]);
    const count = payload[15]!;
    return Array.from({ length: count }, (_, i) => {
      const at = 16 + i * 20;
      return `${payload[at]} ${Address.fromBytes(payload.subarray(at + 4, at + 20))}`;
    });
  }

  it("reports the solicited-node group of a new address, and all of them when asked", async () => {
    const b = ndBench({ "net.inet6.ip6.auto_linklocal": true });
    expect(b.sent().flatMap(records)).toEqual(["4 ff02::1:ff00:1", "4 ff02::1:ff00:1"]);
    b.iface.addAddress("fd00::5/64");
    b.sent();
    const query = ipv6Checksummed(
      { from: "fe80::9", to: "ff02::1", next: 58, hopLimit: 1 },
      icmp6(130, 0, 1000 << 16, concat(new Uint8Array(16), Uint8Array.of(2, 125, 0, 0))),
    );
    b.driver.inject(ethernet(NODES, THEIRS, 0x86dd, query));
    await b.clock.runFor(1e6);
    expect(b.sent().flatMap(records)).toEqual(["2 ff02::1:ff00:1", "2 ff02::1:ff00:5"]);
  });
});

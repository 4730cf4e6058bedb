import { describe, expect, it } from "vitest";
import { sumBytes } from "../../src/checksum.ts";
import type { ControlError, TransportProtocol } from "../../src/transport.ts";
import { bench } from "./bench.ts";
import { concat, describe4, icmp, ipv4, ramp, udp4, viewOf } from "./packets.ts";

const from = "10.0.0.2";
const to = "10.0.0.1";

class Recorder implements TransportProtocol {
  readonly errors: { kind: string; mtu: number; quoted: Uint8Array; remote: number }[] = [];
  input(): void {}
  controlInput(error: ControlError): void {
    const quoted = error.slab.slice(error.quotedOffset, error.quotedOffset + error.quotedLength);
    this.errors.push({ kind: error.kind, mtu: error.mtu, quoted, remote: error.r3 });
  }
}

describe("ICMP echo (RFC 792, RFC 1122 §3.2.2.6)", () => {
  it("reflects data, identifier, sequence number and type of service", () => {
    const { exchange, stack } = bench();
    const request = ipv4({ from, to, protocol: 1, tos: 0xb8, ttl: 3 }, icmp(8, 0, 0xabcd0007, ramp(57)));
    const [reply] = exchange(request);
    const described = describe4(reply!);
    expect([described.from, described.to, described.protocol, described.ttl]).toEqual([to, from, 1, 64]);
    expect(described.payload[0]).toBe(0);
    expect(viewOf(described.payload).getUint32(4)).toBe(0xabcd0007);
    expect(described.payload.subarray(8)).toEqual(ramp(57));
    expect(sumBytes(described.payload, 0, described.payload.length)).toBe(0xffff);
    expect(reply![1]).toBe(0xb8);
    expect(stack.statistics.icmp.outEchoReply).toBe(1);
  });

  it("ignores damaged requests, and those to broadcast or groups unless told otherwise", () => {
    const { exchange, stack } = bench();
    const damaged = ipv4({ from, to, protocol: 1 }, icmp(8, 0, 1, ramp(8)));
    damaged[30] = 99;
    expect(exchange(damaged)).toEqual([]);
    expect(stack.statistics.icmp.checksum).toBe(1);
    const ping = icmp(8, 0, 1, ramp(8));
    for (const group of ["10.0.0.255", "255.255.255.255", "224.0.0.1"]) {
      expect(exchange(ipv4({ from, to: group, protocol: 1 }, ping))).toEqual([]);
    }
    expect(stack.statistics.icmp.bmcastEcho).toBe(3);
    stack.sysctl.set("net.inet.icmp.bmcastecho", 1);
    expect(describe4(exchange(ipv4({ from, to: "10.0.0.255", protocol: 1 }, ping))[0]!).from).toBe(to);
    expect(exchange(ipv4({ from: "0.0.0.0", to, protocol: 1 }, ping))).toEqual([]);
  });
});

describe("ICMP errors that we send (RFC 1122 §3.2.2, RFC 1812 §4.3)", () => {
  const datagram = udp4(from, 1111, to, 2222, ramp(1000));

  it("quotes header and as much as net.inet.icmp.quotelen says", () => {
    const { exchange } = bench();
    const { payload, from: source } = describe4(exchange(datagram)[0]!);
    expect(source).toBe(to);
    expect([payload[0], payload[1]]).toEqual([3, 3]);
    expect(payload.subarray(8)).toEqual(datagram.subarray(0, 568));
    expect(sumBytes(payload, 0, payload.length)).toBe(0xffff);
  });

  it("says protocol unreachable for a protocol without a handler", () => {
    const { exchange, stack } = bench();
    const { payload } = describe4(exchange(ipv4({ from, to, protocol: 200 }, ramp(30)))[0]!);
    expect([payload[0], payload[1]]).toEqual([3, 2]);
    expect(stack.statistics.ip.noProto).toBe(1);
  });

  it("is silent about errors, groups, later fragments and sources that are nobody", () => {
    const { exchange } = bench();
    expect(exchange(ipv4({ from, to, protocol: 1 }, icmp(3, 1, 0, ramp(10))))).toEqual([]);
    expect(exchange(ipv4({ from, to: "10.0.0.255", protocol: 200 }, ramp(30)))).toEqual([]);
    expect(exchange(ipv4({ from: "0.0.0.0", to, protocol: 200 }, ramp(30)))).toEqual([]);
    expect(exchange(ipv4({ from: "10.0.0.255", to, protocol: 200 }, ramp(30)))).toEqual([]);
  });

  it("sends at most icmplim a second", async () => {
    const { clock, exchange, stack } = bench({ sysctl: { "net.inet.icmp.icmplim": 5 } });
    const flood = Array.from({ length: 12 }, () => datagram);
    expect(exchange(...flood).length).toBe(5);
    expect(stack.statistics.icmp.tooFreq).toBe(7);
    await clock.runFor(1e6);
    expect(exchange(...flood).length).toBe(5);
    stack.sysctl.set("net.inet.icmp.icmplim", 0);
    expect(exchange(...flood).length).toBe(12);
  });
});

describe("ICMP errors that come in (RFC 1122 §3.2.2, RFC 5927)", () => {
  const ours = ipv4({ from: to, to: from, protocol: 253 }, ramp(40));

  function deliver(type: number, code: number, rest: number, quoted: Uint8Array): Recorder {
    const { stack, exchange } = bench();
    const recorder = new Recorder();
    stack.registerTransport(253, recorder);
    expect(exchange(ipv4({ from: "10.0.0.9", to, protocol: 1 }, icmp(type, code, rest, quoted)))).toEqual([]);
    return recorder;
  }

  it.each([
    [3, 0, "unreachable-net"],
    [3, 1, "unreachable-host"],
    [3, 2, "unreachable-protocol"],
    [3, 3, "unreachable-port"],
    [3, 13, "admin-prohibited"],
    [11, 0, "time-exceeded"],
    [12, 0, "parameter-problem"],
  ] as const)("type %i code %i reaches the transport as %s", (type, code, kind) => {
    const { errors } = deliver(type, code, 0, ours.subarray(0, 28));
    expect(errors).toEqual([{ kind, mtu: 0, quoted: ramp(8), remote: 0x0a000002 }]);
  });

  it("gives the MTU of fragmentation needed", () => {
    expect(deliver(3, 4, 1400, ours).errors[0]).toMatchObject({ kind: "packet-too-big", mtu: 1400 });
  });

  it("drops what quotes too little, a later fragment, or a packet that was not ours", () => {
    expect(deliver(3, 1, 0, ours.subarray(0, 27)).errors).toEqual([]);
    expect(deliver(3, 1, 0, ipv4({ from: to, to: from, offset: 800 }, ramp(40))).errors).toEqual([]);
    expect(deliver(3, 1, 0, ipv4({ from: "10.0.0.7", to: from }, ramp(40))).errors).toEqual([]);
    expect(deliver(3, 99, 0, ours).errors).toEqual([]);
    expect(deliver(3, 1, 0, concat(Uint8Array.of(0x4f), ours.subarray(1, 40))).errors).toEqual([]);
  });
});

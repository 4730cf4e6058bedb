/** BBR (draft-ietf-ccwg-bbr) over a bottleneck in virtual time: where it stands, and what that does to rate and queue. */
import { describe, expect, it } from "vitest";
import type { MemoryLinkOptions } from "../../src/drivers/memory-link.ts";
import type { SysctlValue } from "../../src/sysctl.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import type { TcpInfo } from "../../src/tcp/info.ts";
import { Pair } from "./pair.ts";

const RTT = 20_000;
const RATE = 20e6;
/** Bandwidth × delay, bytes. */
const BDP = (RATE * RTT) / 8e6;

/** A flow that is looked at every so often. */
class Watched {
  readonly pair: Pair;
  readonly connection: TcpConnection;
  received = 0;
  /** Whether it always has data to send. */
  busy = true;

  static async open(
    link: MemoryLinkOptions = {},
    sysctl: Readonly<Record<string, SysctlValue>> = {},
  ): Promise<Watched> {
    const pair = new Pair({
      bandwidth: RATE,
      delay: RTT / 2,
      queueLimit: 500,
      back: { loss: 0, queueLimit: 10_000 },
      ...link,
      sysctl: { "net.inet.tcp.cc.algorithm": "bbr", ...sysctl },
    });
    const { client, server } = await pair.connect();
    const watched = new Watched(pair, client);
    server.setSink({
      data: (_slab, _offset, length) => {
        watched.received += length;
        return length;
      },
      end: () => {},
    });
    return watched;
  }

  constructor(pair: Pair, connection: TcpConnection) {
    this.pair = pair;
    this.connection = connection;
    connection.onDrain = () => this.feed();
  }

  feed(): void {
    while (this.busy && this.connection.queued < this.connection.highWater) {
      this.connection.write([{ bytes: new Uint8Array(65_536) }]);
    }
  }

  /** Lets `ms` pass in steps of 1 ms, giving what `tcpInfo` shows at each. */
  watch(ms: number, each: (info: TcpInfo) => void = () => {}): void {
    for (let i = 0; i < ms; i++) {
      this.pair.clock.runForSync(1000);
      each(this.connection.tcpInfo());
    }
  }

  /** Bits a second that arrive in so many ms. */
  rate(ms: number): number {
    const before = this.received;
    this.pair.clock.runForSync(ms * 1000);
    return ((this.received - before) * 8e3) / ms;
  }

  get queueMs(): number {
    return this.pair.link.a.wire.backlogUs / 1000;
  }
}

/** The phases in their order, each once when it begins; recovery is none of BBR's. */
function phases(watched: Watched, ms: number): string[] {
  const seen: string[] = [];
  watched.watch(ms, ({ congestionPhase }) => {
    if (congestionPhase !== "recovery" && seen.at(-1) !== congestionPhase) seen.push(congestionPhase);
  });
  return seen;
}

describe("BBR", () => {
  it("starts up, drains what that has queued, and probes for bandwidth in cycles (§5.3)", async () => {
    const watched = await Watched.open();
    watched.feed();
    const seen = phases(watched, 4000).map((phase) => phase.replace("probe-bw-", ""));
    // Drained as it is, the first "down" may be over with the next acknowledgment.
    expect(seen.join(" ")).toMatch(/^startup drain (down )?cruise/);
    expect(seen.join(" ")).toContain("cruise refill up down");
    expect(watched.connection.tcpInfo().retransmits).toBe(0);
  });

  it("fills the pipe and hardly the queue", async () => {
    const watched = await Watched.open();
    watched.feed();
    watched.watch(1000);
    let queue = 0;
    const before = watched.received;
    watched.watch(4000, () => {
      queue += watched.queueMs;
    });
    expect(((watched.received - before) * 8) / 4).toBeGreaterThan(0.93 * RATE);
    expect(queue / 4000).toBeLessThan(0.25 * (RTT / 1000));
    const { pacingRate, minRtt, cwnd } = watched.connection.tcpInfo();
    expect(pacingRate * 8).toBeGreaterThan(0.85 * RATE);
    expect(pacingRate * 8).toBeLessThan(1.3 * RATE);
    expect(minRtt).toBeLessThan(RTT * 1.1);
    expect(cwnd).toBeLessThan(3 * BDP + 3 * 65_536);
  });

  it("every five seconds drains the pipe for 200 ms, to see its round-trip time (§5.3.4)", async () => {
    const watched = await Watched.open();
    watched.feed();
    const began: number[] = [];
    let duration = 0;
    let least = Number.POSITIVE_INFINITY;
    let last = "";
    let now = 0;
    watched.watch(12_000, ({ congestionPhase, inFlight }) => {
      now++;
      if (congestionPhase === "probe-rtt") {
        if (last !== "probe-rtt") began.push(now);
        duration++;
        least = Math.min(least, inFlight);
      }
      last = congestionPhase;
    });
    expect(began).toHaveLength(2);
    expect(began[1]! - began[0]!).toBeGreaterThan(4900);
    expect(duration / 2).toBeGreaterThan(200);
    expect(duration / 2).toBeLessThan(320);
    expect(least).toBeLessThanOrEqual(Math.max(0.6 * BDP, 4 * 1448));
    expect(watched.rate(1000)).toBeGreaterThan(0.9 * RATE);
  });

  it("follows a bottleneck that becomes slower, and one that becomes faster", async () => {
    const watched = await Watched.open();
    watched.feed();
    watched.watch(2000);
    watched.pair.link.impair({ bandwidth: RATE / 4 });
    watched.watch(8000);
    expect(watched.connection.tcpInfo().pacingRate * 8).toBeLessThan((1.35 * RATE) / 4);
    expect(watched.rate(1000)).toBeGreaterThan((0.85 * RATE) / 4);
    watched.pair.link.impair({ bandwidth: RATE });
    watched.watch(12_000);
    expect(watched.rate(1000)).toBeGreaterThan(0.85 * RATE);
  });

  it("does not take single losses for congestion, but more than 2 % (§5.5.10)", async () => {
    const few = await Watched.open({ loss: 0.005 });
    few.feed();
    few.watch(2000);
    expect(few.rate(5000)).toBeGreaterThan(0.75 * RATE);
    const many = await Watched.open({ loss: 0.15 });
    many.feed();
    many.watch(2000);
    expect(many.rate(5000)).toBeLessThan(0.3 * RATE);
  });

  it("does not take an application that sends little for a path that carries little", async () => {
    const watched = await Watched.open();
    watched.feed();
    watched.watch(2000);
    watched.busy = false;
    watched.watch(1500);
    const before = watched.connection.tcpInfo().pacingRate;
    for (let i = 0; i < 40; i++) {
      watched.connection.write([{ bytes: new Uint8Array(1000) }]);
      watched.watch(50);
    }
    expect(watched.connection.tcpInfo().pacingRate).toBeGreaterThan(0.85 * before);
    // After the idle time it goes on at that rate; the whole window at once would be 40 ms.
    watched.busy = true;
    watched.feed();
    let queue = 0;
    watched.watch(100, () => {
      queue = Math.max(queue, watched.queueMs);
    });
    expect(queue).toBeLessThan(32);
    expect(watched.rate(200)).toBeGreaterThan(0.85 * RATE);
  });

  it("yields to marks as to losses", async () => {
    const watched = await Watched.open({ markDelay: 2000 }, { "net.inet.tcp.ecn.enable": 1 });
    watched.feed();
    watched.watch(1000);
    let queue = 0;
    watched.watch(4000, () => {
      queue = Math.max(queue, watched.queueMs);
    });
    expect(queue).toBeLessThan(15);
    expect(watched.connection.tcpInfo()).toMatchObject({ ecn: true, retransmits: 0 });
    expect(watched.rate(1000)).toBeGreaterThan(0.75 * RATE);
  });

  it("takes over a connection under way, and gives it back", async () => {
    const watched = await Watched.open({}, { "net.inet.tcp.cc.algorithm": "cubic" });
    watched.feed();
    watched.watch(2000);
    watched.connection.setCongestionControl("bbr");
    expect(watched.connection.tcpInfo()).toMatchObject({ congestionControl: "bbr", congestionPhase: "startup" });
    watched.watch(3000);
    expect(watched.rate(1000)).toBeGreaterThan(0.9 * RATE);
    watched.connection.setCongestionControl("newreno");
    expect(watched.connection.tcpInfo()).toMatchObject({ congestionControl: "newreno", pacingRate: 0 });
    watched.watch(1000);
    expect(watched.rate(1000)).toBeGreaterThan(0.9 * RATE);
  });
});

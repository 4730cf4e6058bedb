import { VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import type { CongestionControl, CongestionWindow } from "./congestion.ts";
import { Cubic } from "./cubic.ts";
import { RateSample } from "./delivery-rate.ts";
import { NewReno } from "./new-reno.ts";
import { RttEstimate } from "./rtt.ts";

const MSS = 1000;
const RTT = 100_000;
const tunables = {
  abcLimit: 2,
  initialSegments: 10,
  alternativeBackoff: true,
  newCwv: true,
  pacing: false,
  slowStartPacing: 200,
  avoidancePacing: 120,
};
const limits = { initialUs: 1e6, minimumUs: 30_000, slopUs: 0, maximumUs: 64e6 };

/** One flow whose window is always full: a round trip acknowledges what the window was, segment by segment. */
class Flow implements CongestionWindow {
  cwnd = 10 * MSS;
  ssthresh = 0x3fffffff;
  readonly maxSegment = MSS;
  sndUna = 0;
  sndMax = 0;
  readonly rtt = new RttEstimate(limits);
  afterTimeout = false;
  retransmittedBytes = 0;
  delivered = 0;
  lost = 0;
  readonly clock = new VirtualClock();
  readonly sample = new RateSample();
  readonly control: CongestionControl;

  constructor(algorithm: "cubic" | "newreno" = "cubic") {
    this.control = (algorithm === "cubic" ? new Cubic(tunables, this.clock) : new NewReno(tunables, this.clock)).attach(
      this,
    );
    this.rtt.sample(RTT, 1, limits);
  }

  get segments(): number {
    return this.cwnd / MSS;
  }

  round(limited = true, rttUs = RTT): void {
    const count = Math.floor(this.segments);
    this.sndMax = this.sndUna + count * MSS;
    for (let i = 0; i < count; i++) {
      this.clock.runForSync(rttUs / count);
      this.sndUna += MSS;
      this.sample.rttUs = rttUs;
      this.control.sampled(this.sample);
      this.sndMax += MSS;
      this.control.acknowledged(MSS, limited);
    }
  }

  rounds(count: number, limited = true): void {
    for (let i = 0; i < count; i++) this.round(limited);
  }

  lose(): void {
    this.control.lossDetected(this.cwnd);
    this.cwnd = this.ssthresh;
    this.control.recovered();
  }
}

describe("CUBIC (RFC 9438)", () => {
  it("keeps 0.7 of the window at a loss, and is back at the old one after K seconds (§4.2, §4.6)", () => {
    const flow = new Flow();
    flow.cwnd = 1000 * MSS;
    flow.lose();
    expect(flow.segments).toBe(700);
    const k = Math.cbrt((1000 - 700) / 0.4);
    flow.rounds(Math.floor((k * 1e6) / RTT / 2));
    // Concave: half way in time, but seven eighths of the way in window.
    expect(flow.segments).toBeGreaterThan(700 + 0.83 * 300);
    expect(flow.segments).toBeLessThan(700 + 0.9 * 300);
    flow.rounds(Math.ceil((k * 1e6) / RTT / 2));
    expect(flow.segments).toBeGreaterThan(997);
    expect(flow.segments).toBeLessThan(1003);
    flow.rounds(40);
    // Convex: 0.4 × 4³.
    expect(flow.segments).toBeGreaterThan(1000 + 0.4 * 4 ** 3 * 0.9);
  });

  it("is never slower than Reno would be with its backoff, where windows and round-trip times are small (§4.3)", () => {
    const flow = new Flow();
    flow.cwnd = 20 * MSS;
    flow.lose();
    expect(flow.segments).toBe(14);
    flow.rounds(12);
    // 0.53 segments each round trip up to cwnd_prior, then one.
    expect(flow.segments).toBeGreaterThan(14 + 0.95 * 0.529 * 11);
    expect(flow.segments).toBeLessThan(14 + 1.05 * 0.529 * 13);
    const before = flow.segments;
    flow.rounds(10);
    expect(flow.segments - before).toBeGreaterThan(8.5);
    expect(flow.segments - before).toBeLessThan(11);
  });

  it("makes room when a flow did not come up to its last window: fast convergence (§4.7)", () => {
    const long = new Flow();
    long.cwnd = 1000 * MSS;
    long.lose();
    long.lose();
    // W_max is 700 × 0.85 = 595, not 700: the plateau is reached there.
    long.rounds(Math.round((Math.cbrt((595 - 490) / 0.4) * 1e6) / RTT));
    expect(long.segments).toBeGreaterThan(585);
    expect(long.segments).toBeLessThan(602);
  });

  it("grows by no more than half of the window in a round trip, however long it has been (§4.2)", () => {
    const flow = new Flow();
    flow.cwnd = 100 * MSS;
    flow.lose();
    flow.round();
    flow.clock.runForSync(600e6);
    const before = flow.segments;
    flow.round();
    expect(flow.segments).toBeGreaterThan(before * 1.4);
    expect(flow.segments).toBeLessThan(before * 1.66);
  });

  it("stands still while the application is the limit (§5.8)", () => {
    const [busy, idle] = [new Flow(), new Flow()];
    for (const flow of [busy, idle]) {
      flow.cwnd = 100 * MSS;
      flow.lose();
      flow.rounds(5);
    }
    const window = idle.segments;
    idle.rounds(100, false);
    expect(idle.segments).toBe(window);
    for (const flow of [busy, idle]) flow.rounds(5);
    expect(Math.abs(busy.segments - idle.segments)).toBeLessThan(1.5);
  });

  it("begins at the plateau after a timeout (§4.8)", () => {
    const flow = new Flow();
    flow.cwnd = 1000 * MSS;
    flow.control.timeout(flow.cwnd);
    flow.cwnd = MSS;
    expect(flow.ssthresh).toBe(700 * MSS);
    while (flow.cwnd < flow.ssthresh) flow.round();
    const start = flow.segments;
    flow.rounds(5);
    expect(flow.segments - start).toBeLessThan(5);
  });

  it("takes back what a spurious event took, curve and all (§4.9)", () => {
    const [calm, fooled] = [new Flow(), new Flow()];
    for (const flow of [calm, fooled]) {
      flow.cwnd = 500 * MSS;
      flow.lose();
      flow.rounds(20);
    }
    const { cwnd, ssthresh } = fooled;
    fooled.control.timeout(fooled.cwnd);
    fooled.cwnd = MSS;
    fooled.control.undo();
    expect(fooled).toMatchObject({ cwnd, ssthresh });
    for (const flow of [calm, fooled]) flow.rounds(10);
    expect(Math.abs(fooled.segments - calm.segments)).toBeLessThan(1);
  });

  it("keeps 0.85 at a mark (RFC 8511 §3)", () => {
    const flow = new Flow();
    flow.cwnd = 100 * MSS;
    flow.control.congestionExperienced(flow.cwnd);
    expect(flow).toMatchObject({ cwnd: 85 * MSS, ssthresh: 85 * MSS });
  });
});

describe("HyStart++ (RFC 9406)", () => {
  it("doubles while round-trip times stay, and leaves slow start five rounds after they grew", () => {
    const flow = new Flow();
    flow.rounds(3);
    expect(flow.segments).toBe(80);
    flow.round(true, RTT * 1.2);
    expect(flow.control.phase).toBe("conservative-slow-start");
    const before = flow.segments;
    flow.round(true, RTT * 1.2);
    expect(flow.segments / before).toBeGreaterThan(1.2);
    expect(flow.segments / before).toBeLessThan(1.3);
    for (let i = 0; i < 5; i++) flow.round(true, RTT * 1.2);
    expect(flow.control.phase).toBe("congestion-avoidance");
    expect(flow.ssthresh).toBeLessThan(1000 * MSS);
  });

  it("goes back to slow start when the times fall again", () => {
    const flow = new Flow();
    flow.rounds(3);
    flow.round(true, RTT * 1.2);
    expect(flow.control.phase).toBe("conservative-slow-start");
    flow.rounds(2);
    expect(flow.control.phase).toBe("slow-start");
    const before = flow.segments;
    flow.round();
    expect(flow.segments / before).toBeGreaterThan(1.9);
  });

  it("does not take less than 4 ms for growth", () => {
    const flow = new Flow();
    for (let i = 0; i < 5; i++) flow.round(true, 1000 + i * 500);
    expect(flow.control.phase).toBe("slow-start");
  });
});

describe("NewReno (RFC 5681, 3465, 8511)", () => {
  it("keeps half at a loss, 0.8 at a mark, and grows by a segment in a round trip", () => {
    const flow = new Flow("newreno");
    flow.cwnd = 100 * MSS;
    flow.lose();
    expect(flow.segments).toBe(50);
    flow.rounds(10);
    expect(flow.segments).toBeGreaterThanOrEqual(59);
    expect(flow.segments).toBeLessThanOrEqual(61);
    flow.cwnd = 100 * MSS;
    flow.control.congestionExperienced(flow.cwnd);
    expect(flow.segments).toBe(80);
  });
});

import { describe, expect, it } from "vitest";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { RateSample } from "../../src/tcp/delivery-rate.ts";
import { FLOW_CONNECTION } from "../../src/tcp/flow.ts";
import type { Tcb } from "../../src/tcp/tcb.ts";
import { Conversation } from "./conversation.ts";

const MSS = 1000;
const at = (n: number): number => 1 + n * MSS;
const write = (segments: number) => [{ bytes: new Uint8Array(segments * MSS) }];

/** A connection with a window of ten segments whose samples are kept. */
function sampling(): { talk: Conversation; connection: TcpConnection; samples: RateSample[] } {
  const talk = new Conversation({ sysctl: { "net.inet.tcp.rack.tlp.enable": false } });
  const connection = talk.accept({ mss: MSS, windowShift: 4, sackPermitted: true });
  connection.setNoDelay(true);
  const samples: RateSample[] = [];
  for (const flow of talk.tcp.flows()) {
    if (flow.kind !== FLOW_CONNECTION) continue;
    Object.assign((flow as Tcb).congestion, {
      sampled: (sample: RateSample) => samples.push(Object.assign(new RateSample(), sample)),
    });
  }
  return { talk, connection, samples };
}

describe("delivery rate samples (draft-ietf-ccwg-bbr §4.1)", () => {
  it("a flight that is acknowledged after a round trip: its bytes in that time", () => {
    const { talk, connection, samples } = sampling();
    connection.write(write(10));
    talk.pass(100_000);
    talk.say({ seq: 1, ack: at(10) });
    expect(samples).toHaveLength(1);
    expect(samples[0]).toMatchObject({ ackedBytes: 10 * MSS, sackedBytes: 0, inFlightBefore: 10 * MSS, inFlight: 0 });
    expect(samples[0]).toMatchObject({
      rttUs: 100_000,
      deliveredBytes: 10 * MSS,
      deliveryRate: 100_000,
      priorInFlight: 10 * MSS,
    });
    expect(connection.tcpInfo()).toMatchObject({ delivered: 10 * MSS, deliveryRate: 100_000 });
  });

  it("acknowledgments that come bunched up do not make the rate larger than what was sent", () => {
    const { talk, connection, samples } = sampling();
    // One segment each 10 ms; nothing comes back for 100 ms, then everything at once.
    for (let i = 0; i < 10; i++) {
      connection.write(write(1));
      talk.pass(10_000);
    }
    for (let i = 1; i <= 10; i++) talk.say({ seq: 1, ack: at(i) });
    for (const sample of samples) expect(sample.deliveryRate).toBeLessThanOrEqual(100_000);
    expect(samples.at(-1)).toMatchObject({ rttUs: 10_000, intervalUs: 100_000 });
  });

  it("what is SACKed counts when it is, and not again when it is acknowledged", () => {
    const { talk, connection, samples } = sampling();
    connection.write(write(10));
    talk.pass(50_000);
    talk.say({ seq: 1, ack: 1, sack: [[at(2), at(5)]] });
    talk.pass(50_000);
    talk.say({ seq: 1, ack: at(5) });
    expect(samples.map((sample) => [sample.ackedBytes, sample.sackedBytes])).toEqual([
      [0, 3 * MSS],
      [2 * MSS, 0],
    ]);
    expect(connection.tcpInfo().delivered).toBe(5 * MSS);
  });

  it("what was sent twice gives no round-trip time (Karn)", () => {
    const { talk, connection, samples } = sampling();
    connection.write(write(1));
    talk.pass(1e6);
    talk.say({ seq: 1, ack: at(1) });
    expect(samples[0]).toMatchObject({ rttUs: -1, ackedBytes: MSS });
  });

  it("says when the application was the limit, until what was in flight then is delivered", () => {
    const { talk, connection, samples } = sampling();
    connection.write(write(2));
    connection.write(write(30));
    for (let i = 1; i <= 32; i++) {
      talk.pass(1000);
      talk.say({ seq: 1, ack: at(i) });
    }
    // The first two left room in the window: they, and what was sent before they were delivered. Later more than a window waited.
    expect(samples.slice(0, 10).every((sample) => sample.appLimited)).toBe(true);
    expect(samples.slice(14).some((sample) => sample.appLimited)).toBe(false);
    connection.write(write(1));
    talk.pass(1000);
    talk.say({ seq: 1, ack: at(33) });
    expect(samples.at(-1)!.appLimited).toBe(true);
  });
});

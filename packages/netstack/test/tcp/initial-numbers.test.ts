import { describe, expect, it } from "vitest";
import { Conversation, flags } from "./conversation.ts";

describe("initial numbers", () => {
  it("MUST-8 the initial sequence number moves with a clock that ticks every 4 µs", () => {
    const talk = new Conversation();
    const isn = (): number => {
      talk.listen();
      talk.say({ flags: "S" });
      const { seq: sent } = talk.hear(flags("SA"));
      void talk.listener!.close();
      return sent;
    };
    const first = isn();
    talk.pass(4000);
    expect((isn() - first) >>> 0).toBe(1000);
  });

  it("SHLD-1, MUST-9 it depends on the ends by a keyed function that is not the same in another stack", () => {
    const isn = (seed: number, sourcePort: number): number => {
      const talk = new Conversation({ seed });
      talk.listen();
      talk.say({ flags: "S", sourcePort });
      return talk.hear(flags("SA")).seq;
    };
    const all = [isn(1, 1), isn(1, 2), isn(1, 3), isn(2, 1), isn(3, 1)];
    expect(isn(1, 1)).toBe(all[0]);
    const apart = all.slice(1).map((value) => Math.abs((value - all[0]!) | 0));
    for (const distance of apart) expect(distance).toBeGreaterThan(100_000);
  });

  it("a stack that starts again with its secret goes on from where it was (RFC 6528, RFC 6191)", () => {
    const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
    const begin = (secondsLater: number, seed: number) => {
      const wall = { seconds: 1_800_000_000 + secondsLater, nanoseconds: 0 };
      const talk = new Conversation({ tcpSecret: secret, wall, seed });
      talk.listen();
      talk.say({ flags: "S", timestamps: [1, 0] });
      const { seq: isn, timestamps } = talk.hear(flags("SA"));
      return { isn, tsVal: timestamps![0] };
    };
    const [before, after] = [begin(0, 1), begin(10, 2)];
    expect((after.isn - before.isn) >>> 0).toBe(10e6 / 4);
    expect((after.tsVal - before.tsVal) >>> 0).toBe(10_000);
    expect(() => new Conversation({ tcpSecret: new Uint8Array(31) })).toThrow(RangeError);
  });

  it("timestamps begin at an offset of the connection's own (RFC 7323 §5.4)", () => {
    const talk = new Conversation();
    talk.listen();
    const values = [1, 2].map((sourcePort) => {
      talk.say({ flags: "S", sourcePort, timestamps: [7, 0] });
      return talk.hear(flags("SA")).timestamps![0];
    });
    expect(values[0]).not.toBe(values[1]);
  });
});

describe("ephemeral ports (RFC 6056)", () => {
  it("are all different towards one peer, within the range, and not in order from one", async () => {
    const talk = new Conversation({
      sysctl: { "net.inet.ip.portrange.first": 20_000, "net.inet.ip.portrange.last": 20_099 },
    });
    for (let i = 0; i < 100; i++) talk.tcp.connect({ address: "10.0.0.2", port: 9 }).catch(() => {});
    const ports = talk.hearAll().map((segment) => segment.sourcePort);
    expect(new Set(ports).size).toBe(100);
    expect(Math.min(...ports)).toBe(20_000);
    expect(Math.max(...ports)).toBe(20_099);
    await expect(talk.tcp.connect({ address: "10.0.0.2", port: 9 })).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
    talk.tcp.connect({ address: "10.0.0.2", port: 10 }).catch(() => {});
    expect(talk.hearAll()).toHaveLength(1);
  });
});

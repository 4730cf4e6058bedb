import { describe, expect, it } from "vitest";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { Conversation, type Matcher, payload } from "./conversation.ts";

const DETECT = { "net.inet.tcp.pmtud_blackhole_detection": 1, "net.inet.tcp.rack.tlp.enable": false } as const;

/** A connection of which a few full segments vanish. */
function begin(
  sysctl: Record<string, number | boolean> = DETECT,
  bytes = 4000,
  family: 4 | 6 = 4,
): [Conversation, TcpConnection] {
  const talk = new Conversation({ sysctl, family });
  const connection = talk.accept({ mss: 1400 });
  connection.write([{ bytes: new Uint8Array(bytes) }]);
  talk.hearAll();
  return [talk, connection];
}

/** Lets the next retransmission timeout come, and looks at what is sent then. */
function timeout(talk: Conversation, ...matchers: Matcher[]): void {
  const { statistics } = talk.tcp;
  const before = statistics.rexmtTimeo;
  while (statistics.rexmtTimeo === before) talk.pass(50_000);
  talk.hear(...matchers);
  talk.hearAll();
}

describe("a path that swallows full segments and tells nobody (RFC 2923 §2.1)", () => {
  it("is found after two timeouts: segments of pmtud_blackhole_mss come through", () => {
    const [talk, connection] = begin();
    timeout(talk, payload(1400));
    timeout(talk, payload(1200));
    expect(connection.tcpInfo().mssLimit).toBe(1200);
    talk.say({ seq: 1, ack: 1201 });
    for (const segment of talk.hearAll()) expect(segment.payload.length).toBeLessThanOrEqual(1200);
    talk.say({ seq: 1, ack: 3601 });
    talk.say({ seq: 1, ack: 4001 });
    talk.hearAll();
    connection.write([{ bytes: new Uint8Array(3000) }]);
    talk.hear(payload(1200));
    expect(talk.tcp.statistics).toMatchObject({ pmtudBlackholeActivated: 1, pmtudBlackholeFailed: 0 });
  });

  it("after two timeouts more the smallest segments are tried, and then what was before", () => {
    const [talk, connection] = begin();
    const sizes = [1400, 1200, 1200, 536, 536, 1400];
    for (const size of sizes) timeout(talk, payload(size));
    expect(connection.tcpInfo().mssLimit).toBe(0);
    expect(talk.tcp.statistics).toMatchObject({
      pmtudBlackholeActivated: 1,
      pmtudBlackholeActivatedMinMss: 1,
      pmtudBlackholeFailed: 1,
    });
  });

  it("is not suspected of small segments", () => {
    const [talk] = begin(DETECT, 500);
    for (let i = 0; i < 4; i++) timeout(talk, payload(500));
    expect(talk.tcp.statistics.pmtudBlackholeActivated).toBe(0);
  });

  it("is looked for where net.inet.tcp.pmtud_blackhole_detection says so", () => {
    for (const [mode, family, found] of [
      [0, 4, false],
      [2, 4, true],
      [3, 4, false],
      [2, 6, false],
      [3, 6, true],
    ] as const) {
      const [talk, connection] = begin({ ...DETECT, "net.inet.tcp.pmtud_blackhole_detection": mode }, 4000, family);
      for (let i = 0; i < 2; i++) timeout(talk);
      expect(connection.tcpInfo().mssLimit > 0).toBe(found);
    }
  });
});

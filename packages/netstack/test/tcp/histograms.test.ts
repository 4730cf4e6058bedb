/** What `stack.tcp.histograms` tells of a conversation. */
import { describe, expect, it } from "vitest";
import { Conversation } from "./conversation.ts";

describe("the histograms of a stack's TCP", () => {
  it("hold round trips, distances beyond gaps, runs of duplicate acknowledgments, and what was sent again by cause", () => {
    const talk = new Conversation();
    const connection = talk.accept({ mss: 1460 });
    talk.say({ seq: 5001, ack: 1, payload: 10 });
    talk.say({ seq: 301, ack: 1, payload: 10 });
    connection.write([{ bytes: new Uint8Array(14_600) }]);
    talk.pass(3000);
    for (let i = 0; i < 5; i++) talk.say({ seq: 1, ack: 1 });
    talk.pass(3000);
    talk.say({ seq: 1, ack: 14_601 });
    connection.write([{ bytes: new Uint8Array(100) }]);
    talk.pass(2e6);
    const { histograms } = talk.tcp;
    expect(histograms.outOfOrderDistance.sum).toBe(5300);
    expect(histograms.duplicateAckRun.quantile(1)).toBe(8);
    expect([histograms.duplicateAckRun.count, histograms.duplicateAckRun.sum]).toEqual([1, 5]);
    expect(histograms.rtt.count).toBe(talk.tcp.statistics.rttUpdated);
    const sent = new Map([...histograms.entries()].map(([name, cause, { count }]) => [cause ?? name, count]));
    expect([sent.get("dupack"), sent.get("window"), sent.get("mtu")]).toEqual([1, 0, 0]);
    expect(sent.get("timeout")).toBe(talk.tcp.statistics.rexmtByTimeout);
    expect(sent.get("timeout")).toBeGreaterThan(0);
    expect(String(histograms)).toContain("Sent again: timeout (bytes)");
    histograms.reset();
    expect(String(histograms)).toBe("");
  });
});

/** The choice of congestion control, and what a connection shows of it. */
import { describe, expect, it } from "vitest";
import { Conversation } from "./conversation.ts";

const MSS = 1460;

describe("congestion control of a connection", () => {
  it("is the stack's default when it is made, and is seen in tcpInfo", () => {
    const talk = new Conversation({ sysctl: { "net.inet.tcp.cc.algorithm": "newreno" } });
    const connection = talk.accept();
    expect(connection.tcpInfo()).toMatchObject({
      congestionControl: "newreno",
      congestionPhase: "slow-start",
      cwnd: 10 * MSS,
      pacingRate: 0,
    });
  });

  it("is the stack's default when there is first something to send", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    talk.stack.sysctl.set("net.inet.tcp.cc.algorithm", "newreno");
    connection.write([{ bytes: new Uint8Array(10) }]);
    talk.stack.sysctl.set("net.inet.tcp.cc.algorithm", "bbr");
    expect(connection.tcpInfo().congestionControl).toBe("newreno");
    connection.setCongestionControl("cubic");
    expect(connection.tcpInfo().congestionControl).toBe("cubic");
  });

  it("cannot be what does not exist", () => {
    const talk = new Conversation();
    const connection = talk.accept();
    expect(() => connection.setCongestionControl("vegas")).toThrow(RangeError);
    expect(() => new Conversation({ sysctl: { "net.inet.tcp.cc.algorithm": "vegas" } })).toThrow();
  });
});

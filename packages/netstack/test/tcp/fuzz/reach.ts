/** Brings a connection into a state, as an honest peer would. */
import type { TcpConnection } from "../../../src/tcp/connection.ts";
import type { Conversation, Options } from "../conversation.ts";
import { hold } from "./invariants.ts";
import type { Start } from "./steps.ts";

/** The stream, if its user has one by then. */
export async function reach(talk: Conversation, start: Start, peer: Options): Promise<TcpConnection | null> {
  switch (start) {
    case "LISTEN":
      talk.listen();
      return null;
    case "half-open":
      talk.listen();
      talk.say({ flags: "S", ...peer });
      talk.hearSyn();
      return null;
    case "SYN-SENT":
      void talk.callOut();
      return null;
    case "SYN-RECEIVED":
      void talk.callOut();
      talk.say({ flags: "S", ...peer });
      return null;
    case "Fast Open":
      return openFast(talk, peer);
    case "active ESTABLISHED":
      return talk.connect(peer);
    case "ESTABLISHED":
      return talk.accept(peer);
    default:
      return closing(talk, start, talk.accept(peer));
  }
}

/** A server's connection in SYN-RECEIVED that its user has already (RFC 7413). */
function openFast(talk: Conversation, peer: Options): TcpConnection {
  talk.stack.sysctl.set("net.inet.tcp.fastopen.acceptany", true);
  talk.stack.sysctl.set("net.inet.tcp.fastopen.server_enable", true);
  let accepted: TcpConnection | null = null;
  talk.listen({ fastOpen: true });
  talk.onAccepted((connection) => {
    accepted ??= connection;
  });
  talk.say({ flags: "S", ...peer, fastOpen: new Uint8Array(8) });
  talk.hearSyn();
  if (accepted === null) throw new Error("the cookie was refused");
  return accepted;
}

function closing(talk: Conversation, start: Start, connection: TcpConnection): TcpConnection {
  if (start === "CLOSE-WAIT" || start === "LAST-ACK") talk.say({ seq: 1, ack: 1, flags: "FA" });
  if (start !== "CLOSE-WAIT") connection.shutdown();
  if (start === "CLOSING") talk.say({ seq: 1, ack: 1, flags: "FA" });
  if (start === "FIN-WAIT-2") talk.say({ seq: 1, ack: 2 });
  if (start === "TIME-WAIT") {
    connection.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
    talk.say({ seq: 1, ack: 2, flags: "FA" });
    hold(talk.tcp.timeWaitCount === 1, "a peer's FIN for ours leads into TIME-WAIT");
  } else {
    const { state } = connection.tcpInfo();
    hold(state === start, `the connection is in ${state}, not in ${start}`);
  }
  return connection;
}

import { memoryPipe } from "@nfs4/bytestream";
import { describe, expect, it } from "vitest";
import type { RpcCall } from "../src/rpc-call.ts";
import { Conversation, ECHO, expectNothingHeld, RawPeer } from "./harness.ts";

const CALL = "00000000";
const REPLY = "00000001";
const VERSION = "00000002";
const NONE = "00000000 00000000";
const PROGRAM = ECHO.toString(16);

/** A record in one fragment. */
function record(...words: readonly string[]): string {
  const body = words.join(" ").replaceAll(" ", "");
  return (0x8000_0000 + body.length / 2).toString(16) + body;
}

/** A server, and a peer that sends bytes by hand. */
async function raw(dispatch?: (call: RpcCall) => void | Promise<void>) {
  const program = { program: ECHO, lowVersion: 2, highVersion: 3, dispatch };
  const talk = new Conversation(
    dispatch === undefined ? {} : { server: { programs: [program as { dispatch: typeof dispatch } & typeof program] } },
  );
  const [near, far] = memoryPipe(talk.clock);
  const connection = talk.server.accept(far)!;
  const peer = new RawPeer(near);
  const exchange = async (...parts: readonly string[]): Promise<string> => {
    peer.send(...parts);
    await talk.clock.runFor(10_000);
    return peer.take();
  };
  const finish = async (): Promise<void> => {
    near.abort();
    await talk.finish();
    expectNothingHeld(talk.server.environment);
  };
  return { talk, connection, peer, exchange, finish };
}

const bare = (text: string): string => text.replaceAll(" ", "");

describe("a server's answers, byte for byte (RFC 5531 §9)", () => {
  const call = (...rest: readonly string[]) => record("0000000a", CALL, VERSION, ...rest);
  const accepted = (...rest: readonly string[]) => record("0000000a", REPLY, "00000000", NONE, ...rest);
  const denied = (...rest: readonly string[]) => record("0000000a", REPLY, "00000001", ...rest);

  it.each([
    ["NULL: SUCCESS", call(PROGRAM, "00000002 00000000", NONE, NONE), accepted("00000000")],
    [
      "ECHO: SUCCESS with results",
      call(PROGRAM, "00000003 00000001", NONE, NONE, "00000005 68656c6c 6f000000"),
      accepted("00000000 00000005 68656c6c 6f000000"),
    ],
    ["another program: PROG_UNAVAIL", call("20000009 00000002 00000000", NONE, NONE), accepted("00000001")],
    [
      "a lower version: PROG_MISMATCH 2 to 3",
      call(PROGRAM, "00000001 00000000", NONE, NONE),
      accepted("00000002 00000002 00000003"),
    ],
    [
      "a higher version: PROG_MISMATCH 2 to 3",
      call(PROGRAM, "00000004 00000001", NONE, NONE),
      accepted("00000002 00000002 00000003"),
    ],
    ["another procedure: PROC_UNAVAIL", call(PROGRAM, "00000002 000003e7", NONE, NONE), accepted("00000003")],
    [
      "arguments cut off: GARBAGE_ARGS",
      call(PROGRAM, "00000002 00000001", NONE, NONE, "00000009"),
      accepted("00000004"),
    ],
    [
      "another RPC version: RPC_MISMATCH 2 to 2",
      record("0000000a", CALL, "00000003"),
      denied("00000000 00000002 00000002"),
    ],
    [
      "an unknown flavor: AUTH_BADCRED",
      call(PROGRAM, "00000002 00000000 00000063 00000000", NONE),
      denied("00000001 00000001"),
    ],
    [
      "a broken AUTH_SYS credential: AUTH_BADCRED",
      call(PROGRAM, "00000002 00000000 00000001 00000004 00000000", NONE),
      denied("00000001 00000001"),
    ],
    [
      "a credential above 400 bytes: AUTH_BADCRED",
      call(PROGRAM, "00000002 00000000 00000001 00000191"),
      denied("00000001 00000001"),
    ],
    [
      "a verifier above 400 bytes: AUTH_BADVERF",
      call(PROGRAM, "00000002 00000000", NONE, "00000000 00000191"),
      denied("00000001 00000003"),
    ],
  ])("%s", async (_, request, reply) => {
    const { exchange, finish } = await raw();
    expect(await exchange(request)).toBe(bare(reply));
    // The connection is as good as before.
    expect(await exchange(call(PROGRAM, "00000002 00000000", NONE, NONE))).toBe(bare(accepted("00000000")));
    await finish();
  });

  const anyCall = call(PROGRAM, "00000002 00000007", NONE, NONE, "00000001");
  it.each<[string, (call: RpcCall) => void | Promise<void>, string]>([
    [
      "throwing",
      () => {
        throw new Error("oops");
      },
      accepted("00000005"),
    ],
    ["rejecting", () => Promise.reject(new Error("oops")), accepted("00000005")],
    ["a promise without an answer", () => Promise.resolve(), accepted("00000005")],
    [
      "throwing within the answer",
      (call) => {
        call.beginReply().uint32(1);
        throw new Error("oops");
      },
      accepted("00000005"),
    ],
    ["encoding what does not fit", (call) => call.reply((writer) => writer.uint32(-1)), accepted("00000005")],
    ["reading too much", (call) => void call.args.opaqueFixed(5), accepted("00000004")],
    ["reading too much, later", async (call) => void call.args.opaqueFixed(5), accepted("00000004")],
    ["garbageArgs", (call) => call.garbageArgs(), accepted("00000004")],
    ["procedureUnavailable", (call) => call.procedureUnavailable(), accepted("00000003")],
    ["programUnavailable", (call) => call.programUnavailable(), accepted("00000001")],
    ["programMismatch", (call) => call.programMismatch(1, 9), accepted("00000002 00000001 00000009")],
    ["systemError", (call) => call.systemError(), accepted("00000005")],
    ["authError", (call) => call.authError(5), denied("00000001 00000005")],
    ["drop", (call) => call.drop(), ""],
    [
      "an error after a reply was begun",
      (call) => {
        call.beginReply().uint32(1);
        call.systemError();
      },
      accepted("00000005"),
    ],
    [
      "a reply begun twice",
      (call) => {
        call.beginReply().uint32(1);
        call.beginReply().uint32(2);
        call.sendReply();
      },
      accepted("00000000 00000002"),
    ],
    [
      "replyEncoded",
      (call) => call.replyEncoded([{ bytes: Uint8Array.of(1, 2, 3, 4) }, { bytes: Uint8Array.of(5, 6, 7, 8) }]),
      accepted("00000000 01020304 05060708"),
    ],
  ])("a handler's %s", async (_, dispatch, reply) => {
    const { exchange, finish } = await raw(dispatch);
    expect(await exchange(anyCall)).toBe(bare(reply));
    await finish();
  });

  it("answers once only", async () => {
    const failures: unknown[] = [];
    const { exchange, finish } = await raw((call) => {
      call.reply(() => {});
      for (const again of [() => call.reply(() => {}), () => call.garbageArgs(), () => call.drop()]) {
        try {
          again();
        } catch (error) {
          failures.push(error);
        }
      }
    });
    expect(await exchange(anyCall)).toBe(bare(accepted("00000000")));
    expect(failures).toHaveLength(3);
    await finish();
  });

  it("gives a copy of the results for a reply cache", async () => {
    let cached: Uint8Array | undefined;
    const { exchange, finish } = await raw((call) => {
      if (cached !== undefined) return call.replyEncoded([{ bytes: cached }]);
      call.beginReply().string("once");
      cached = call.encodedResults();
      call.sendReply();
    });
    const first = await exchange(anyCall);
    expect(first).toBe(bare(accepted("00000000 00000004 6f6e6365")));
    expect(await exchange(anyCall)).toBe(first);
    await finish();
  });

  it("gives the copy in memory of the caller's where it fits", async () => {
    const memory = new Uint8Array(16).fill(0xee);
    const results: Uint8Array[] = [];
    const { exchange, finish } = await raw((call) => {
      call.beginReply().string(results.length === 0 ? "once" : "thirteen more");
      results.push(call.encodedResults(memory));
      call.sendReply();
    });
    await exchange(anyCall);
    await exchange(anyCall);
    expect(results[0]?.buffer).toBe(memory.buffer);
    expect(Buffer.from(memory).toString("hex")).toBe(bare("00000004 6f6e6365 eeeeeeee eeeeeeee"));
    expect(Buffer.from(results[1]!).toString("latin1")).toBe("\0\0\0\x0dthirteen more\0\0\0");
    await finish();
  });

  it("shows the call as it came", async () => {
    const seen: string[] = [];
    const { exchange, finish } = await raw((call) => {
      seen.push(Buffer.from(call.message).toString("hex"), Buffer.from(call.argsBytes).toString("hex"));
      expect(call.messageLength).toBe(call.message.length);
      call.reply(() => {});
    });
    await exchange(anyCall);
    expect(seen).toEqual([bare(anyCall).slice(8), "00000001"]);
    await finish();
  });

  it.each([
    ["an empty record", "80000000"],
    ["a record of 7 bytes", "80000007 00000000000000"],
    ["neither call nor reply", record("0000000a 00000002")],
    ["a call cut off in its header", call(PROGRAM, "00000002")],
    ["a call cut off in its credential", call(PROGRAM, "00000002 00000000 00000001 00000008 00000000")],
    ["an oversized record", "ffffffff"],
    ["text", Buffer.from("GET / HTTP/1.1\r\n\r\n").toString("hex")],
  ])("closes the connection on %s", async (_, bytes) => {
    const { talk, peer, connection, exchange, finish } = await raw();
    expect(await exchange(bytes)).toBe("");
    expect(connection.ended).toBe(true);
    expect((await talk.run(peer.stream.closed)).how).toBe("reset");
    expect(talk.server.counters.connectionsAborted).toBe(1);
    await finish();
  });

  it("ignores a reply to nothing", async () => {
    const { talk, connection, exchange, finish } = await raw();
    expect(await exchange(accepted("00000000"))).toBe("");
    expect([connection.ended, talk.server.counters.repliesUnmatched]).toEqual([false, 1]);
    await finish();
  });

  it("is closed within the grace though the peer has finished and a call is never answered", async () => {
    const held: RpcCall[] = [];
    const { talk, connection, peer, exchange, finish } = await raw((call) => void held.push(call));
    peer.send(anyCall);
    peer.stream.shutdown();
    await exchange();
    await talk.run(connection.close({ graceMs: 20 }));
    expect(connection.endReason?.code).toBe("RPC_CLOSED");
    held[0]!.drop();
    await finish();
  });

  it("answers what it has when the peer has finished sending, and then finishes too", async () => {
    const held: RpcCall[] = [];
    const { talk, peer, exchange, finish } = await raw((call) => void held.push(call));
    peer.send(anyCall, anyCall);
    peer.stream.shutdown();
    expect(await exchange()).toBe("");
    expect([held.length, peer.ended]).toEqual([2, false]);
    for (const call of held) call.reply(() => {});
    expect(await exchange()).toBe(bare(accepted("00000000")).repeat(2));
    expect(peer.ended).toBe(true);
    expect((await talk.run(peer.stream.closed)).how).toBe("closed");
    await finish();
  });
});

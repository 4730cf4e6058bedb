import { describe, expect, it } from "vitest";
import { authSys } from "../src/auth/sys.ts";
import type { RpcError } from "../src/errors.ts";
import type { RpcCall } from "../src/rpc-call.ts";
import { Conversation, ECHO, echoProgram, echoRequest, Procedure } from "./harness.ts";

const bytes = (length: number, seed = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);

describe("a client and a server over a pipe", () => {
  it("answers NULL in general", async () => {
    const talk = new Conversation();
    expect(await talk.run(talk.client.call({ program: ECHO, version: 2, procedure: 0 }))).toBeUndefined();
    await talk.finish();
  });

  it.each([0, 1, 3, 100, 1023, 5000, 70_000, 1 << 20])("echoes %i bytes", async (length) => {
    const talk = new Conversation();
    const data = bytes(length);
    for (const procedure of [Procedure.ECHO, Procedure.LATER]) {
      const answer = await talk.run(talk.client.call(echoRequest(data, procedure)));
      expect(Buffer.compare(answer, data)).toBe(0);
    }
    await talk.finish();
  });

  it("pipelines: many calls in one write, their replies in one write", async () => {
    const talk = new Conversation();
    const calls = Array.from({ length: 20 }, (_, i) => talk.client.call(echoRequest(bytes(20, i))));
    const answers = await talk.run(Promise.all(calls));
    for (const [i, answer] of answers.entries()) expect(answer).toEqual(bytes(20, i));
    expect(talk.client.environment.counters.writes).toBe(1);
    expect(talk.server.counters.writes).toBe(1);
    await talk.finish();
  });

  it("sends answers together that waited for each other", async () => {
    let last = Promise.resolve();
    const oneAfterTheOther = {
      program: ECHO,
      lowVersion: 2,
      highVersion: 2,
      dispatch(call: RpcCall) {
        last = last.then(() => call.reply(() => {}));
        return last;
      },
    };
    const talk = new Conversation({ server: { programs: [oneAfterTheOther] } });
    const calls = Array.from({ length: 20 }, () => talk.client.call({ program: ECHO, version: 2, procedure: 1 }));
    await talk.run(Promise.all(calls));
    expect(talk.server.counters.writes).toBe(1);
    await talk.finish();
  });

  it("answers out of order", async () => {
    const talk = new Conversation();
    const order: string[] = [];
    const late = talk.client.call(echoRequest(bytes(8), Procedure.LATER)).then(() => order.push("late"));
    const early = talk.client.call(echoRequest(bytes(8))).then(() => order.push("early"));
    await talk.run(Promise.all([late, early]));
    expect(order).toEqual(["early", "late"]);
    await talk.finish();
  });

  it("shows the handler the caller's credential", async () => {
    const seen: unknown[] = [];
    const program = {
      program: ECHO,
      lowVersion: 1,
      highVersion: 1,
      dispatch(call: RpcCall) {
        seen.push(call.credential);
        call.reply(() => {});
      },
    };
    const talk = new Conversation({ server: { programs: [program] } });
    const credential = authSys({ uid: 1000, gid: 100, gids: [4, 24], machineName: "box" });
    for (let i = 0; i < 2; i++) {
      await talk.run(talk.client.call({ program: ECHO, version: 1, procedure: 7, credential }));
    }
    expect(seen[0]).toEqual({ flavor: 1, uid: 1000, gid: 100, gids: [4, 24], machineName: "box" });
    expect(seen[1]).toBe(seen[0]);
    await talk.finish();
  });

  it("calls back over the same connection", async () => {
    const talk = new Conversation();
    talk.client.programs.add(echoProgram(talk.clock));
    expect(await talk.run(talk.client.call(echoRequest(bytes(33), Procedure.CALL_BACK)))).toEqual(bytes(33));
    await talk.finish();
  });

  it("fails what is pending when the connection is lost", async () => {
    const talk = new Conversation();
    const call = talk.client.call(echoRequest(bytes(8), Procedure.HOLD));
    const failure = call.catch((error: RpcError) => error.code);
    await talk.clock.runFor(10);
    expect(talk.held).toHaveLength(1);
    const signal = talk.held[0]!.signal;
    talk.connection.abort();
    expect(signal.aborted).toBe(true);
    expect(await talk.run(failure)).toBe("RPC_DISCONNECTED");
    talk.held[0]!.reply((writer) => writer.uint32(1));
    expect(talk.server.counters.repliesDiscarded).toBe(1);
    await talk.finish();
  });
});

import { memoryPipe } from "@nfs4/bytestream";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import type { AuthFlavorClient } from "../src/auth/flavor.ts";
import { RpcClient, type RpcClientOptions } from "../src/client.ts";
import { AuthStat } from "../src/constants.ts";
import { RpcEnvironment } from "../src/environment.ts";
import { RpcError } from "../src/errors.ts";
import type { ReplyMemory } from "../src/pending-calls.ts";
import type { RpcCall } from "../src/rpc-call.ts";
import { Conversation, ECHO, echoProgram, echoRequest, expectNothingHeld, Procedure, RawPeer } from "./harness.ts";

const data = Uint8Array.of(1, 2, 3, 4);

/** A client, and a peer that answers by hand: `…` in its answers stands for the xid. */
function raw(options: Partial<RpcClientOptions> = {}) {
  const clock = new VirtualClock();
  const [near, far] = memoryPipe(clock);
  const environment = new RpcEnvironment({
    clock,
    random: new SeededRandom(1),
    poison: true,
    limits: { pendingCalls: 3 },
  });
  const client = new RpcClient({ stream: near, environment, ...options });
  const peer = new RawPeer(far);
  const answer = async (body: string): Promise<void> => {
    await clock.runFor(1000);
    const xid = peer.take().slice(8, 16);
    const text = body.replaceAll("…", xid).replaceAll(" ", "");
    peer.send((0x8000_0000 + text.length / 2).toString(16) + text);
  };
  const finish = async (): Promise<void> => {
    far.abort();
    await clock.runToSettle(client.closed);
    expectNothingHeld(environment);
  };
  return { clock, client, environment, peer, answer, finish };
}

const failureOf = (promise: Promise<unknown>): Promise<RpcError> =>
  promise.then(
    () => {
      throw new Error("it succeeded");
    },
    (error: RpcError) => error,
  );

describe("a client's errors", () => {
  const accepted = "… 00000001 00000000 00000000 00000000";
  it.each([
    ["RPC_PROG_UNAVAIL", `${accepted} 00000001`, {}],
    ["RPC_PROG_MISMATCH", `${accepted} 00000002 00000003 00000004`, { low: 3, high: 4 }],
    ["RPC_PROC_UNAVAIL", `${accepted} 00000003`, {}],
    ["RPC_GARBAGE_ARGS", `${accepted} 00000004`, {}],
    ["RPC_SYSTEM_ERR", `${accepted} 00000005`, {}],
    ["RPC_VERSION_MISMATCH", "… 00000001 00000001 00000000 00000003 00000005", { low: 3, high: 5 }],
    ["RPC_AUTH_ERROR", "… 00000001 00000001 00000001 00000005", { authStat: 5 }],
    ["RPC_CANT_DECODE_REPLY", `${accepted} 00000000 00000009`, {}],
    ["RPC_CANT_DECODE_REPLY", "… 00000001 00000000", {}],
    ["RPC_CANT_DECODE_REPLY", `${accepted} 00000006`, {}],
  ])("%s for %s", async (code, body, details) => {
    const { clock, client, answer, finish } = raw();
    const failure = failureOf(client.call(echoRequest(data)));
    await answer(body);
    const error = await clock.runToSettle(failure);
    expect(error).toBeInstanceOf(RpcError);
    expect(error.code).toBe(code);
    expect({ low: error.low, high: error.high, authStat: error.authStat }).toEqual({
      low: undefined,
      high: undefined,
      authStat: undefined,
      ...details,
    });
    await finish();
  });

  it("RPC_BAD_VERIFIER for a verifier that the flavor refuses", async () => {
    const credential: AuthFlavorClient = {
      flavor: 0,
      begin: () => ({
        writeCredential: (writer) => writer.uint64Number(0),
        writeVerifier: (writer) => writer.uint64Number(0),
        checkVerifier: (flavor, body) => flavor === 6 && body[0] === 9,
      }),
    };
    const { clock, client, answer, finish } = raw({ credential });
    const good = client.call({ program: 1, version: 1, procedure: 1 });
    await answer("… 00000001 00000000 00000006 00000001 09000000 00000000");
    await clock.runToSettle(good);
    const failure = failureOf(client.call({ program: 1, version: 1, procedure: 1 }));
    await answer("… 00000001 00000000 00000006 00000001 08000000 00000000");
    expect((await clock.runToSettle(failure)).code).toBe("RPC_BAD_VERIFIER");
    await finish();
  });

  it("RPC_CANT_ENCODE_ARGS, with nothing sent", async () => {
    const { clock, client, peer, finish } = raw();
    const failure = failureOf(
      client.call({ program: 1, version: 1, procedure: 1, encode: (writer) => writer.uint32(-1) }),
    );
    expect((await clock.runToSettle(failure)).code).toBe("RPC_CANT_ENCODE_ARGS");
    await clock.runFor(1000);
    expect(peer.take()).toBe("");
    expect(client.connection.callsPending).toBe(0);
    await finish();
  });

  it("RPC_TIMEOUT in the order of the deadlines, and late replies are ignored", async () => {
    const { clock, client, environment, answer, finish } = raw({ timeoutMs: 500 });
    const order: [string, number][] = [];
    const calls = [300, undefined, 100].map((timeoutMs) =>
      client
        .call({ ...echoRequest(data), ...(timeoutMs === undefined ? {} : { timeoutMs }) })
        .catch((error: RpcError) => order.push([error.code, clock.coarse()])),
    );
    await clock.runToSettle(Promise.all(calls));
    expect(order).toEqual([
      ["RPC_TIMEOUT", 100_000],
      ["RPC_TIMEOUT", 300_000],
      ["RPC_TIMEOUT", 500_000],
    ]);
    expect(environment.counters.callTimeouts).toBe(3);
    await answer("… 00000001 00000000 00000000 00000000 00000000");
    await clock.runFor(1000);
    expect(environment.counters.repliesUnmatched).toBe(1);
    await finish();
  });

  it("the signal's reason, before and during the call", async () => {
    const { clock, client, environment, finish } = raw();
    const before = client.call({ ...echoRequest(data), signal: AbortSignal.abort("before") });
    expect(await clock.runToSettle(failureOf(before))).toBe("before");
    const controller = new AbortController();
    const during = failureOf(client.call({ ...echoRequest(data), signal: controller.signal }));
    await clock.runFor(1000);
    controller.abort("during");
    expect(await clock.runToSettle(during)).toBe("during");
    expect([client.connection.callsPending, environment.counters.callsCancelled]).toEqual([0, 1]);
    await finish();
  });

  it("an AbortError for a call that was cancelled by hand", async () => {
    const { clock, client, finish } = raw();
    const call = client.start(7, echoRequest(data));
    const failure = failureOf(call.results);
    call.cancel();
    call.cancel();
    expect((await clock.runToSettle(failure)).name).toBe("AbortError");
    await finish();
  });

  it("nothing for the late reply to a cancelled call, and an old handle cancels no new call of the same xid", async () => {
    const { clock, client, environment, answer, finish } = raw();
    const request = echoRequest(data);
    const first = client.start(7, request);
    const cancelled = failureOf(first.results);
    first.cancel("enough");
    await answer(`${accepted} 00000000 00000004 01020304`);
    await clock.runFor(1000);
    expect(await cancelled).toBe("enough");
    expect([client.connection.ended, environment.counters.repliesUnmatched]).toEqual([false, 1]);
    const second = client.start(7, request);
    const refused = client.start(7, request);
    expect(await clock.runToSettle(failureOf(refused.results))).toMatchObject({ code: "RPC_XID_IN_USE" });
    first.cancel();
    refused.cancel();
    await answer(`${accepted} 00000000 00000004 01020304`);
    expect(await clock.runToSettle(second.results)).toEqual(data);
    await finish();
  });

  it.each(Object.entries(AuthStat).filter(([, stat]) => stat !== AuthStat.AUTH_OK))(
    "RPC_AUTH_ERROR with %s as the server said it (RFC 5531 §9)",
    async (_, authStat) => {
      const programs = [
        { program: ECHO, lowVersion: 2, highVersion: 2, dispatch: (call: RpcCall) => call.authError(authStat) },
      ];
      const talk = new Conversation({ server: { programs } });
      const error = await talk.run(failureOf(talk.client.call(echoRequest(data))));
      expect([error.code, error.authStat]).toEqual(["RPC_AUTH_ERROR", authStat]);
      await talk.finish();
    },
  );

  it("RPC_XID_IN_USE and RPC_TOO_MANY_CALLS", async () => {
    const { clock, client, finish } = raw();
    const calls = [1, 2, 3].map((xid) => failureOf(client.start(xid, echoRequest(data)).results));
    expect((await clock.runToSettle(failureOf(client.start(2, echoRequest(data)).results))).code).toBe(
      "RPC_XID_IN_USE",
    );
    expect((await clock.runToSettle(failureOf(client.call(echoRequest(data))))).code).toBe("RPC_TOO_MANY_CALLS");
    await finish();
    for (const call of calls) expect((await call).code).toBe("RPC_DISCONNECTED");
  });

  it("RPC_CLOSED for calls pending at close, and RPC_CLOSED for later ones", async () => {
    const { clock, client, finish } = raw();
    const failure = failureOf(client.call(echoRequest(data)));
    const closing = client.close({ graceMs: 10 });
    expect((await clock.runToSettle(failure)).code).toBe("RPC_CLOSED");
    expect((await clock.runToSettle(failureOf(client.call(echoRequest(data))))).code).toBe("RPC_CLOSED");
    // The peer does not close: the grace ends it.
    await clock.runToSettle(closing);
    await finish();
  });
});

describe("a client", () => {
  it("refreshes its credential after an AUTH_ERROR and tries once more", async () => {
    const refreshed: number[] = [];
    const credential: AuthFlavorClient = {
      flavor: 99,
      begin: () => ({
        writeCredential: (writer) => {
          writer.uint32(refreshed.length === 0 ? 99 : 0);
          writer.uint32(0);
        },
        writeVerifier: (writer) => writer.uint64Number(0),
        checkVerifier: () => true,
      }),
      refresh: async (stat) => refreshed.push(stat) < 2,
    };
    const talk = new Conversation();
    const results = talk.client.call({ ...echoRequest(data), credential });
    expect(await talk.run(results)).toEqual(data);
    expect(refreshed).toEqual([1]);
    await talk.finish();
  });

  it("sends a call again with its xid on another connection", async () => {
    const talk = new Conversation();
    const xid = talk.client.takeXid();
    const lost = failureOf(talk.client.start(xid, echoRequest(data, Procedure.HOLD)).results);
    await talk.clock.runFor(1000);
    talk.connection.abort();
    expect((await talk.run(lost)).code).toBe("RPC_DISCONNECTED");
    const [near, far] = memoryPipe(talk.clock);
    talk.server.accept(far);
    const next = new RpcClient({ stream: near, environment: talk.client.environment });
    const again = next.start(xid, echoRequest(data, Procedure.HOLD));
    await talk.clock.runFor(1000);
    expect(talk.held.map((call) => call.xid)).toEqual([xid, xid]);
    expect(talk.held[1]!.argsBytes).toEqual(Uint8Array.of(0, 0, 0, 4, 1, 2, 3, 4));
    talk.held[0]!.drop();
    talk.held[1]!.reply((writer) => writer.opaque(data));
    expect(await talk.run(again.results)).toEqual(data);
    await talk.run(next.close());
    await talk.finish();
  });

  it("keeps a reply's memory for who retains it", async () => {
    const talk = new Conversation();
    const kept: ReplyMemory[] = [];
    const big = new Uint8Array(50_000).fill(7);
    const view = await talk.run(
      talk.client.call({
        ...echoRequest(big),
        decode: (reader, memory) => {
          memory.retain();
          kept.push(memory);
          return reader.opaque();
        },
      }),
    );
    await talk.run(talk.client.call(echoRequest(big)));
    expect(Buffer.compare(view, big)).toBe(0);
    expect(talk.client.environment.buffers.outstanding).toBe(1);
    kept[0]!.release();
    expect(view[0]).toBe(0xdb);
    await talk.finish();
  });

  it("releases what the arguments refer to when it has been sent", async () => {
    const talk = new Conversation();
    const big = new Uint8Array(50_000).fill(7);
    let released = 0;
    const call = talk.client.call({
      ...echoRequest(big),
      releases: [
        () => {
          released++;
          big.fill(0);
        },
      ],
    });
    const answer = await talk.run(call);
    expect([answer[0], released]).toEqual([7, 1]);
    await talk.finish();
  });

  it("counts xids up, around 2^32, over those in use", async () => {
    const { clock, client, finish } = raw();
    const first = client.takeXid();
    const call = failureOf(client.start((first + 1) >>> 0, echoRequest(data)).results);
    expect(client.takeXid()).toBe((first + 2) >>> 0);
    await finish();
    await clock.runToSettle(call);
  });

  it("can be called back by a program that is added and removed", async () => {
    const talk = new Conversation();
    const program = echoProgram(talk.clock);
    talk.client.programs.add(program);
    expect(() => talk.client.programs.add(program)).toThrow(RangeError);
    expect(await talk.run(talk.client.call(echoRequest(data, Procedure.CALL_BACK)))).toEqual(data);
    talk.client.programs.remove(program);
    const failure = failureOf(talk.client.call(echoRequest(data, Procedure.CALL_BACK)));
    expect((await talk.run(failure)).code).toBe("RPC_SYSTEM_ERR");
    expect(talk.client.environment.counters.programsUnavailable).toBe(1);
    await talk.finish();
  });

  it("finds a program by version among several entries", async () => {
    const programs = [1, 4].map((version) => ({
      program: ECHO,
      lowVersion: version,
      highVersion: version + 1,
      dispatch: (call: RpcCall) => call.reply((writer) => writer.uint32(version)),
    }));
    const talk = new Conversation({ server: { programs } });
    const ask = (version: number) =>
      talk.run(
        talk.client.call({ program: ECHO, version, procedure: 1, decode: (reader) => reader.uint32() }).catch((e) => e),
      );
    expect([await ask(1), await ask(2), await ask(4), await ask(5)]).toEqual([1, 1, 4, 4]);
    expect(await ask(3)).toMatchObject({ code: "RPC_PROG_MISMATCH", low: 1, high: 5 });
    await talk.finish();
  });
});

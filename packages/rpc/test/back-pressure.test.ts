import { type ByteStream, memoryPipe } from "@nfs4/bytestream";
import { describe, expect, it } from "vitest";
import type { RpcError } from "../src/errors.ts";
import type { RpcCall } from "../src/rpc-call.ts";
import { Conversation, ECHO, echoProgram, echoRequest, expectNothingHeld, Procedure, RawPeer } from "./harness.ts";

const data = Uint8Array.of(1, 2, 3, 4);

/** The record of a call of the echo program with opaque data. */
function callRecord(procedure: number, argument: Uint8Array, xid = 1): Uint8Array {
  const bytes = new Uint8Array(4 + 40 + 4 + argument.length);
  const view = new DataView(bytes.buffer);
  const words = [0x8000_0000 + bytes.length - 4, xid, 0, 2, ECHO, 2, procedure, 0, 0, 0, 0, argument.length];
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word);
  bytes.set(argument, 48);
  return bytes;
}

function blobRecord(length: number): Uint8Array {
  const bytes = callRecord(Procedure.BLOB, new Uint8Array(0));
  new DataView(bytes.buffer).setUint32(44, length);
  return bytes;
}

describe("back-pressure", () => {
  it("starts no more calls than a connection may have, and goes on as they end", async () => {
    const talk = new Conversation({ server: { limits: { callsPerConnection: 3 } } });
    const calls = Array.from({ length: 10 }, () => talk.client.call(echoRequest(data, Procedure.HOLD)));
    await talk.clock.runFor(1000);
    expect([talk.held.length, talk.connection.callsInFlight, talk.connection.callsWaiting]).toEqual([3, 3, 7]);
    for (let answered = 0; answered < 10; answered++) {
      talk.held[answered]!.reply((writer) => writer.opaque(data));
      await talk.clock.runFor(1000);
      expect(talk.connection.callsInFlight).toBe(Math.min(3, 9 - answered));
    }
    await talk.run(Promise.all(calls));
    expect(talk.server.counters.callsDelayed).toBe(7);
    await talk.finish();
  });

  it("stops reading when too many wait, and takes up reading again", async () => {
    const talk = new Conversation({ server: { limits: { callsPerConnection: 1, waitingCallsOfStranger: 4 } } });
    const calls = Array.from({ length: 20 }, () => talk.client.call(echoRequest(data, Procedure.HOLD)));
    await talk.clock.runFor(1000);
    expect([talk.connection.callsInFlight, talk.connection.callsWaiting]).toEqual([1, 4]);
    expect(talk.server.counters.calls).toBe(5);
    for (let answered = 0; answered < 20; answered++) {
      talk.held[answered]!.reply((writer) => writer.opaque(data));
      await talk.clock.runFor(1000);
      expect(talk.connection.callsWaiting).toBeLessThanOrEqual(4);
    }
    await talk.run(Promise.all(calls));
    expect(talk.server.counters.queuePauses).toBeGreaterThan(1);
    await talk.finish();
  });

  it("bounds calls over all connections, and serves them in turn", async () => {
    const talk = new Conversation({ server: { limits: { callsInAll: 2 } } });
    const peers: RawPeer[] = [];
    for (let i = 0; i < 3; i++) {
      const [near, far] = memoryPipe(talk.clock);
      talk.server.accept(far);
      const peer = new RawPeer(near);
      peer.send(callRecord(Procedure.HOLD, data), callRecord(Procedure.HOLD, data));
      peers.push(peer);
    }
    await talk.clock.runFor(1000);
    expect(talk.held.length).toBe(2);
    for (let i = 0; i < 6; i++) {
      expect(talk.server.counters.callsInFlight).toBeLessThanOrEqual(2);
      talk.held[i]!.reply(() => {});
      await talk.clock.runFor(1000);
    }
    for (const peer of peers) {
      expect(peer.take().length / 2).toBe(2 * 28);
      peer.stream.abort();
    }
    await talk.finish();
  });

  it("gives permits back when a waiting connection is lost", async () => {
    const talk = new Conversation({ server: { limits: { callsInAll: 1 } } });
    const [near, far] = memoryPipe(talk.clock);
    talk.server.accept(far);
    const call = talk.client.call(echoRequest(data, Procedure.HOLD));
    await talk.clock.runFor(1000);
    new RawPeer(near).send(callRecord(Procedure.ECHO, data));
    const after = talk.client.call(echoRequest(data));
    await talk.clock.runFor(1000);
    near.abort();
    await talk.clock.runFor(1000);
    talk.held[0]!.reply((writer) => writer.opaque(data));
    await talk.run(Promise.all([call, after]));
    await talk.finish();
  });

  it("reads the reply to its own call though all its calls in flight wait for such", async () => {
    const talk = new Conversation({ server: { limits: { callsPerConnection: 4, waitingCallsOfStranger: 50 } } });
    talk.client.programs.add(echoProgram(talk.clock));
    // Four calls that call back are started; the answers to their callbacks come behind 36 further calls.
    const calls = Array.from({ length: 40 }, () => talk.client.call(echoRequest(data, Procedure.CALL_BACK)));
    await talk.run(Promise.all(calls));
    expect(talk.server.counters.callsDelayed).toBeGreaterThan(30);
    await talk.finish();
  });

  it("starts nothing for a peer that does not take its replies, and then aborts it", async () => {
    const talk = new Conversation({ server: { limits: { outputPerConnection: 100_000, sendTimeoutMs: 120_000 } } });
    const [near, far] = memoryPipe(talk.clock);
    const connection = talk.server.accept(far)!;
    connection.admit();
    for (let i = 0; i < 50; i++) near.write([{ bytes: blobRecord(50_000) }]);
    await talk.clock.runFor(1e6);
    expect([connection.callsWaiting, far.queued < 200_000]).toEqual([48, true]);
    // No other connection is disturbed.
    expect(await talk.run(talk.client.call(echoRequest(data)))).toEqual(data);
    await talk.clock.runFor(125e6);
    expect(connection.endReason?.code).toBe("RPC_SEND_TIMEOUT");
    expect(talk.server.counters.sendTimeouts).toBe(1);
    await talk.finish();
  });

  it("is patient with a peer that takes its replies slowly", async () => {
    const talk = new Conversation({ server: { limits: { outputPerConnection: 10_000, sendTimeoutMs: 10_000 } } });
    const [near, far] = memoryPipe(talk.clock);
    const connection = talk.server.accept(far)!;
    connection.admit();
    let received = 0;
    let credit = 0;
    near.setSink({
      data: (_slab, _offset, length) => {
        const taken = Math.min(length, credit);
        credit -= taken;
        received += taken;
        return taken;
      },
      end: () => {},
    });
    for (let i = 0; i < 10; i++) near.write([{ bytes: blobRecord(9000) }]);
    while (received < 10 * (9000 + 32)) {
      credit += 2000;
      near.resume();
      await talk.clock.runFor(2e6);
    }
    expect(connection.ended).toBe(false);
    near.abort();
    await talk.finish();
  });

  it("bounds the calls of one client over its connections", async () => {
    const talk = new Conversation();
    const share = talk.server.createShare({ memory: 1 << 24, calls: 3, output: 1 << 24 });
    const peers: ByteStream[] = [];
    for (let i = 0; i < 3; i++) {
      const [near, far] = memoryPipe(talk.clock);
      talk.server.accept(far)!.admit({ share });
      for (let j = 0; j < 3; j++) near.write([{ bytes: callRecord(Procedure.HOLD, data) }]);
      peers.push(near);
    }
    await talk.clock.runFor(1000);
    expect([talk.held.length, share.calls.used]).toEqual([3, 3]);
    expect(await talk.run(talk.client.call(echoRequest(data)))).toEqual(data);
    for (let i = 0; i < 9; i++) {
      talk.held[i]!.reply(() => {});
      await talk.clock.runFor(1000);
    }
    for (const peer of peers) peer.abort();
    await talk.finish();
    expect([share.calls.used, share.memory.used, share.output.used]).toEqual([0, 0, 0]);
  });
});

describe("strangers", () => {
  it("are refused beyond the number of connections", async () => {
    const talk = new Conversation({ server: { limits: { connections: 2 } } });
    const pipes = [memoryPipe(talk.clock), memoryPipe(talk.clock)] as const;
    expect(talk.server.accept(pipes[0][1])).not.toBeNull();
    expect(talk.server.accept(pipes[1][1])).toBeNull();
    expect((await talk.run(pipes[1][0].closed)).how).toBe("reset");
    expect(talk.server.counters.connectionsRefused).toBe(1);
    pipes[0][0].abort();
    await talk.finish();
  });

  it("10,000 that announce a record and go silent take next to nothing, and the others are served", async () => {
    const talk = new Conversation();
    const { strangers } = talk.server.environment.limits;
    const announced = Uint8Array.of(0x80, 0x10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0);
    const marks = Uint8Array.of(0x80, 0x10, 0, 0);
    talk.connection.admit();
    for (let i = 0; i < 10_000; i++) {
      const [near, far] = memoryPipe(talk.clock);
      talk.server.accept(far);
      near.write([{ bytes: i % 2 === 0 ? marks : announced }]);
    }
    await talk.clock.runFor(1e6);
    expect(talk.server.connections.size).toBe(strangers + 1);
    expect(talk.server.counters.strangersReplaced).toBe(10_000 - strangers);
    expect(talk.server.environment.strangers.memory.used).toBeLessThanOrEqual(strangers * 1024);
    // A newcomer's small call and a client's large one get through.
    const [near, far] = memoryPipe(talk.clock);
    talk.server.accept(far);
    const newcomer = new RawPeer(near);
    newcomer.send(callRecord(Procedure.ECHO, data));
    const large = new Uint8Array(1 << 20);
    expect((await talk.run(talk.client.call(echoRequest(large)))).length).toBe(large.length);
    expect(newcomer.take()).toContain("01020304");
    near.abort();
    await talk.clock.runFor(31e6);
    expect(talk.server.connections.size).toBe(1);
    expect(talk.server.counters.receiveTimeouts).toBe(strangers - 1);
    await talk.finish();
  });

  it("that read no replies make room for others", async () => {
    const talk = new Conversation({ server: { limits: { outputOfStrangers: 100_000, outputPerConnection: 50_000 } } });
    const peers = Array.from({ length: 4 }, () => {
      const [near, far] = memoryPipe(talk.clock, { window: 1000 });
      talk.server.accept(far);
      for (let i = 0; i < 10; i++) near.write([{ bytes: callRecord(Procedure.ECHO, new Uint8Array(20_000)) }]);
      return near;
    });
    await talk.clock.runFor(1e6);
    const before = talk.clock.coarse();
    expect(await talk.run(talk.client.call(echoRequest(data)))).toEqual(data);
    expect(talk.clock.coarse() - before).toBeLessThan(5e6);
    expect(talk.server.counters.evicted).toBeGreaterThan(0);
    for (const near of peers) near.abort();
    await talk.finish();
  });

  it("do not all start a call when one of them gives way", async () => {
    const limits = { outputOfStrangers: 200_000, outputPerConnection: 160_000 };
    const talk = new Conversation({ server: { limits } });
    const peers = Array.from({ length: 50 }, () => {
      const [near, far] = memoryPipe(talk.clock, { window: 1000 });
      talk.server.accept(far);
      for (let i = 0; i < 20; i++) near.write([{ bytes: callRecord(Procedure.ECHO, new Uint8Array(20_000)) }]);
      return near;
    });
    await talk.clock.runFor(60e6);
    expect(talk.server.counters.evicted).toBeGreaterThan(10);
    // What is full at the beginning, and one reply beyond; later what one of them gives back, 20,000 at a time.
    expect(talk.server.environment.strangers.output.peak).toBeLessThan(260_000);
    for (const near of peers) near.abort();
    await talk.finish();
  });

  it("are cut off for strangers only, clients after a longer while", async () => {
    const talk = new Conversation({ server: { limits: { outputInAll: 100_000 } } });
    const [near, far] = memoryPipe(talk.clock, { window: 1000 });
    talk.server.accept(far)!.admit();
    for (let i = 0; i < 10; i++) near.write([{ bytes: callRecord(Procedure.ECHO, new Uint8Array(20_000)) }]);
    await talk.clock.runFor(1e6);
    talk.connection.admit();
    const before = talk.clock.coarse();
    expect(await talk.run(talk.client.call(echoRequest(data)))).toEqual(data);
    expect(talk.clock.coarse() - before).toBeGreaterThan(8e6);
    expect(talk.server.counters.evicted).toBe(1);
    near.abort();
    await talk.finish();
  });

  it("that fill their memory with unfinished records make room for others", async () => {
    const talk = new Conversation();
    for (let i = 0; i < 20; i++) {
      const [near, far] = memoryPipe(talk.clock);
      talk.server.accept(far);
      const part = callRecord(Procedure.ECHO, new Uint8Array(1 << 20)).subarray(0, 1 << 19);
      near.write([{ bytes: part }]);
    }
    await talk.clock.runFor(1e6);
    const { strangers } = talk.server.environment;
    expect(strangers.memory.used).toBeLessThanOrEqual(8 << 20);
    expect(strangers.memory.waiting).toBeGreaterThan(0);
    const large = new Uint8Array(1 << 20);
    const before = talk.clock.coarse();
    expect((await talk.run(talk.client.call(echoRequest(large)))).length).toBe(large.length);
    expect(talk.clock.coarse() - before).toBeLessThan(15e6);
    expect(talk.server.counters.evicted).toBeGreaterThan(0);
    await talk.clock.runFor(60e6);
    await talk.finish();
  });

  it("may be silent while they wait for an answer", async () => {
    const talk = new Conversation();
    const call = talk.client.call(echoRequest(data, Procedure.HOLD));
    await talk.clock.runFor(300e6);
    talk.held[0]!.reply((writer) => writer.opaque(data));
    expect(await talk.run(call)).toEqual(data);
    await talk.clock.runFor(61e6);
    expect(talk.connection.endReason?.code).toBe("RPC_RECEIVE_TIMEOUT");
    await talk.finish();
  });
});

describe("closing a server", () => {
  it("answers what is in flight and waiting, then closes in order", async () => {
    const talk = new Conversation({ server: { limits: { callsPerConnection: 2 } } });
    const calls = Array.from({ length: 4 }, () => talk.client.call(echoRequest(data, Procedure.HOLD)));
    await talk.clock.runFor(1000);
    const closing = talk.server.close();
    for (let i = 0; i < 4; i++) {
      talk.held[i]!.reply((writer) => writer.opaque(data));
      await talk.clock.runFor(1000);
    }
    expect(await talk.run(Promise.all(calls))).toHaveLength(4);
    await talk.run(closing);
    expect((await talk.run(talk.client.closed)).how).toBe("closed");
    await talk.finish();
  });

  it("aborts what has not ended after the grace", async () => {
    const talk = new Conversation();
    const failure = talk.client.call(echoRequest(data, Procedure.HOLD)).catch((error: RpcError) => error.code);
    await talk.clock.runFor(1000);
    const before = talk.clock.coarse();
    await talk.run(talk.server.close({ graceMs: 50 }));
    expect(talk.clock.coarse() - before).toBe(50_000);
    expect(await talk.run(failure)).toBe("RPC_DISCONNECTED");
    const call: RpcCall = talk.held[0]!;
    expect(call.signal.aborted).toBe(true);
    call.drop();
    await talk.finish();
    expectNothingHeld(talk.server.environment);
  });
});

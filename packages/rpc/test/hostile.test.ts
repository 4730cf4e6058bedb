import { channel } from "node:diagnostics_channel";
import { fc, test } from "@fast-check/vitest";
import { memoryPipe } from "@nfs4/bytestream";
import { describe, expect, it } from "vitest";
import { RpcChannel } from "../src/channels.ts";
import type { RpcError } from "../src/errors.ts";
import { Conversation, ECHO, echoRequest, expectNothingHeld, Procedure, RawPeer } from "./harness.ts";

const data = Uint8Array.of(1, 2, 3, 4);

/** A good call to spoil. */
const goodCall = (): Uint8Array => {
  const words = [0x8000_0040, 7, 0, 2, ECHO, 2, Procedure.ECHO, 1, 20, 0, 0, 1000, 100, 0, 0, 0, 4, 0x01020304];
  const bytes = new Uint8Array(4 * words.length);
  for (const [i, word] of words.entries()) new DataView(bytes.buffer).setUint32(4 * i, word);
  new DataView(bytes.buffer).setUint32(0, 0x8000_0000 + bytes.length - 4);
  return bytes;
};

async function survives(bytes: readonly Uint8Array[], splitAt: number): Promise<Conversation> {
  const talk = new Conversation();
  const [near, far] = memoryPipe(talk.clock, { poison: true });
  talk.server.accept(far);
  const peer = new RawPeer(near);
  for (const part of bytes) peer.send(part.subarray(0, splitAt), part.subarray(splitAt));
  await talk.clock.runFor(10_000);
  // The connection beside it is undisturbed.
  expect(await talk.run(talk.client.call(echoRequest(data)))).toEqual(data);
  near.abort();
  await talk.clock.runFor(10_000);
  await talk.finish();
  expectNothingHeld(talk.server.environment);
  return talk;
}

describe("hostile bytes", () => {
  test.prop([fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), fc.nat(300)], { numRuns: 150 })(
    "random bytes harm nobody",
    async (bytes, splitAt) => {
      await survives(bytes, splitAt);
    },
  );

  test.prop([fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), fc.nat(300)], { numRuns: 150 })(
    "random records harm nobody",
    async (records, splitAt) => {
      const marked = records.map((record) =>
        Uint8Array.from([0x80, 0, record.length >> 8, record.length & 255, ...record]),
      );
      await survives(marked, splitAt);
    },
  );

  const spoiling = fc.array(fc.tuple(fc.nat(71), fc.nat(255)), { minLength: 1, maxLength: 4 });
  test.prop([fc.array(spoiling, { minLength: 1, maxLength: 6 }), fc.nat(72)], { numRuns: 300 })(
    "spoilt calls harm nobody",
    async (spoilings, splitAt) => {
      const calls = spoilings.map((spoilt) => {
        const call = goodCall();
        for (const [at, value] of spoilt) call[at] = value;
        return call;
      });
      await survives(calls, splitAt);
    },
  );

  it("calls that flood a connection that reads no replies are bounded", async () => {
    const talk = new Conversation({ server: { limits: { outputPerConnection: 50_000 } } });
    const [near, far] = memoryPipe(talk.clock);
    const connection = talk.server.accept(far)!;
    let offered = 0;
    for (; offered < 20_000; offered++) near.write([{ bytes: goodCall() }]);
    await talk.clock.runFor(1e6);
    expect(far.queued).toBeLessThan(60_000);
    expect(connection.callsWaiting).toBe(16);
    expect(connection.memoryUsed).toBeLessThan(1 << 13);
    near.abort();
    await talk.finish();
  });

  it("what goes wrong in a handler is published, not thrown", async () => {
    const published: unknown[] = [];
    const listen = (message: unknown): void => void published.push(message);
    channel(RpcChannel.error).subscribe(listen);
    const program = {
      program: ECHO,
      lowVersion: 1,
      highVersion: 1,
      dispatch: () => {
        throw new TypeError("a bug");
      },
    };
    const talk = new Conversation({ server: { programs: [program] } });
    const call = talk.client.call({ program: ECHO, version: 1, procedure: 1 }).catch((error: RpcError) => error.code);
    expect(await talk.run(call)).toBe("RPC_SYSTEM_ERR");
    channel(RpcChannel.error).unsubscribe(listen);
    expect(published).toMatchObject([{ error: { message: "a bug" }, call: { program: ECHO, procedure: 1 } }]);
    await talk.finish();
  });

  it("connections and their ends are published", async () => {
    const published: string[] = [];
    const opened = (): void => void published.push("open");
    const ended = (message: unknown): void => void published.push(`end ${(message as { error: RpcError }).error.code}`);
    channel(RpcChannel.connection).subscribe(opened);
    channel(RpcChannel.end).subscribe(ended);
    const talk = new Conversation();
    talk.connection.abort();
    await talk.finish();
    channel(RpcChannel.connection).unsubscribe(opened);
    channel(RpcChannel.end).unsubscribe(ended);
    expect(published).toEqual(["open", "open", "end RPC_CLOSED", "end RPC_DISCONNECTED"]);
  });
});

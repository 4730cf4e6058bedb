import { nodeConnector, nodeListener } from "@nfs4/bytestream";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { authSys } from "../src/auth/sys.ts";
import { RpcClient } from "../src/client.ts";
import { connectWithBackoff } from "../src/connect-with-backoff.ts";
import type { RpcError } from "../src/errors.ts";
import type { RpcProgram } from "../src/program.ts";
import { RpcServer } from "../src/server.ts";
import { ECHO, echoRequest, expectNothingHeld } from "./harness.ts";

const clock = nodeClock({ ref: false });
const random = cryptoRandom;

const program: RpcProgram = {
  program: ECHO,
  lowVersion: 2,
  highVersion: 2,
  async dispatch(call) {
    const echoed = call.args.opaque();
    if (call.procedure === 2) {
      const back = await call.connection.call(echoRequest(echoed));
      call.reply((writer) => writer.opaque(back));
    } else call.reply((writer) => writer.opaque(echoed));
  },
};

async function served() {
  const server = new RpcServer({ clock, random, programs: [program], poison: true });
  const listener = await nodeListener({ clock, host: "127.0.0.1" });
  server.serve(listener);
  const to = { address: "127.0.0.1", port: listener.localAddress.port };
  const connector = nodeConnector({ clock });
  const connect = async () => {
    const stream = await connectWithBackoff({ connector, to, clock, random, attempts: 3 });
    return new RpcClient({
      stream,
      environment: { clock, random, poison: true },
      programs: [program],
      timeoutMs: 30_000,
    });
  };
  return { server, connect };
}

describe("over kernel sockets", () => {
  it("many clients call, pipelined, in all sizes, and are called back", async () => {
    const { server, connect } = await served();
    const clients = await Promise.all([connect(), connect(), connect()]);
    const credential = authSys({ uid: 1, gid: 1, machineName: "here" });
    await Promise.all(
      clients.flatMap((client, n) =>
        Array.from({ length: 60 }, async (_, i) => {
          const data = new Uint8Array((i * i * 97) % 300_000).fill(i + n);
          const procedure = i % 5 === 0 ? 2 : 1;
          const answer = await client.call({ ...echoRequest(data, procedure), credential });
          expect(Buffer.compare(answer, data)).toBe(0);
        }),
      ),
    );
    expect(server.counters.calls).toBe(180);
    await Promise.all([...clients.map((client) => client.close()), server.close()]);
    expect(server.connections.size).toBe(0);
    expectNothingHeld(server.environment);
    for (const client of clients) expectNothingHeld(client.environment);
  });

  it("a server that aborts fails the calls of its clients", async () => {
    const { server, connect } = await served();
    const client = await connect();
    await client.call(echoRequest(new Uint8Array(10)));
    for (const connection of server.connections) connection.abort();
    const failure = await client.call(echoRequest(new Uint8Array(10))).catch((error: RpcError) => error.code);
    expect(failure).toBe("RPC_DISCONNECTED");
    await Promise.all([client.close(), server.close()]);
    expectNothingHeld(server.environment);
    expectNothingHeld(client.environment);
  });
});

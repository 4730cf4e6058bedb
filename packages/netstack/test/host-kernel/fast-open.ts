/** Fast Open (RFC 7413) with the kernel, which Node's sockets cannot do: python3 speaks for it. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { echo, equal, until } from "./exchange.ts";
import type { Scenario } from "./scenarios.ts";
import { KERNEL, OURS } from "./tun-stack.ts";
import type { World } from "./world.ts";

/** Apart from those of the other scenarios. */
const PORT = { 4: 4004, 6: 4006 } as const;

function speak(role: "client" | "server", address: string, port: number): { child: ChildProcess; lines: string[] } {
  const script = fileURLToPath(new URL("./fast-open.py", import.meta.url));
  const child = spawn("python3", [script, role, address, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line));
  return { child, lines };
}

/** The kernel asks for a cookie, then brings its question with the SYN. */
async function kernelCalls(world: World): Promise<void> {
  const { stack } = world.tun;
  const port = PORT[world.family];
  const listener = stack.tcp.listen({ port, fastOpen: true });
  listener.accept((stream) => echo(stream as TcpConnection));
  const { foTaken, foCookieGiven } = stack.tcp.statistics;
  const { child, lines } = speak("client", OURS[world.family], port);
  await until(() => child.exitCode !== null && lines.length === 2);
  await listener.close();
  equal(lines.join(), "True,True", "echoes");
  equal(stack.tcp.statistics.foCookieGiven - foCookieGiven, 1, "cookies given");
  equal(stack.tcp.statistics.foTaken - foTaken, 1, "connections with data in their SYN");
}

/** We ask for a cookie, then bring our question with the SYN. */
async function weCall(world: World): Promise<void> {
  const { stack } = world.tun;
  const port = PORT[world.family];
  const { child, lines } = speak("server", KERNEL[world.family], port);
  try {
    await until(() => lines.length === 1);
    for (const isFast of [false, true]) {
      const question = Buffer.alloc(1000, isFast ? 1 : 2);
      const to = { address: KERNEL[world.family], port };
      const connection = await stack.tcp.connect(to, { fastOpen: [{ bytes: question }] });
      let got = Buffer.alloc(0);
      connection.setSink({
        data: (slab, offset, length) => {
          got = Buffer.concat([got, slab.subarray(offset, offset + length)]);
          return length;
        },
        end: () => {},
      });
      connection.shutdown();
      equal((await connection.closed).how, "closed", "end");
      equal(Buffer.compare(got, question), 0, "echo");
      equal(connection.tcpInfo().fastOpen, isFast, "data taken with the SYN");
    }
  } finally {
    child.kill();
  }
}

export const FAST_OPEN: Scenario = {
  name: "Fast Open",
  async run(world) {
    // Client and server; this network namespace is ours.
    writeFileSync("/proc/sys/net/ipv4/tcp_fastopen", "3");
    await (world.opener === "ours" ? weCall(world) : kernelCalls(world));
  },
};

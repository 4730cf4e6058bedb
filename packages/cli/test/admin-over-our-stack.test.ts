import { once } from "node:events";
import { createServer, request } from "node:http";
import { adminRoutes } from "@nfs4/admin";
import { toDuplex } from "@nfs4/bytestream";
import { createStack, MemoryLink } from "@nfs4/netstack";
import { nodeClock, SeededRandom } from "@nfs4/timecounter";
import { expect, test } from "vitest";

const REPORT = { healthy: true, inGrace: false, uptimeSeconds: 7, problems: [] };

test("fastify answers over two stacks of ours: a Node server behind a Duplex over our TCP", async () => {
  using clock = nodeClock();
  const link = new MemoryLink(clock, { delay: 100 });
  await using server = createStack({ name: "server", clock, random: new SeededRandom(1) });
  await using client = createStack({ name: "client", clock, random: new SeededRandom(2) });
  server.addInterface({ name: "net0", driver: link.a }).addAddress("10.9.0.1/24");
  client.addInterface({ name: "net0", driver: link.b }).addAddress("10.9.0.2/24");

  const app = adminRoutes({ health: () => REPORT, metrics: () => [], clients: () => [], exports: () => [] });
  await app.ready();
  const http = createServer((incoming, outgoing) => app.routing(incoming, outgoing));
  server.tcp.listen({ port: 80 }).accept((stream) => http.emit("connection", toDuplex(stream, { clock })));

  const connection = toDuplex(await client.tcp.connect({ address: "10.9.0.1", port: 80 }), { clock });
  const asked = request({ createConnection: () => connection, path: "/healthz", headers: { connection: "close" } });
  asked.end();
  const [response] = await once(asked, "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  expect(response.statusCode).toBe(200);
  expect(JSON.parse(body)).toEqual(REPORT);
  expect(server.tcp.statistics.accepts).toBe(1);
  await app.close();
});

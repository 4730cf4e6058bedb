import { createHash } from "node:crypto";
import {
  askKernel,
  askOurs,
  block,
  echo,
  equal,
  expected,
  hashKernel,
  hashOurs,
  pumpKernel,
  pumpOurs,
  read,
  until,
} from "./exchange.ts";
import { FAST_OPEN } from "./fast-open.ts";
import type { Ends, World } from "./world.ts";

export interface Scenario {
  readonly name: string;
  run(world: World): Promise<void>;
}

function bulk(total: number): Scenario {
  return {
    name: "bulk both ways at once, contents compared",
    async run(world) {
      const { ours, kernel } = await world.open();
      const [up, down] = [block(1), block(2)];
      const atOurs = hashOurs(ours);
      const atKernel = hashKernel(kernel);
      await Promise.all([pumpOurs(ours, up, total), pumpKernel(kernel, down, total)]);
      ours.shutdown();
      kernel.end();
      equal(await atKernel, expected(up, total), "what the kernel received");
      equal(await atOurs, expected(down, total), "what we received");
      equal((await ours.closed).how, "closed", "end");
    },
  };
}

/** Where packets are lost, as much as takes some seconds. */
export const LITTLE_BULK: Scenario = bulk(4 << 20);

export const SCENARIOS: readonly Scenario[] = [
  bulk(24 << 20),
  {
    name: "request and reply",
    async run(world) {
      const { ours, kernel } = await world.open();
      ours.setNoDelay(true);
      // Whoever opens asks.
      const ask = world.opener === "ours" ? askKernel(ours, kernel) : askOurs(ours, kernel);
      for (let i = 0; i < 1000; i++) {
        const request = Buffer.alloc(1 + ((i * 37) % 3000), i & 255);
        equal(Buffer.compare(await ask(request), request), 0, `reply ${i}`);
      }
      if (world.opener === "ours") ours.shutdown();
      else kernel.end();
      equal((await ours.closed).how, "closed", "end");
    },
  },
  {
    name: "half-close, from either side",
    async run(world) {
      for (const first of ["ours", "kernel"] as const) {
        const { ours, kernel } = await world.open();
        const atOurs = hashOurs(ours);
        const atKernel = hashKernel(kernel);
        const data = block(3);
        if (first === "ours") {
          ours.shutdown();
          await new Promise((resolve) => kernel.once("end", resolve));
          await pumpKernel(kernel, data, 1 << 20);
          kernel.end();
        } else {
          kernel.end();
          await until(() => ours.tcpInfo().state === "CLOSE-WAIT");
          await pumpOurs(ours, data, 1 << 20);
          ours.shutdown();
        }
        const empty = createHash("sha1").digest("hex");
        equal(await atOurs, first === "ours" ? expected(data, 1 << 20) : empty, "what we received");
        equal(await atKernel, first === "ours" ? empty : expected(data, 1 << 20), "what the kernel received");
        equal((await ours.closed).how, "closed", "end");
      }
    },
  },
  {
    name: "reset, from either side",
    async run(world) {
      const one = await world.open();
      one.ours.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
      one.kernel.resetAndDestroy();
      equal((await one.ours.closed).how, "reset", "our end");
      const two = await world.open();
      const error = new Promise<NodeJS.ErrnoException>((resolve) => two.kernel.once("error", resolve));
      two.kernel.resume();
      two.ours.abort();
      equal((await error).code, "ECONNRESET", "the kernel's end");
      equal((await two.ours.closed).how, "aborted", "our end");
    },
  },
  {
    name: "zero window, of the kernel and of ours",
    async run(world) {
      const { ours, kernel } = await world.open();
      const data = block(4);
      const total = 16 << 20;
      kernel.pause();
      const { statistics } = world.tun.stack.tcp;
      const probes = statistics.sndProbe;
      const sent = pumpOurs(ours, data, total);
      await until(() => statistics.sndProbe > probes);
      equal(ours.tcpInfo().sendQueue > 0, true, "something waits");
      const atKernel = hashKernel(kernel);
      await sent;
      ours.shutdown();
      equal(await atKernel, expected(data, total), "what the kernel received");

      let open = false;
      const hash = createHash("sha1");
      const done = new Promise<void>((resolve) => {
        ours.setSink({
          data: (slab, offset, length) => {
            if (!open) return 0;
            hash.update(slab.subarray(offset, offset + length));
            return length;
          },
          end: resolve,
        });
      });
      const back = pumpKernel(kernel, data, total);
      await until(() => ours.tcpInfo().rcvWnd === 0);
      // The kernel probes with a number that was acknowledged before.
      const { segmentsReceived } = ours.tcpInfo();
      await until(() => ours.tcpInfo().segmentsReceived > segmentsReceived);
      open = true;
      ours.resume();
      await back;
      kernel.end();
      await done;
      equal(hash.digest("hex"), expected(data, total), "what we received");
      equal((await ours.closed).how, "closed", "end");
    },
  },
  {
    name: "1,000 connections at once",
    async run(world) {
      const ends: Ends[] = [];
      for (let i = 0; i < 20; i++) {
        ends.push(...(await Promise.all(Array.from({ length: 50 }, () => world.open()))));
      }
      equal(world.tun.stack.tcp.connectionCount >= 1000, true, "all are open");
      await Promise.all(
        ends.map(async ({ ours, kernel }, i) => {
          // The two lists need not pair up: each kernel socket talks to whichever connection is its own.
          echo(ours);
          const message = Buffer.from(`hello from ${i}`);
          kernel.write(message);
          equal((await read(kernel, message.length)).toString(), message.toString(), `echo ${i}`);
          kernel.end();
        }),
      );
      for (const { ours } of ends) equal((await ours.closed).how, "closed", "end");
    },
  },
  FAST_OPEN,
];

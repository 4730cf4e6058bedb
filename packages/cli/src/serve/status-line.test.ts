import { createServer, MemoryFileSystem } from "@nfs4/server";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { StatusLine, scaled } from "./status-line.ts";

/** What a status line writes to a terminal, or to what is none, within two seconds. */
async function written(terminal: { readonly isTTY: boolean; readonly columns?: number }): Promise<string[]> {
  const clock = new VirtualClock();
  const fileSystem = new MemoryFileSystem({ now: () => clock.wall() });
  const options = { clock, random: new SeededRandom(1), exports: [{ path: "/", fileSystem }] };
  const server = await clock.runToSettle(createServer(options));
  const texts: string[] = [];
  const status = new StatusLine({
    ...terminal,
    write: (text: string) => texts.push(text) > 0,
  } as unknown as NodeJS.WriteStream);
  status.start(server, clock);
  await clock.runFor(1.5e6);
  server.counters.operations[9] = 3000;
  await clock.runFor(1e6);
  status.tell("a client is gone");
  status.stop();
  await clock.runToSettle(server.close());
  return texts;
}

const IDLE = "0 clients, 0 connections | 0 ops/s | read 0 B/s | write 0 B/s";
const BUSY = "0 clients, 0 connections | 3.0 kops/s | read 0 B/s | write 0 B/s";
const CLEAR = "\r\x1b[K";

describe("the status line", () => {
  it("tells once a second what the server does, below what else is told, and goes away", async () => {
    expect(await written({ isTTY: true, columns: 100 })).toEqual([
      `${CLEAR}${IDLE}`,
      `${CLEAR}${BUSY}`,
      `${CLEAR}a client is gone\n${BUSY}`,
      CLEAR,
    ]);
  });

  it("fits the terminal, and one that does not know its width (0) is as wide as most", async () => {
    expect((await written({ isTTY: true, columns: 20 }))[0]).toBe(`${CLEAR}${IDLE.slice(0, 19)}`);
    expect((await written({ isTTY: true, columns: 0 }))[0]).toBe(`${CLEAR}${IDLE}`);
  });

  it("is nothing where the output is no terminal", async () => {
    expect(await written({ isTTY: false })).toEqual(["a client is gone\n"]);
  });

  it("scales numbers", () => {
    expect([0, 999, 1234, 12_345, 1_234_567, 5e12].map(scaled)).toEqual([
      "0 ",
      "999 ",
      "1.2 k",
      "12 k",
      "1.2 M",
      "5000 G",
    ]);
  });
});

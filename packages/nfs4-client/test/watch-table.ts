/** The rows of the table that are about `watch`. What is watched changes again and again, for nobody knows when watching has begun. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Case, Fs } from "./fs-table.ts";

interface Event {
  readonly eventType: string;
  readonly filename: string | null;
}

/** The first event, while `change` is called with 0, 1, 2 … */
async function firstEvent(
  fs: Fs,
  path: string,
  change: (count: number) => Promise<unknown>,
  options: object = {},
): Promise<Event> {
  // Ours looks every 10 ms.
  const events = fs
    .watch(path, { interval: 10, ...options } as object)
    [Symbol.asyncIterator]() as AsyncGenerator<Event>;
  let event: Event | null = null;
  const found = events.next().then(({ value }) => {
    event = value as Event;
  });
  for (let count = 0; event === null; count++) {
    await change(count);
    await sleep(5);
  }
  await found;
  await events.return(undefined);
  return event;
}

export const WATCH_CASES: readonly Case[] = [
  [
    "watch of a directory, where files come",
    async (fs, at) => {
      const { eventType, filename } = await firstEvent(fs, at, (count) => fs.writeFile(`${at}/new-${count}`, ""));
      return [eventType, filename?.slice(0, 4)];
    },
  ],
  [
    "watch of a directory, where a file changes",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      return firstEvent(fs, at, () => fs.appendFile(`${at}/a`, "more"));
    },
  ],
  [
    "watch of a directory, where directories come",
    async (fs, at) => {
      const { eventType, filename } = await firstEvent(fs, at, (count) => fs.mkdir(`${at}/new-${count}`));
      return [eventType, filename?.slice(0, 4)];
    },
  ],
  [
    "watch of a file",
    async (fs, at) => {
      await fs.writeFile(`${at}/a`, "");
      return firstEvent(fs, `${at}/a`, () => fs.appendFile(`${at}/a`, "more"));
    },
  ],
  [
    "watch of a directory and those below",
    async (fs, at) => {
      await fs.mkdir(`${at}/d/e`, { recursive: true });
      await fs.writeFile(`${at}/d/e/a`, "");
      return firstEvent(fs, at, () => fs.appendFile(`${at}/d/e/a`, "more"), { recursive: true });
    },
  ],
  [
    "watch with names in hex",
    async (fs, at) => {
      await fs.writeFile(`${at}/zz`, "");
      return firstEvent(fs, at, () => fs.appendFile(`${at}/zz`, "more"), { encoding: "hex" });
    },
  ],
  [
    "watch until a signal is aborted",
    async (fs, at) => {
      const controller = new AbortController();
      const ended = (async () => {
        for await (const _ of fs.watch(at, { signal: controller.signal }));
      })();
      setTimeout(() => controller.abort(), 20);
      await ended;
    },
  ],
  ["watch with a signal that is aborted", (fs, at) => first(fs.watch(at, { signal: AbortSignal.abort() }))],
  ["watch of nothing", (fs, at) => first(fs.watch(`${at}/nowhere`))],
  ["watch of a path that is none", (fs) => first(fs.watch(5 as never))],
  ["watch with options that are none", (fs, at) => first(fs.watch(at, 5 as never))],
  ["watch with an option of the wrong type", (fs, at) => first(fs.watch(at, { recursive: 1 as never }))],
  ["watch with a signal that is none", (fs, at) => first(fs.watch(at, { signal: 5 as never }))],
];

function first(events: unknown): Promise<unknown> {
  return (events as AsyncGenerator<Event>).next();
}

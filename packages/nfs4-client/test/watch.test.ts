/** `watch`, in virtual time. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NfsPromises, WatchOptions } from "../src/index.ts";
import { World } from "./world.ts";

let world: World;
let nfs: NfsPromises;
/** Whoever changes what the other watches. */
let other: NfsPromises;

beforeEach(async () => {
  world = await World.create();
  nfs = await world.connect();
  other = await world.connect();
  await world.run(other.mkdir("/d/sub", { recursive: true }));
  await world.run(other.writeFile("/d/a", "1"));
});
afterEach(() => world.finish());

interface Watching {
  readonly events: string[];
  readonly ended: Promise<unknown>;
  stop(): void;
}

async function watching(path: string, options: WatchOptions = {}): Promise<Watching> {
  const controller = new AbortController();
  const events: string[] = [];
  const run = async (): Promise<void> => {
    for await (const { eventType, filename } of nfs.watch(path, { signal: controller.signal, ...options }))
      events.push(`${eventType} ${filename}`);
  };
  const ended = run().catch((error: unknown) => error);
  // What there is must be known before it changes.
  await world.pass(0.5);
  return { events, ended, stop: () => controller.abort() };
}

/** Those that come within so many seconds. */
async function next({ events }: Watching, seconds = 1): Promise<readonly string[]> {
  await world.pass(seconds);
  return events.splice(0).sort();
}

async function finish({ ended, stop }: Watching): Promise<void> {
  stop();
  expect(await world.run(ended)).toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
}

describe("watch", () => {
  it("tells what comes, changes and goes in a directory", async () => {
    const watch = await watching("/d");
    await world.run(other.writeFile("/d/new", "1"));
    expect(await next(watch)).toEqual(["rename new"]);
    await world.run(other.writeFile("/d/a", "2"));
    expect(await next(watch)).toEqual(["change a"]);
    await world.run(other.chmod("/d/a", 0o600));
    expect(await next(watch)).toEqual(["change a"]);
    await world.run(other.rename("/d/new", "/d/moved"));
    expect(await next(watch)).toEqual(["rename moved", "rename new"]);
    await world.run(other.rename("/d/moved", "/d/a"));
    expect(await next(watch)).toEqual(["rename a", "rename moved"]);
    await world.run(other.unlink("/d/a"));
    expect(await next(watch)).toEqual(["rename a"]);
    expect(await next(watch, 10)).toEqual([]);
    await finish(watch);
  });

  it("says nothing of what is in directories below", async () => {
    const watch = await watching("/d");
    await world.run(other.writeFile("/d/sub/x", "1"));
    expect(await next(watch)).toEqual([]);
    await finish(watch);
  });

  it("says it if it is recursive, of new directories as well", async () => {
    const watch = await watching("/d", { recursive: true });
    await world.run(other.writeFile("/d/sub/x", "1"));
    expect(await next(watch)).toEqual(["rename sub/x"]);
    await world.run(other.mkdir("/d/sub/deep"));
    await world.run(other.writeFile("/d/sub/deep/y", "1"));
    expect(await next(watch)).toEqual(["rename sub/deep", "rename sub/deep/y"]);
    await world.run(other.appendFile("/d/sub/deep/y", "2"));
    expect(await next(watch)).toEqual(["change sub/deep/y"]);
    await world.run(other.rm("/d/sub", { recursive: true }));
    expect(await next(watch)).toEqual(["rename sub", "rename sub/deep", "rename sub/deep/y", "rename sub/x"]);
    await finish(watch);
  });

  it("watches a file, also when it is gone and comes again", async () => {
    const watch = await watching("/d/a");
    await world.run(other.appendFile("/d/a", "2"));
    expect(await next(watch)).toEqual(["change a"]);
    await world.run(other.unlink("/d/a"));
    expect(await next(watch)).toEqual(["rename a"]);
    expect(await next(watch, 5)).toEqual([]);
    await world.run(other.writeFile("/d/a", "3"));
    expect(await next(watch)).toEqual(["rename a"]);
    await finish(watch);
  });

  it("says that all is gone when the directory is", async () => {
    const watch = await watching("/d");
    await world.run(other.rm("/d", { recursive: true }));
    expect(await next(watch)).toEqual(["rename a", "rename sub"]);
    await finish(watch);
  });

  it("looks as often as it is told, and gives names as it is told", async () => {
    const watch = await watching("/d", { interval: 20_000, encoding: "hex" });
    await world.run(other.writeFile("/d/zz", "1"));
    expect(await next(watch, 15)).toEqual([]);
    expect(await next(watch, 10)).toEqual(["rename 7a7a"]);
    await finish(watch);
  });

  it("goes on when the server has restarted", async () => {
    const watch = await watching("/d");
    await world.restart();
    await world.pass(120);
    await world.run(other.writeFile("/d/new", "1"));
    expect(await next(watch, 30)).toEqual(["rename new"]);
    await finish(watch);
  });

  it("ends when the client is closed", async () => {
    const watch = await watching("/d");
    await world.run(nfs.close());
    expect(await world.run(watch.ended)).toMatchObject({ code: "ERR_CLOSED" });
  });

  it("sees in one look what has happened while nobody asked", async () => {
    const events = nfs.watch("/d");
    const first = events.next();
    await world.pass(0.5);
    await world.run(other.writeFile("/d/new", "1"));
    expect(await world.run(first)).toEqual({ done: false, value: { eventType: "rename", filename: "new" } });
    await world.run(other.writeFile("/d/newer", "1"));
    await world.pass(60);
    expect((await world.run(events.next())).value).toEqual({ eventType: "rename", filename: "newer" });
    await events.return();
  });
});

describe("the watcher of callbacks", () => {
  it("emits what happens, until it is closed", async () => {
    const seen: string[] = [];
    const watcher = nfs.callbacks.watch("/d", { interval: 100 }, (eventType, filename) =>
      seen.push(`${eventType} ${filename}`),
    );
    watcher.on("close", () => seen.push("close"));
    await world.pass(0.5);
    await world.run(other.writeFile("/d/new", "1"));
    await world.pass(1);
    watcher.close();
    await world.run(other.writeFile("/d/newer", "1"));
    await world.pass(1);
    expect(seen).toEqual(["rename new", "close"]);
  });

  it("emits an error if there is nothing to watch", async () => {
    const failure = new Promise((resolve) => nfs.callbacks.watch("/nowhere").on("error", resolve));
    expect(await world.run(failure)).toMatchObject({ code: "ENOENT", syscall: "watch", path: "/nowhere" });
  });
});

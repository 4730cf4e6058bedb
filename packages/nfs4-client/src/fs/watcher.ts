import { EventEmitter } from "node:events";
import type { Encoding } from "./data.ts";
import type { NfsPromises } from "./nfs-promises.ts";
import type { PathLike } from "./path.ts";
import type { WatchOptions } from "./watch.ts";

export type WatchListener = (eventType: "rename" | "change", filename: string) => void;

/** As `fs.FSWatcher`. That there is nothing to watch is an "error" event, where Node throws. */
export class Watcher extends EventEmitter {
  readonly #closing = new AbortController();

  constructor(nfs: NfsPromises, path: PathLike, options: WatchOptions) {
    super();
    const { signal } = options;
    signal?.addEventListener("abort", () => this.close(), { signal: this.#closing.signal });
    void this.#run(nfs, path, options);
    if (signal?.aborted === true) this.close();
  }

  async #run(nfs: NfsPromises, path: PathLike, options: WatchOptions): Promise<void> {
    const { signal } = this.#closing;
    try {
      for await (const { eventType, filename } of nfs.watch(path, { ...options, signal })) {
        if (signal.aborted) return;
        // What a listener throws is no failure of ours.
        queueMicrotask(() => this.emit("change", eventType, filename));
      }
    } catch (error) {
      if (!signal.aborted) queueMicrotask(() => this.emit("error", error));
    }
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    queueMicrotask(() => this.emit("close"));
  }

  /** Without effect: what keeps the process alive is the connection. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

export interface WatchFunction {
  (path: PathLike, listener?: WatchListener): Watcher;
  (path: PathLike, options: Encoding | WatchOptions | null | undefined, listener?: WatchListener): Watcher;
}

export function watchFunction(nfs: NfsPromises): WatchFunction {
  return (path: PathLike, ...rest: readonly unknown[]) => {
    const listener = rest.find((one) => typeof one === "function");
    const [first] = rest;
    const options = typeof first === "object" && first !== null ? first : {};
    const watcher = new Watcher(nfs, path, typeof first === "string" ? { encoding: first as Encoding } : options);
    if (listener !== undefined) watcher.on("change", listener as WatchListener);
    return watcher;
  };
}

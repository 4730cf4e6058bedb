/**
 * Tells whether a directory was changed by nobody but us between two moments, by counting the kernel's events (inotify(7)): then before and after of a change
 * info belong together, and clients keep what they have cached. Where a directory cannot be watched the answer is no.
 */
import { type FileCalls, IN, WatchReader } from "@nfs4/native";
import type { LocalNode } from "./local-node.ts";

/** Only what happens to entries: each create, link and unlink is one event, a rename one in each directory. */
const MASK = IN.CREATE | IN.DELETE | IN.MOVED_FROM | IN.MOVED_TO | IN.ONLYDIR;
const BUFFER_BYTES = 16_384;
/** As many as can be half of a page of events behind a full buffer. */
const LARGEST_EVENT = 300;

export class DirectoryWatches {
  readonly #calls: FileCalls;
  readonly #fd: number;
  readonly #buffer: Uint8Array = new Uint8Array(BUFFER_BYTES);
  readonly #watched: Map<number, LocalNode> = new Map();

  private constructor(calls: FileCalls, fd: number) {
    this.#calls = calls;
    this.#fd = fd;
  }

  /** Null if the user may have no more of these. */
  static open(calls: FileCalls): DirectoryWatches | null {
    const fd = calls.sync.watchOpen();
    return fd < 0 ? null : new DirectoryWatches(calls, fd);
  }

  /** The owner closes it. */
  get fd(): number {
    return this.#fd;
  }

  /** Begins, or goes on, watching a live node that is a directory: how many events there were, for `since`. Null: it cannot be watched. */
  mark(fd: number, node: LocalNode): number | null {
    if (node.watch < 0) {
      const watch = this.#calls.sync.watchAdd(this.#fd, fd, MASK);
      if (watch < 0) return null;
      node.watch = watch;
      this.#watched.set(watch, node);
    }
    this.#count();
    return node.events;
  }

  /** How many events there were since `mark`; Infinity if that is not known. */
  since(node: LocalNode, mark: number | null): number {
    if (mark === null || node.watch < 0) return Number.POSITIVE_INFINITY;
    this.#count();
    return node.events - mark;
  }

  /** The node is live no more. */
  retire(node: LocalNode): void {
    if (node.watch < 0) return;
    this.#calls.sync.watchRemove(this.#fd, node.watch);
    this.#watched.delete(node.watch);
    node.watch = -1;
  }

  #count(): void {
    for (;;) {
      const length = this.#calls.sync.watchRead(this.#fd, this.#buffer);
      if (length <= 0) return;
      for (const reader = new WatchReader(this.#buffer, length); reader.next(); ) {
        if (reader.mask & IN.Q_OVERFLOW) this.#lostCount();
        else if (reader.named) {
          const node = this.#watched.get(reader.watch);
          if (node) node.events++;
        }
      }
      if (length < BUFFER_BYTES - LARGEST_EVENT) return;
    }
  }

  /** Events were dropped: more happened everywhere than anybody expects. */
  #lostCount(): void {
    for (const node of this.#watched.values()) node.events += 1_000_000;
  }
}

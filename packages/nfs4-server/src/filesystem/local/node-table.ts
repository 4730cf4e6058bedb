/**
 * The live nodes and their descriptors, of which there is a bounded number: a descriptor is opened by key when it is needed and closed when it has not been
 * used for a while, for as long as it is open the kernel keeps the inode, and the space of a file that somebody else has deleted.
 */
import type { FileCalls } from "@nfs4/native";
import type { Callout, Clock } from "@nfs4/timecounter";
import { whenReady } from "../chain.ts";
import { isErrno } from "../errno.ts";
import type { Awaitable, Result } from "../types.ts";
import type { ChangeAttributes } from "./change-attribute.ts";
import type { DirectoryWatches } from "./directory-watches.ts";
import { idOf, LocalNode } from "./local-node.ts";
import type { Found, NodeKeys } from "./node-keys.ts";

/** A descriptor that was not used for one to two of these rounds is closed. */
const SWEEP_US = 2_000_000;

export interface NodeTableOptions {
  readonly calls: FileCalls;
  readonly keys: NodeKeys;
  readonly changes: ChangeAttributes;
  readonly watches: DirectoryWatches | null;
  /** How many nodes may be live that nobody has open. */
  readonly limit: number;
  readonly clock?: Clock | undefined;
}

export class NodeTable {
  readonly #calls: FileCalls;
  readonly #keys: NodeKeys;
  readonly #changes: ChangeAttributes;
  readonly #watches: DirectoryWatches | null;
  readonly #limit: number;
  /** How many to keep when there are too many. */
  readonly #target: number;
  readonly #live: Map<string, LocalNode> = new Map();
  readonly #sweep: Callout | null;
  /** Live nodes that somebody has open. */
  #pinned = 0;
  /** Calls under way, of all nodes. */
  #holds = 0;
  #closing = false;
  #drained: (() => void) | null = null;

  constructor({ calls, keys, changes, watches, limit, clock }: NodeTableOptions) {
    this.#calls = calls;
    this.#keys = keys;
    this.#changes = changes;
    this.#watches = watches;
    this.#limit = limit;
    this.#target = Math.floor(limit * 0.875);
    this.#sweep = clock?.callout(() => this.#round()) ?? null;
  }

  /** Descriptors that are open for nodes. */
  get openDescriptors(): number {
    let count = 0;
    for (const node of this.#live.values()) if (node.fd >= 0) count++;
    return count;
  }

  /** The node of a key. Takes over the descriptor that came with it. */
  node({ key, fd }: Found): LocalNode {
    const id = idOf(key);
    let node = this.#live.get(id);
    if (!node) {
      node = new LocalNode(key, id);
      if (fd < 0) return node;
      this.#enliven(node);
    }
    this.#adopt(node, fd);
    return node;
  }

  /** The node of a key that comes from outside. The bytes are borrowed. */
  resolve(key: Uint8Array): Awaitable<Result<LocalNode>> {
    if (this.#closing) return "ESTALE";
    const known = this.find(key);
    if (known && known.fd >= 0) {
      known.used = true;
      return known;
    }
    const own = key.slice();
    this.#holds++;
    return whenReady(this.#keys.open(own), (opened) => {
      const node = isErrno(opened) ? opened : this.node({ key: own, fd: opened.fd });
      this.#ended();
      return node;
    });
  }

  /** The live node of an inode if there is one. */
  find(key: Uint8Array): LocalNode | undefined {
    return this.#live.get(idOf(key));
  }

  /** The live node that stands for this one, itself from now on if there is none. */
  live(node: LocalNode): LocalNode {
    node.used = true;
    if (node.live) return node;
    const other = this.#live.get(node.id);
    if (other) {
      other.used = true;
      return other;
    }
    this.#enliven(node);
    return node;
  }

  /** Does something with a node's O_PATH descriptor, which stays open meanwhile. */
  use<T>(node: LocalNode, action: (fd: number, node: LocalNode) => Awaitable<Result<T>>): Awaitable<Result<T>> {
    if (this.#closing && this.#holds === 0) return "ESTALE";
    const live = this.live(node);
    if (live.fd >= 0) return this.#held(live, action);
    this.#holds++;
    return whenReady(this.#open(live), (opened) => {
      const answer = isErrno(opened) ? opened : this.#held(this.live(live), action);
      this.#ended();
      return answer;
    });
  }

  #held<T>(node: LocalNode, action: (fd: number, node: LocalNode) => Awaitable<Result<T>>): Awaitable<Result<T>> {
    node.holds++;
    this.#holds++;
    let answer: Awaitable<Result<T>>;
    try {
      answer = action(node.fd, node);
    } catch (error) {
      this.#release(node);
      throw error;
    }
    if (answer instanceof Promise) return answer.finally(() => this.#release(node));
    this.#release(node);
    return answer;
  }

  #release(node: LocalNode): void {
    node.holds--;
    if (node.unlinked) this.#retireIfUnused(node);
    this.#ended();
  }

  #ended(): void {
    if (--this.#holds === 0) this.#drained?.();
  }

  /** Keeps a node live until `unpin`: somebody has it open. Its descriptor must be open. */
  pin(node: LocalNode): void {
    if (node.opens++ === 0) this.#pinned++;
  }

  unpin(node: LocalNode): void {
    if (--node.opens > 0) return;
    this.#pinned--;
    if (this.#live.size - this.#pinned > this.#limit) this.#shrink(this.#pinned + this.#target);
    if (node.unlinked) this.#retireIfUnused(node);
  }

  /** The inode has lost a name, and must not live on by our descriptor: it is closed as soon as nobody uses it. */
  lostName(node: LocalNode): void {
    node.unlinked = true;
    this.#retireIfUnused(node);
  }

  #retireIfUnused(node: LocalNode): void {
    if (node.live && node.opens === 0 && node.holds === 0) this.#retire(node);
  }

  /** Resolves when nothing is under way; from then on `use` answers ESTALE. */
  async drain(): Promise<void> {
    this.#closing = true;
    this.#sweep?.cancel();
    if (this.#holds > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
  }

  /** Closes every descriptor, after `drain`. */
  dispose(close: (fd: number) => void): void {
    for (const node of this.#live.values()) {
      if (node.fd >= 0) close(node.fd);
      node.fd = -1;
      node.live = false;
    }
    this.#live.clear();
  }

  #open(node: LocalNode): Awaitable<Result<true>> {
    return whenReady(this.#keys.open(node.key), (opened): Awaitable<Result<true>> => {
      if (opened === "EMFILE" || opened === "ENFILE") {
        // Others in this process take descriptors too: give all back that can be spared, and try once more.
        if (this.#shrink(0) === 0) return opened;
        return whenReady(this.#keys.open(node.key), (again) => this.#opened(node, again));
      }
      return this.#opened(node, opened);
    });
  }

  #opened(node: LocalNode, opened: Result<{ readonly fd: number }>): Result<true> {
    if (isErrno(opened)) {
      if (node.fd < 0) this.#retireIfUnused(node);
      return opened;
    }
    const live = this.live(node);
    this.#adopt(live, opened.fd);
    return true;
  }

  #adopt(node: LocalNode, fd: number): void {
    if (fd < 0) return;
    if (node.fd >= 0) this.#calls.sync.close(fd);
    else node.fd = fd;
  }

  #enliven(node: LocalNode): void {
    if (this.#live.size - this.#pinned >= this.#limit) this.#shrink(this.#pinned + this.#target);
    node.live = true;
    node.used = true;
    this.#live.set(node.id, node);
    if (this.#sweep && !this.#sweep.armed && !this.#closing) this.#sweep.scheduleAfter(SWEEP_US);
  }

  #retire(node: LocalNode): void {
    this.#changes.retire(node);
    this.#watches?.retire(node);
    node.permissions = null;
    node.unlinked = false;
    this.#live.delete(node.id);
    node.live = false;
    if (node.fd >= 0) this.#calls.sync.close(node.fd);
    node.fd = -1;
  }

  /** Retires nodes until there are `target`: those not used since they were looked at last, in their order; then others. Returns how many. */
  #shrink(target: number): number {
    const before = this.#live.size;
    for (let round = 0; round < 2 && this.#live.size > target; round++) {
      for (const node of this.#live.values()) {
        if (this.#live.size <= target) break;
        if (node.opens > 0 || node.holds > 0) continue;
        if (node.used && round === 0) node.used = false;
        else this.#retire(node);
      }
    }
    return before - this.#live.size;
  }

  #round(): void {
    for (const node of this.#live.values()) {
      if (node.opens > 0 || node.holds > 0) continue;
      if (node.used) node.used = false;
      else this.#retire(node);
    }
    if (this.#live.size > 0 && !this.#closing) this.#sweep?.scheduleAfter(SWEEP_US);
  }
}

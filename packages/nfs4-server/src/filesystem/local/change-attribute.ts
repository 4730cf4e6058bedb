/**
 * The change attribute: ctime in nanoseconds, or one more than what was given out last where ctime has not moved although we have changed the inode (a
 * kernel's clock may tick only every 4 ms). So every change of ours shows; one of somebody else on the disk shows as far as ctime tells.
 */
import type { Statx } from "@nfs4/native";
import { ctimeOf } from "./attributes.ts";
import type { LocalNode } from "./local-node.ts";

const MAX_REMEMBERED = 16_384;

export class ChangeAttributes {
  /** What was given out for nodes that are no longer live, where it is greater than their ctime. */
  readonly #remembered: Map<string, bigint> = new Map();

  /** The change attribute to give out, by fresh attributes. */
  report(node: LocalNode, statx: Statx): bigint {
    const ctime = ctimeOf(statx);
    const last = node.reported >= 0n ? node.reported : this.#last(node.id);
    if (!node.live) return ctime > last ? ctime : last;
    node.ahead = ctime <= last;
    node.reported = node.ahead ? (node.changed ? last + 1n : last) : ctime;
    if (node.reported === ctime) node.ahead = false;
    node.changed = false;
    return node.reported;
  }

  /** The node is live no more. */
  retire(node: LocalNode): void {
    if (node.reported < 0n) return;
    if (node.changed || node.ahead) {
      this.#remembered.delete(node.id);
      this.#remembered.set(node.id, node.changed ? node.reported + 1n : node.reported);
      if (this.#remembered.size > MAX_REMEMBERED) {
        for (const oldest of this.#remembered.keys()) {
          this.#remembered.delete(oldest);
          break;
        }
      }
    } else {
      this.#remembered.delete(node.id);
    }
    node.reported = -1n;
    node.changed = false;
    node.ahead = false;
  }

  #last(id: string): bigint {
    return this.#remembered.size === 0 ? -1n : (this.#remembered.get(id) ?? -1n);
  }
}

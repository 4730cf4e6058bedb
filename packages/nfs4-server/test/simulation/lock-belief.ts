/** Who believes to hold a lock: never two at once (RFC 8881 §9.1, §9.6). */
import type { Held, SimulatedClient } from "./simulated-client.ts";

export class LockBelief {
  readonly #holders: Map<SimulatedClient, Held> = new Map();

  /** The lock was granted. Throws if somebody else believes to have it. */
  granted(client: SimulatedClient, held: Held): void {
    for (const [other, theirs] of this.#holders) {
      if (other !== client && believes(other, theirs))
        throw new Error(`${client.name} was granted a lock that ${other.name} holds`);
    }
    this.#holders.set(client, held);
  }

  /** False once its lease has run out by its own reckoning, or it has learnt that the lock is gone. */
  holds(client: SimulatedClient): boolean {
    const held = this.#holders.get(client);
    return held !== undefined && believes(client, held);
  }

  released(client: SimulatedClient): void {
    this.#holders.delete(client);
  }
}

/** A client that has restarted holds nothing of what it held before. */
function believes(client: SimulatedClient, held: Held): boolean {
  return !held.lost && client.held.has(held) && client.leaseRuns;
}

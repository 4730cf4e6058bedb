import type { Callout } from "@nfs4/timecounter";
import type { RpcConnection } from "./connection.ts";
import type { RpcEnvironment } from "./environment.ts";
import { RpcError } from "./errors.ts";
import { FREE_BYTES } from "./record-reader.ts";

/**
 * Makes room among strangers. When all the memory for them is held by records that do not get finished, those that have been at it longest are
 * cut off, as many as others wait: else a few hundred silent connections would keep every new client's larger calls out until their deadline.
 */
export class StrangerEvictor {
  readonly #environment: RpcEnvironment;
  readonly #connections: ReadonlySet<RpcConnection>;
  readonly #timer: Callout;
  readonly #grace: number;

  constructor(environment: RpcEnvironment, connections: ReadonlySet<RpcConnection>) {
    this.#environment = environment;
    this.#connections = connections;
    this.#grace = environment.limits.strangerGraceMs * 1000;
    this.#timer = environment.clock.callout(() => this.#evict());
  }

  /** A stranger's record has found no memory. */
  readonly onShort = (): void => {
    if (!this.#timer.armed) this.#timer.scheduleAfter(this.#grace);
  };

  close(): void {
    this.#timer.cancel();
  }

  #evict(): void {
    const waiting = this.#environment.strangers.memory.waiting;
    if (waiting === 0) return;
    const latest = this.#environment.clock.coarse() - this.#grace;
    const candidates: { readonly connection: RpcConnection; readonly since: number }[] = [];
    for (const connection of this.#connections) {
      const since = connection.receivingSince;
      if (!connection.stranger || since === null || since > latest || connection.memoryUsed <= FREE_BYTES) continue;
      candidates.push({ connection, since });
    }
    candidates.sort((a, b) => a.since - b.since);
    for (const { connection } of candidates.slice(0, waiting)) {
      this.#environment.counters.strangersEvicted++;
      this.#environment.counters.connectionsAborted++;
      connection.abort(new RpcError("RPC_RECEIVE_TIMEOUT", "a stranger's unfinished record had to make room"));
    }
    this.#timer.scheduleAfter(this.#grace);
  }
}

import type { Callout } from "@nfs4/timecounter";
import type { RpcConnection } from "./connection.ts";
import type { RpcEnvironment } from "./environment.ts";
import { RpcError } from "./errors.ts";

interface Candidate {
  readonly connection: RpcConnection;
  readonly since: number;
}

const byAge = (a: Candidate, b: Candidate): number => a.since - b.since;

/**
 * Makes room among strangers. When all the memory for them is held by records that do not get finished, those that have been at it longest are
 * cut off until there is room: else a few hundred silent connections would keep every new client's larger calls out until their deadline.
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
    const { memory } = this.#environment.strangers;
    if (memory.waiting === 0) return;
    const latest = this.#environment.clock.coarse() - this.#grace;
    const silent: Candidate[] = [];
    const waiting: Candidate[] = [];
    for (const connection of this.#connections) {
      const since = connection.receivingSince;
      if (!connection.stranger || since === null || since > latest || connection.memoryUsed === 0) continue;
      (connection.waitsForMemory ? waiting : silent).push({ connection, since });
    }
    // If only those are left whose peers we keep waiting, each with a part of the memory, one must give way to the others.
    const victims = silent.length > 0 ? silent.sort(byAge) : waiting.sort(byAge).slice(0, 1);
    for (const { connection } of victims) {
      if (memory.shortfall === 0) break;
      this.#environment.counters.strangersEvicted++;
      this.#environment.counters.connectionsAborted++;
      connection.abort(new RpcError("RPC_RECEIVE_TIMEOUT", "a stranger's unfinished record had to make room"));
    }
    this.#timer.scheduleAfter(this.#grace);
  }
}

import type { Callout } from "@nfs4/timecounter";
import type { RpcConnection } from "./connection.ts";
import type { RpcEnvironment } from "./environment.ts";
import { RpcError } from "./errors.ts";
import type { LoadShare } from "./load-share.ts";

/** So many may wait for memory of a share. Where more do, those are in each other's way, and the ones that came last have the best chance. */
const MAX_WAITING = 256;

interface Candidate {
  readonly connection: RpcConnection;
  readonly since: number;
}

const byAge = (a: Candidate, b: Candidate): number => a.since - b.since;

/**
 * Makes room. Nobody may keep others out by holding what they wait for: connections beyond a number, memory of records that do not get finished, replies
 * that are not read. Whoever has been at it for longest is cut off, strangers soon and only for strangers' sake, clients after a while.
 */
export class Evictor {
  readonly #environment: RpcEnvironment;
  readonly #connections: ReadonlySet<RpcConnection>;
  /** In the order in which they came; some have been admitted meanwhile. */
  readonly #strangers: Set<RpcConnection> = new Set();
  readonly #timer: Callout;

  constructor(environment: RpcEnvironment, connections: ReadonlySet<RpcConnection>) {
    this.#environment = environment;
    this.#connections = connections;
    this.#timer = environment.clock.callout(() => this.#evict());
  }

  /** Somebody has to wait. */
  readonly onShort = (): void => {
    if (!this.#timer.armed) this.#timer.scheduleAfter(this.#environment.limits.strangerGraceMs * 1000);
  };

  /** A connection was accepted; if there are too many strangers now, the first of them goes. */
  opened(connection: RpcConnection): void {
    const { counters, limits } = this.#environment;
    this.#strangers.add(connection);
    for (const oldest of this.#strangers) {
      if (this.#strangers.size <= limits.strangers) return;
      this.#strangers.delete(oldest);
      if (!oldest.stranger || oldest.ended) continue;
      counters.strangersReplaced++;
      this.#cutOff(oldest, "a stranger had to make room for another");
    }
  }

  closed(connection: RpcConnection): void {
    this.#strangers.delete(connection);
  }

  close(): void {
    this.#timer.cancel();
  }

  #evict(): void {
    const { strangers, all, limits } = this.#environment;
    const waiting = [
      this.#makeRoom(strangers, limits.strangerGraceMs, ({ stranger }) => stranger),
      this.#makeRoom(all, limits.clientGraceMs, () => true),
    ];
    if (waiting.includes(true)) this.onShort();
  }

  /** Returns whether somebody waited for something of the share. */
  #makeRoom(share: LoadShare, graceMs: number, concerns: (connection: RpcConnection) => boolean): boolean {
    const { memory, output } = share;
    const latest = this.#environment.clock.coarse() - graceMs * 1000;
    const waited = memory.waiting > 0 || output.waiting > 0 || share.calls.waiting > 0;
    if (memory.waiting > 0) this.#freeMemory(share, latest, concerns);
    if (output.waiting > 0) this.#freeOutput(share, latest, concerns);
    return waited;
  }

  #freeMemory({ memory }: LoadShare, latest: number, concerns: (connection: RpcConnection) => boolean): void {
    const silent: Candidate[] = [];
    const waiting: Candidate[] = [];
    for (const connection of this.#connections) {
      const since = connection.receivingSince;
      if (!concerns(connection) || since === null || since > latest || connection.memoryUsed === 0) continue;
      (connection.waitsForMemory ? waiting : silent).push({ connection, since });
    }
    for (const { connection } of silent.sort(byAge)) {
      if (memory.shortfall === 0) break;
      this.#evicted(connection, "an unfinished record had to make room");
    }
    // If only those are left whose peers we keep waiting, each with a part of the memory, one must give way to the others.
    const tooMany = Math.max(memory.waiting - MAX_WAITING, silent.length > 0 ? 0 : 1);
    for (const { connection } of waiting.sort(byAge).slice(0, tooMany)) {
      if (memory.shortfall === 0) break;
      this.#evicted(connection, "too many unfinished records waited for memory");
    }
  }

  #freeOutput({ output }: LoadShare, latest: number, concerns: (connection: RpcConnection) => boolean): void {
    const holders: Candidate[] = [];
    for (const connection of this.#connections) {
      const since = connection.unreadSince;
      if (concerns(connection) && since !== null && since <= latest) holders.push({ connection, since });
    }
    for (const { connection } of holders.sort(byAge)) {
      if (output.shortfall === 0) break;
      this.#evicted(connection, "replies that were not read had to make room");
    }
  }

  #evicted(connection: RpcConnection, why: string): void {
    this.#environment.counters.evicted++;
    this.#cutOff(connection, why);
  }

  #cutOff(connection: RpcConnection, why: string): void {
    this.#environment.counters.connectionsAborted++;
    connection.abort(new RpcError("RPC_EVICTED", why));
  }
}

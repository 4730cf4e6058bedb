/**
 * After a restart only clients that held state before may take it back, until all have done so or the time is up (RFC 8881 §8.4.2). Without such clients
 * there is no grace at all.
 */
import type { Callout, Clock } from "@nfs4/timecounter";

export interface GracePeriodOptions {
  readonly clock: Clock;
  readonly seconds: number;
  /** Owner strings ("4.0:…", "4.1:…") that the recovery journal knows. */
  readonly reclaimers: Iterable<string>;
  readonly ended: () => void;
}

export class GracePeriod {
  readonly #clock: Clock;
  readonly #callout: Callout;
  readonly #seconds: number;
  /** Those that may still reclaim. */
  readonly #pending: Set<string>;
  readonly #mayReclaim: ReadonlySet<string>;
  readonly #ended: () => void;
  readonly #latestEnd: number;
  #active: boolean;

  constructor(options: GracePeriodOptions) {
    this.#clock = options.clock;
    this.#seconds = options.seconds;
    this.#pending = new Set(options.reclaimers);
    this.#mayReclaim = new Set(this.#pending);
    this.#ended = options.ended;
    this.#active = this.#pending.size > 0;
    this.#callout = options.clock.callout(() => this.end());
    const now = options.clock.coarse();
    // Reclaims that keep coming extend it, up to twice its length (as knfsd does).
    this.#latestEnd = now + 2 * options.seconds * 1e6;
    if (this.#active) this.#callout.schedule(now + options.seconds * 1e6);
    else options.ended();
  }

  get active(): boolean {
    return this.#active;
  }

  /** Uptime (µs) at which it ends if nobody extends it. */
  get deadline(): number {
    return this.#callout.deadline;
  }

  /** True if this owner held state before the restart and grace still runs. */
  mayReclaim(owner: string): boolean {
    return this.#active && this.#mayReclaim.has(owner);
  }

  /** A reclaim came: give its client time for the next one. */
  extend(): void {
    if (!this.#active) return;
    const wished = this.#clock.coarse() + Math.min(this.#seconds, 5) * 1e6;
    if (wished > this.#callout.deadline) this.#callout.schedule(Math.min(wished, this.#latestEnd));
  }

  /** This owner has reclaimed everything (RECLAIM_COMPLETE). Ends grace if it was the last. */
  complete(owner: string): void {
    if (this.#pending.delete(owner) && this.#pending.size === 0) this.end();
  }

  /** The server stops: no callout stays behind. */
  stop(): void {
    this.#callout.cancel();
  }

  end(): void {
    if (!this.#active) return;
    this.#active = false;
    this.#callout.cancel();
    this.#ended();
  }
}

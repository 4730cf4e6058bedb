import type { Clock, RandomSource } from "@nfs4/timecounter";

/** Closing times are kept in tenths of a second: 2^32 of them are 13 years. */
const TICK_US = 100_000;
const PORTS = 65_536;
/** Ports that one choice looks at before it takes the one of them that has been quiet longest. */
const PROBES = 64;

/**
 * Ephemeral ports, drawn at random (RFC 6056 algorithm 2), so that neither a bystander nor the peer can foretell the next one; but none that was
 * closed less than a quiet time ago, for its last peer may still hold the old connection in TIME-WAIT. An array tells when each port was last closed.
 *
 * With `rate` connections a second and `n` ports, a share f = rate × quiet / n of them is not quiet. A choice looks at 1 / (1 − f) ports on average, and with
 * probability f^64 finds none among 64: once in a million choices at f = 0.8, once in 850 at 0.9. Then it takes what has been quiet longest of
 * those that it saw, which is among the oldest 1/65 of all. So the array carries 0.8 × n / quiet connections a second, and degrades beyond.
 */
export class EphemeralPorts {
  /** Choices that had to take a port before its time; ports looked at in all. */
  early = 0;
  looks = 0;
  readonly #random: RandomSource;
  readonly #clock: Clock;
  readonly #quietUs: () => number;
  /** Tick at which each port was last closed, counted from 1; 0: never. Made with the first entry. */
  #closedAt: Uint32Array | null = null;

  constructor(random: RandomSource, clock: Clock, quietUs: () => number) {
    this.#random = random;
    this.#clock = clock;
    this.#quietUs = quietUs;
  }

  /** A connection from this port has ended. */
  closed(port: number): void {
    this.#closedAt ??= new Uint32Array(PORTS);
    this.#closedAt[port] = this.#tick();
  }

  /** A port from `first` to `last` that `isFree` agrees to, or −1 when it agrees to none. */
  choose(first: number, last: number, isFree: (port: number) => boolean): number {
    const count = last - first + 1;
    if (count <= 0) return -1;
    const latest = this.#latestQuiet();
    let oldest = -1;
    for (let i = 0; i < PROBES; i++) {
      const port = first + (this.#random.uint32() % count);
      this.looks++;
      const at = this.#closedAtOf(port);
      if (at > latest && oldest >= 0 && at >= this.#closedAtOf(oldest)) continue;
      if (!isFree(port)) continue;
      if (at <= latest) return port;
      oldest = port;
    }
    if (oldest < 0) oldest = this.#search(first, count, isFree, latest);
    if (oldest >= 0 && this.#closedAtOf(oldest) > latest) this.early++;
    return oldest;
  }

  /** Next to nothing is free: looks at every port, from a random one on, for one that is quiet or has been longest. */
  #search(first: number, count: number, isFree: (port: number) => boolean, latest: number): number {
    const start = this.#random.uint32() % count;
    let oldest = -1;
    for (let i = 0; i < count; i++) {
      const port = first + ((start + i) % count);
      this.looks++;
      if (oldest >= 0 && this.#closedAtOf(port) >= this.#closedAtOf(oldest)) continue;
      if (!isFree(port)) continue;
      oldest = port;
      if (this.#closedAtOf(port) <= latest) break;
    }
    return oldest;
  }

  #closedAtOf(port: number): number {
    return this.#closedAt === null ? 0 : this.#closedAt[port]!;
  }

  #tick(): number {
    return 1 + Math.floor(this.#clock.coarse() / TICK_US);
  }

  /** The last tick at which a port may have been closed that is quiet now. */
  #latestQuiet(): number {
    return Math.max(0, this.#tick() - Math.ceil(this.#quietUs() / TICK_US));
  }
}

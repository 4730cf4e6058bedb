import type { RandomSource } from "@nfs4/timecounter";
import { SipHash } from "./siphash.ts";

/** Counters shared between destinations: RFC 6056 §3.3.4 advises 10 at least. */
const COUNTERS = 1024;

/**
 * Ephemeral ports by RFC 6056 algorithm 4 (double-hash): each destination walks the range from an offset of its own, and destinations share
 * a table of counters, so that one cannot be told from another's ports.
 */
export class EphemeralPorts {
  readonly #offsets: SipHash;
  readonly #indices: SipHash;
  readonly #counters: Uint32Array = new Uint32Array(COUNTERS);

  constructor(random: RandomSource) {
    this.#offsets = new SipHash(random.fill(new Uint8Array(16)));
    this.#indices = new SipHash(random.fill(new Uint8Array(16)));
    for (let i = 0; i < COUNTERS; i++) this.#counters[i] = random.uint32();
  }

  /**
   * A port from `first` to `last` that `isFree` agrees to, or −1 when none is. `l0 … l3`, `r0 … r3` and `remotePort` are the ends that it is for.
   */
  choose(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    remotePort: number,
    first: number,
    last: number,
    isFree: (port: number) => boolean,
  ): number {
    const count = last - first + 1;
    if (count <= 0) return -1;
    const hash = (sip: SipHash): number =>
      sip.begin().word(l0).word(l1).word(l2).word(l3).word(r0).word(r1).word(r2).word(r3).word(remotePort).end();
    const offset = hash(this.#offsets);
    const index = hash(this.#indices) % COUNTERS;
    for (let tries = 0; tries < count; tries++) {
      const counter = this.#counters[index]!;
      this.#counters[index] = counter + 1;
      const port = first + ((offset + counter) % count);
      if (isFree(port)) return port;
    }
    return -1;
  }
}

import type { Clock } from "@nfs4/timecounter";
import type { FlowKey } from "./flow.ts";
import { beginWithEnds } from "./hash-ends.ts";
import { SipHash } from "./siphash.ts";

/**
 * What a connection begins with that an outsider must not guess: its initial sequence number (RFC 6528: M + F(ends, secret), M ticking every
 * 4 µs) and the offset of its timestamps (RFC 7323 §5.4). Both clocks count from the wall clock's epoch as it stood when this was made: a stack that
 * starts again with the same secret goes on where the last one was, and no step of the wall clock moves them.
 */
export class InitialNumbers {
  readonly #clock: Clock;
  readonly #isn: SipHash;
  readonly #timestamp: SipHash;
  /** Wall clock at uptime 0, in units of 4 µs and in ms, modulo 2^32. */
  readonly #bootTicks: number;
  readonly bootMs: number;

  /** `secret`: 32 bytes. */
  constructor(clock: Clock, secret: Uint8Array) {
    if (secret.length !== 32) throw new RangeError(`the secret has ${secret.length} bytes, not 32`);
    this.#clock = clock;
    this.#isn = new SipHash(secret.subarray(0, 16));
    this.#timestamp = new SipHash(secret.subarray(16, 32));
    const { seconds, nanoseconds } = clock.wall();
    const bootUs = seconds * 1e6 + Math.floor(nanoseconds / 1000) - clock.coarse();
    this.#bootTicks = Math.floor(bootUs / 4) % 0x1_0000_0000;
    this.bootMs = Math.floor(bootUs / 1000) % 0x1_0000_0000;
  }

  sequence(key: FlowKey): number {
    const m = Math.floor(this.#clock.coarse() / 4) + this.#bootTicks;
    return (m + beginWithEnds(this.#isn, key).end()) >>> 0;
  }

  /** Added to the time in ms; the same for every incarnation of a connection, so that RFC 6191 can compare them. */
  timestampOffset(key: FlowKey): number {
    return beginWithEnds(this.#timestamp, key).end();
  }
}

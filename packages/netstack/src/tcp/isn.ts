import type { Clock, RandomSource } from "@nfs4/timecounter";
import type { FlowKey } from "./flow.ts";
import { SipHash } from "./siphash.ts";

/**
 * What a connection begins with that an outsider must not guess: its initial sequence number (RFC 6528: M + F(ends, secret), M ticking every
 * 4 µs) and the offset of its timestamps (RFC 7323 §5.4). `secrets` lets a restarted host go on with the same functions.
 */
export class InitialNumbers {
  readonly #clock: Clock;
  readonly #isn: SipHash;
  readonly #timestamp: SipHash;

  /** `secret`: 32 bytes. */
  constructor(clock: Clock, secret: Uint8Array) {
    this.#clock = clock;
    this.#isn = new SipHash(secret.subarray(0, 16));
    this.#timestamp = new SipHash(secret.subarray(16, 32));
  }

  static random(clock: Clock, random: RandomSource): InitialNumbers {
    return new InitialNumbers(clock, random.fill(new Uint8Array(32)));
  }

  sequence(key: FlowKey): number {
    const m = Math.floor(this.#clock.coarse() / 4) % 0x1_0000_0000;
    return (m + hashEnds(this.#isn, key)) >>> 0;
  }

  /** Added to the time in ms; the same for every connection between two ends, so that RFC 6191 can compare incarnations. */
  timestampOffset(key: FlowKey): number {
    return hashEnds(this.#timestamp, key);
  }
}

function hashEnds(hash: SipHash, key: FlowKey): number {
  return hash
    .begin()
    .word(key.l0)
    .word(key.l1)
    .word(key.l2)
    .word(key.l3)
    .word(key.r0)
    .word(key.r1)
    .word(key.r2)
    .word(key.r3)
    .word((key.localPort << 16) | key.remotePort)
    .end();
}

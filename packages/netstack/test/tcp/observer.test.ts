/**
 * The side channel of CVE-2016-5696: whoever shares a bound on challenge ACKs with others can count what is left of it, and so learn whether segments that he
 * forged in the name of somebody else were challenged, that is, whether he guessed their window right.
 */
import { type RandomSource, SeededRandom } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { Conversation, flags } from "./conversation.ts";

const ATTACKER = "10.0.0.66";
/** With five challenges for each: enough to use up any budget. */
const CONNECTIONS = 320;
const PER_CONNECTION = 5;

/** The stack's random numbers, but for the draws of 32 bits once `frozen`. */
class FreezableRandom implements RandomSource {
  frozen = false;
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  uint32(): number {
    return this.frozen ? 0 : this.#random.uint32();
  }

  fill<T extends Uint8Array>(into: T): T {
    return this.#random.fill(into);
  }
}

/** A stack with a victim's connection and many of an attacker, who cannot see what the stack sends to the victim. */
class Observation {
  readonly #random: FreezableRandom;
  readonly #talk: Conversation;
  readonly #provocations: Uint8Array[] = [];

  constructor(seed: number, isBudgetFixed: boolean) {
    this.#random = new FreezableRandom(seed);
    const talk = new Conversation({ random: this.#random });
    this.#talk = talk;
    talk.accept();
    for (let i = 0; i < CONNECTIONS; i++) {
      const own = { source: ATTACKER, sourcePort: 1024 + i };
      talk.say({ flags: "S", ...own });
      talk.hearSyn(flags("SA"));
      talk.say({ seq: 1, ack: 1, ...own });
      this.#provocations.push(talk.packet({ flags: "R", seq: 5, ...own }));
    }
    this.#random.frozen = isBudgetFixed;
  }

  /** How many challenges the attacker gets in one interval, after he has forged resets whose number is in the victim's window, or is not. */
  count(isInWindow: boolean): number {
    const talk = this.#talk;
    talk.pass(2e6);
    talk.hearAll();
    for (let i = 0; i < PER_CONNECTION; i++) talk.say({ flags: "R", seq: isInWindow ? 30_000 : 3_000_000 });
    // One batch has no more than one acknowledgment for each connection, and no more than 256 segments.
    for (let i = 0; i < PER_CONNECTION; i++) {
      talk.driver.inject(this.#provocations.slice(0, CONNECTIONS / 2));
      talk.driver.inject(this.#provocations.slice(CONNECTIONS / 2));
    }
    return talk.hearAll().filter((segment) => segment.destination === ATTACKER).length;
  }
}

interface Round {
  readonly truth: boolean;
  readonly count: number;
  /** Of the interval before, in which nothing was forged into the window. */
  readonly control: number;
}

function play(seed: number, isBudgetFixed: boolean, rounds: number): Round[] {
  const observation = new Observation(seed, isBudgetFixed);
  const coin = new SeededRandom(seed + 1000);
  return Array.from({ length: rounds }, () => {
    const truth = coin.uint32() % 2 === 1;
    return { control: observation.count(false), count: observation.count(truth), truth };
  });
}

function hits(rounds: readonly Round[], guess: (round: Round) => boolean): number {
  return rounds.filter((round) => guess(round) === round.truth).length;
}

/** Fewer than in an interval without; and what makes the most of knowing the distribution: below its middle means that some are missing. */
const STRATEGIES = {
  difference: ({ count, control }: Round) => count < control,
  distribution: ({ count }: Round) => count < 500 + 500,
} as const;

describe("an observer off the path who counts challenges", () => {
  it("wins every time against a budget that he knows", () => {
    const rounds = play(1, true, 16);
    expect(rounds.some(({ truth }) => truth) && rounds.some(({ truth }) => !truth)).toBe(true);
    expect(hits(rounds, STRATEGIES.difference)).toBe(16);
    for (const { truth, count } of rounds) expect(count).toBe(truth ? 500 - PER_CONNECTION : 500);
  });

  it("does no better than a coin against ours (RFC 5961 §7, §10)", () => {
    const rounds = [2, 3].flatMap((seed) => play(seed, false, 32));
    // Three standard deviations about half of 64.
    for (const strategy of Object.values(STRATEGIES)) {
      expect(hits(rounds, strategy)).toBeGreaterThanOrEqual(20);
      expect(hits(rounds, strategy)).toBeLessThanOrEqual(44);
    }
    // What he would have to see is this small beside what the draw moves.
    const counts = rounds.map(({ count }) => count);
    expect(Math.max(...counts) - Math.min(...counts)).toBeGreaterThan(100 * PER_CONNECTION);
  });
});

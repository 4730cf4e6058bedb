import type { Reply } from "./wire.ts";
import { parseCompound } from "./wire.ts";

/** Where to attack. */
export interface Target {
  readonly address: string;
  readonly port: number;
  /** Another server with other keys, for handles that are genuine elsewhere. */
  readonly otherAddress: string;
  readonly otherPort: number;
}

/** An attack says by itself what was not as it should be. */
export type Attack = (target: Target, report: Report) => Promise<void>;

const MOST = 20;

/** What an attack found. */
export class Report {
  readonly surprises: string[] = [];
  /** Numbers for people. */
  readonly notes: string[] = [];
  #more = 0;

  expect(right: boolean, surprise: () => string): void {
    if (right) return;
    if (this.surprises.length < MOST) this.surprises.push(surprise());
    else this.#more++;
  }

  equal(found: unknown, wanted: unknown, what: string): void {
    const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
    this.expect(a === b, () => `${what}: ${a} instead of ${b}`);
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** An RPC outcome, with its details. */
  outcome(reply: Reply | null, outcome: Reply["outcome"], details: readonly number[], what: string): void {
    this.equal(reply ? [reply.outcome, ...reply.details] : null, [outcome, ...details], what);
  }

  /** A COMPOUND that came back with this status. */
  status(reply: Reply | null, status: number, what: string): void {
    if (reply?.outcome !== "SUCCESS") this.equal(reply?.outcome ?? null, `status ${status}`, what);
    else this.equal(parseCompound(reply).status, status, what);
  }

  get result(): { surprises: string[]; notes: string[] } {
    const more = this.#more > 0 ? [`and ${this.#more} more`] : [];
    return { surprises: [...this.surprises, ...more], notes: this.notes };
  }
}

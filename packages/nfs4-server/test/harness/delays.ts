/**
 * Makes a file system answer every call later, by callout: what the server decided before it asked may be wrong by then. Counts what is open.
 */
import type { Clock, SeededRandom } from "@nfs4/timecounter";
import type { FileSystem } from "../../src/filesystem/types.ts";

const AT_ONCE = new Set<PropertyKey>(["key", "dispose"]);

export class Delays {
  /** Files that were opened and not closed. */
  openFiles = 0;
  /** Longest delay, in µs. */
  slowest = 1000;
  /** Called when an answer is made; may throw what the file system shall throw. */
  onCall: (member: string, args: readonly unknown[]) => void = () => {};
  readonly #clock: Clock;
  readonly #random: SeededRandom;

  constructor(clock: Clock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  around<N extends object, F>(inner: FileSystem<N, F>): FileSystem<N, F> {
    return new Proxy(inner, {
      get: (_target, member) => {
        const its: unknown = Reflect.get(inner, member);
        if (typeof its !== "function" || AT_ONCE.has(member)) return typeof its === "function" ? its.bind(inner) : its;
        return (...args: unknown[]) => this.#later(String(member), args, () => its.apply(inner, args));
      },
    });
  }

  #later(member: string, args: readonly unknown[], call: () => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        try {
          this.onCall(member, args);
          const result = call();
          this.#count(member, result);
          resolve(result);
        } catch (error) {
          reject(error);
        }
      };
      this.#clock.callout(answer).scheduleAfter(this.#random.between(1, this.slowest));
    });
  }

  #count(member: string, result: unknown): void {
    const made = typeof result === "object" && result !== null;
    if ((member === "open" && made) || (member === "create" && made && "file" in result)) this.openFiles++;
    if (member === "close") this.openFiles--;
  }
}

/** What stands on a simulated disk until its power goes. From then on nothing it has asked for is ever answered. */
import type { Clock } from "@nfs4/timecounter";
import type { SimulatedDisk } from "./simulated-disk.ts";

export class Machine {
  readonly disk: SimulatedDisk;
  alive = true;
  readonly #clock: Clock | null;
  readonly #slowest: number;

  constructor(disk: SimulatedDisk, clock: Clock | null, slowest: number) {
    this.disk = disk;
    this.#clock = clock;
    this.#slowest = slowest;
  }

  /** One operation on the disk: counted, perhaps the last one. */
  perform<T>(effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        if (!this.alive) return;
        const { disk } = this;
        const last = ++disk.operations === disk.crashAt;
        // The power goes before it has begun, or before anybody has heard of its end.
        if (last && disk.random.chance(0.5)) disk.cut();
        if (!this.alive) return;
        try {
          const result = effect();
          if (!last) resolve(result);
        } catch (error) {
          if (!last) reject(error);
        }
        if (last) disk.cut();
      };
      if (this.#clock) this.#clock.callout(run).scheduleAfter(this.disk.random.between(1, this.#slowest));
      else run();
    });
  }
}

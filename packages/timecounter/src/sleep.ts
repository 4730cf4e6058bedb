import type { Clock, Sleep } from "./types.ts";

/** A `Sleep` on a clock. Each call is a callout of its own. */
export function sleepOn(clock: Clock): Sleep {
  return (delayUs) =>
    new Promise((resolve) => {
      clock.callout(resolve).scheduleAfter(delayUs);
    });
}

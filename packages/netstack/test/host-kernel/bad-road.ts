import type { ImpairedDriverOptions } from "../../src/drivers/impaired.ts";

/** Each way: packets are lost, overtaken, doubled, damaged and late. */
export const BAD_ROAD: ImpairedDriverOptions = {
  delay: 2000,
  jitter: 500,
  loss: 0.01,
  reorder: 0.02,
  reorderDelay: 2000,
  duplicate: 0.01,
  corrupt: 0.005,
};

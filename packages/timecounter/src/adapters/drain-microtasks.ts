/**
 * Resolves when the queues of microtasks and of `process.nextTick` have both run dry: an immediate runs only then. Costs one turn of the event
 * loop, about 1.5 µs.
 */
export function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

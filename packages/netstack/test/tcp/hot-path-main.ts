/** Receives segment after segment in a process of its own (`--expose-gc`), where nothing else has shaped the code, and prints what that came to. */
import { established, SIZE } from "./treadmill.ts";

const WARM_UP = 100_000;
const ROUNDS = 10;
const SEGMENTS = 10_200;

const collect = globalThis.gc;
if (collect === undefined) throw new Error("run it with --expose-gc");
const { driver, stack, stream, clock } = established();
let received = 0;
stream.setSink({
  data(_slab, _offset, length) {
    received += length;
    return length;
  },
  end: () => {},
});
clock.runForSync(0);
driver.run(WARM_UP);
const { sent } = driver;
let allocated = 0;
for (let round = 0; round < ROUNDS; round++) {
  collect();
  const before = process.memoryUsage().heapUsed;
  driver.run(SEGMENTS);
  allocated += Math.max(0, process.memoryUsage().heapUsed - before);
}
const segments = ROUNDS * SEGMENTS;
console.log(
  JSON.stringify({
    bytesPerSegment: allocated / segments,
    acknowledgments: driver.sent - sent,
    batches: (segments * 8) / 255,
    isComplete: received === (WARM_UP + segments) * SIZE,
    predicted: stack.tcp.statistics.predDat === WARM_UP + segments,
  }),
);

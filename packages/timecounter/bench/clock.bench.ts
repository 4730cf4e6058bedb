import {
  type Callout,
  hrtimeCounter,
  nodeClock,
  startTickedCounter,
  TimehandsReader,
  Timekeeper,
} from "../src/index.ts";

/** ns per call, best of several runs. */
function measure(calls: number, body: (i: number) => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 7; run++) {
    let sum = 0;
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) sum += body(i) === undefined ? 1 : 2;
    best = Math.min(best, Number(process.hrtime.bigint() - start) / calls);
    if (sum === -1) console.log(sum);
  }
  return best;
}

const results: [name: string, ns: number, aim?: number][] = [];
function report(name: string, ns: number, aim?: number): number {
  results.push(aim === undefined ? [name, ns] : [name, ns, aim]);
  return ns;
}

const CALLS = 1_000_000;
const clock = nodeClock();
const ticked = await startTickedCounter();
const tickedKeeper = new Timekeeper({ counters: [ticked] });
const reader = new TimehandsReader(clock.timekeeper.page, [hrtimeCounter]);

report(
  "clock.coarse()",
  measure(CALLS, () => clock.coarse()),
  20,
);
report(
  "reader.coarse(), another thread's",
  measure(CALLS, () => reader.coarse()),
  20,
);
report(
  "clock.now(), hrtime",
  measure(CALLS, () => clock.now()),
);
report(
  "timekeeper.now(), ticked page",
  measure(CALLS, () => tickedKeeper.now()),
);
report(
  "reader.now(), another thread's",
  measure(CALLS, () => reader.now()),
);
report(
  "clock.tick()",
  measure(CALLS, () => clock.tick()),
);
const hrtime = report(
  "process.hrtime.bigint()",
  measure(CALLS, () => Number(process.hrtime.bigint())),
);
report(
  "performance.now()",
  measure(CALLS, () => performance.now()),
);

const one = clock.callout(() => {});
one.scheduleAfter(60e6);
const later = report(
  "callout: later again",
  measure(CALLS, (i) => one.schedule(1e9 + i)),
  30,
);
report(
  "callout: scheduleAfter again",
  measure(CALLS, () => one.scheduleAfter(1e6)),
  30,
);
const thousand: Callout[] = Array.from({ length: 1024 }, () => clock.callout(() => {}));
const many = report(
  "callout: later again, one of 1024",
  measure(CALLS, (i) => thousand[(i * 7919) & 1023]!.scheduleAfter(1e6 + i)),
  30,
);
const cancelled = report(
  "callout: cancel and arm, one of 1024",
  measure(CALLS, (i) => {
    const callout = thousand[(i * 7919) & 1023]!;
    callout.cancel();
    callout.scheduleAfter(1e6 + i);
  }),
);
let descending = 1e15;
const earlier = report(
  "callout: earlier again",
  measure(CALLS, () => {
    descending -= 1000;
    one.schedule(descending);
  }),
);

const timeout = setTimeout(() => {}, 60_000);
const refresh = report(
  "timeout.refresh()",
  measure(CALLS, () => timeout.refresh()),
);
let timer = setTimeout(() => {}, 60_000);
const setAgain = report(
  "clearTimeout, setTimeout",
  measure(CALLS / 4, () => {
    clearTimeout(timer);
    timer = setTimeout(() => {}, 60_000);
  }),
);
clearTimeout(timer);
clearTimeout(timeout);

for (const [name, ns, aim] of results) {
  const verdict = aim === undefined ? "" : `  aim ≤ ${aim}: ${ns <= aim ? "met" : "MISSED"}`;
  console.log(`${name.padEnd(40)} ${ns.toFixed(1).padStart(8)} ns${verdict}`);
}
console.log();
const ratio = (name: string, a: number, b: number): void => console.log(`${name.padEnd(60)} ${(a / b).toFixed(1)}×`);
ratio("coarse time against process.hrtime.bigint()", hrtime, results[0]![1]);
ratio("moving a callout later against clearTimeout + setTimeout", setAgain, later);
ratio("moving a callout later against timeout.refresh()", refresh, later);
ratio("one of 1024 later against clearTimeout + setTimeout", setAgain, many);
ratio("cancelling and arming against clearTimeout + setTimeout", setAgain, cancelled);
ratio("moving earlier against clearTimeout + setTimeout", setAgain, earlier);
clock.close();
await ticked.close();

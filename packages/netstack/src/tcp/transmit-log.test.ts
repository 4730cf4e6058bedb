import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { APP_LIMITED, type DeliveryCounts, LOST, RETRANSMITTED, SACKED, TransmitLog } from "./transmit-log.ts";
import { TransmitLogPool } from "./transmit-log-pool.ts";

const NOTHING: DeliveryCounts = { delivered: 0, deliveredAt: 0, firstSentAt: 0, lost: 0, appLimitedUntil: 0 };
/** Just before the numbers wrap. */
const BASE = 0xffff_ff00;
const at = (offset: number): number => (BASE + offset) >>> 0;

/** start, end, flags and time of each run, relative to BASE. */
function runs(log: TransmitLog): (readonly [number, number, number, number])[] {
  return Array.from({ length: log.count }, (_, k) => {
    const i = log.first + k;
    return [(log.starts[i]! - BASE) | 0, (log.ends[i]! - BASE) | 0, log.flags[i]!, log.sentAt[i]!] as const;
  });
}

describe("the log of what is in flight", () => {
  it("a burst is one run; what is sent later, or with other counts, is another", () => {
    const log = new TransmitLog();
    log.append(at(0), at(100), 1, NOTHING);
    log.append(at(100), at(200), 1, NOTHING);
    log.append(at(200), at(300), 2, NOTHING);
    log.append(at(300), at(400), 2, { ...NOTHING, delivered: 7 });
    log.append(at(400), at(500), 2, { ...NOTHING, delivered: 7, appLimitedUntil: 1 });
    expect(runs(log)).toEqual([
      [0, 200, 0, 1],
      [200, 300, 0, 2],
      [300, 400, 0, 2],
      [400, 500, APP_LIMITED, 2],
    ]);
    expect([...log.inFlight.subarray(log.first, log.end)]).toEqual([200, 300, 400, 500]);
  });

  it("splits where a SACK or a retransmission begins and ends, and joins what became the same", () => {
    const log = new TransmitLog();
    log.append(at(0), at(1000), 1, NOTHING);
    log.markSacked(log.isolate(log.first, at(300), at(400)));
    log.markSacked(log.isolate(log.indexAt(at(500)), at(500), at(600)));
    log.markSacked(log.isolate(log.indexAt(at(400)), at(400), at(500)));
    expect(log).toMatchObject({ sackedBytes: 300, sackedRuns: 1, pipe: 700 });
    log.markLost(log.first);
    expect(log).toMatchObject({ lostBytes: 300, pipe: 400 });
    log.resent(at(0), at(100), 5, NOTHING);
    log.resent(at(100), at(200), 5, NOTHING);
    expect(
      runs(log).map(([from, to, flags, time]) => [from, to, flags & (LOST | SACKED | RETRANSMITTED), time]),
    ).toEqual([
      [0, 200, RETRANSMITTED, 5],
      [200, 300, LOST, 1],
      [300, 600, SACKED, 1],
      [600, 1000, 0, 1],
    ]);
    expect(log.pipe).toBe(600);
  });

  it("one that has grown large is not kept", () => {
    const pool = new TransmitLogPool();
    const small = pool.take();
    const large = pool.take();
    for (let i = 0; i < 1000; i++) large.append(at(i), at(i + 1), i, NOTHING);
    pool.give(large);
    pool.give(small);
    expect(pool.take()).toBe(small);
    expect(pool.take()).not.toBe(large);
  });

  it("has an end to its memory: beyond 65,536 runs the last one takes what comes", () => {
    const log = new TransmitLog();
    for (let i = 0; i < 70_000; i++) log.append(at(i), at(i + 1), i, NOTHING);
    expect(log.count).toBe(65_536);
    expect(log.pipe).toBe(70_000);
  });

  // Against a model that has the history of each byte by itself.
  type Op = {
    readonly kind: "send" | "resend" | "sack" | "lose" | "acknowledge" | "forget";
    readonly a: number;
    readonly b: number;
  };
  const op: fc.Arbitrary<Op> = fc.record({
    kind: fc.constantFrom("send", "send", "resend", "sack", "sack", "lose", "acknowledge", "forget"),
    a: fc.integer({ min: 0, max: 120 }),
    b: fc.integer({ min: 1, max: 60 }),
  });
  test.prop([fc.array(op, { maxLength: 120 })])("knows of every byte what was done with it", (ops) => {
    const log = new TransmitLog();
    const bytes: { flags: number; time: number }[] = [];
    let una = 0;
    for (const [now, { kind, a, b }] of ops.entries()) {
      const start = Math.min(una + a, bytes.length);
      const end = Math.min(start + b, bytes.length);
      const part = bytes.slice(start, end);
      if (kind === "send") {
        log.append(at(bytes.length), at(bytes.length + b), now, NOTHING);
        for (let i = 0; i < b; i++) bytes.push({ flags: 0, time: now });
      } else if (kind === "resend") {
        log.resent(at(start), at(end), now, NOTHING);
        for (const byte of part)
          if ((byte.flags & SACKED) === 0) Object.assign(byte, { flags: RETRANSMITTED, time: now });
      } else if (kind === "sack" || kind === "lose") {
        for (let i = log.indexAt(at(start)); i < log.end && ((log.starts[i]! - at(end)) | 0) < 0; i++) {
          if ((log.flags[i]! & SACKED) !== 0) continue;
          i = log.isolate(i, at(start), at(end));
          if (kind === "sack") i = log.markSacked(i);
          else log.markLost(i);
        }
        for (const byte of part) {
          if (kind === "sack") byte.flags = (byte.flags & ~LOST) | SACKED;
          else if ((byte.flags & SACKED) === 0) byte.flags |= LOST;
        }
      } else if (kind === "forget") {
        log.forgetSacks();
        for (const byte of bytes) byte.flags &= ~SACKED;
      } else {
        while (!log.isEmpty && ((log.starts[log.first]! - at(start)) | 0) < 0) {
          log.isolate(log.first, log.starts[log.first]!, at(start));
          log.removeFirst();
        }
        una = start;
      }
      const marks = SACKED | LOST;
      const told: number[] = [];
      const times: number[] = [];
      for (const [from, to, flags, time] of runs(log)) {
        for (let i = from; i < to; i++) {
          told.push(flags & marks);
          times.push(time);
        }
      }
      const flight = bytes.slice(una);
      expect(told).toEqual(flight.map((byte) => byte.flags & marks));
      // Of what is SACKed the time is that of the oldest beside it.
      for (const [i, byte] of flight.entries())
        if ((byte.flags & SACKED) === 0 && !forgotten(ops, now)) expect(times[i]).toBe(byte.time);
      expect(log.pipe).toBe(flight.filter((byte) => (byte.flags & marks) === 0).length);
      expect(log.sackedBytes).toBe(flight.filter((byte) => (byte.flags & SACKED) !== 0).length);
      expect(log.lostBytes).toBe(flight.filter((byte) => (byte.flags & LOST) !== 0).length);
    }
  });

  function forgotten(ops: readonly Op[], now: number): boolean {
    return ops.slice(0, now + 1).some((each) => each.kind === "forget");
  }
});

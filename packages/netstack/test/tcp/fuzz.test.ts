import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { CLOSED, ESTABLISHED, LISTEN, TIMERS } from "../../src/tcp/constants.ts";
import { FLOW_CONNECTION } from "../../src/tcp/flow.ts";
import { seqGe, seqLe, seqLt } from "../../src/tcp/seq.ts";
import type { Tcb } from "../../src/tcp/tcb.ts";
import { LOST, SACKED } from "../../src/tcp/transmit-log.ts";
import { Conversation, type Said } from "./conversation.ts";

/** Mostly near what makes sense, sometimes anywhere. */
const number = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 50 }) },
  { weight: 2, arbitrary: fc.integer({ min: -70_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) },
);
const flags = fc
  .tuple(
    fc.constantFrom("A", "A", "A", "A", "", "S", "SA", "R", "RA", "FA"),
    fc.subarray([..."FSRPUEC"], { maxLength: 2 }),
  )
  .map(([base, more]) => [...new Set([...base, ...more])].join(""));

const said: fc.Arbitrary<Said> = fc.record(
  {
    seq: number,
    ack: number,
    flags: fc.oneof({ weight: 5, arbitrary: fc.constant("A") }, flags),
    window: fc.constantFrom(0, 1, 100, 5000, 65_535),
    payload: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 3000 })),
    urgent: fc.integer({ min: 0, max: 65_535 }),
    sack: fc.array(
      fc.tuple(number, fc.integer({ min: -5, max: 40 })).map(([at, length]) => [at, at + length] as const),
      { maxLength: 3 },
    ),
    timestamps: fc.option(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.constant(0)), { nil: undefined, freq: 6 }),
  },
  { requiredKeys: ["seq", "ack", "flags"] },
);

type Step =
  | { readonly say: readonly Said[] }
  | { readonly raw: Uint8Array }
  | { readonly pass: number }
  | { readonly write: number }
  | { readonly act: "shutdown" | "abort" | "read" | "open" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ say: fc.array(said, { minLength: 1, maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ raw: fc.uint8Array({ minLength: 1, maxLength: 60 }) }) },
  { weight: 3, arbitrary: fc.record({ pass: fc.constantFrom(0, 1000, 50_000, 500_000, 70e6) }) },
  { weight: 3, arbitrary: fc.record({ write: fc.constantFrom(1, 10, 30, 4000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constantFrom("shutdown", "read", "read", "open", "abort") as fc.Arbitrary<"shutdown">,
    }),
  },
);

/** What must hold of a connection after whatever has happened to it (RFC 9293 §3.4, and our own accounts). */
function checkInvariants(talk: Conversation, tcb: Tcb): void {
  expect(tcb.state).not.toBe(CLOSED);
  expect(tcb.state).not.toBe(LISTEN);
  expect(tcb.endedHow).toBeNull();
  // SND.UNA ≤ SND.NXT ≤ SND.MAX, and SND.MAX no further than what was written and a FIN.
  expect(seqLe(tcb.sndUna, tcb.sndNxt)).toBe(true);
  expect(seqLe(tcb.sndNxt, tcb.sndMax)).toBe(true);
  const synPending = tcb.sndUna === tcb.iss ? 1 : 0;
  const end = (tcb.sndUna + synPending + tcb.sendBuffer.queued + (tcb.finQueued && !tcb.finAcked ? 1 : 0)) >>> 0;
  expect(seqLe(tcb.sndMax, end)).toBe(true);
  // The window that was offered is not behind RCV.NXT, and no more is kept than it let in.
  expect(seqGe(tcb.rcvAdv, tcb.rcvNxt)).toBe(true);
  expect(tcb.receiveBuffer.ordered).toBeGreaterThanOrEqual(0);
  expect(tcb.receiveBuffer.ordered).toBeLessThanOrEqual(tcb.rcvBufferSize * 1.25 + 2 ** tcb.rcvShift);
  checkLog(tcb);
  expect(tcb.cwnd).toBeGreaterThanOrEqual(Math.min(tcb.maxSegment, 216));
  expect(tcb.sndWnd).toBeGreaterThanOrEqual(0);
  expect(tcb.deadlines).toHaveLength(TIMERS);
  // Whatever it waits for, a callout will come for it in time.
  const next = Math.min(...tcb.deadlines);
  if (next !== Number.POSITIVE_INFINITY) {
    expect(tcb.callout?.armed).toBe(true);
    expect(tcb.callout!.deadline).toBeLessThanOrEqual(next);
  }
  // Data in flight is never left without a timer.
  if (tcb.sndUna !== tcb.sndMax) expect(next).not.toBe(Number.POSITIVE_INFINITY);
  expect(talk.stack.outstandingPackets).toBe(0);
}

/** What is in flight is in the log, each number once, and its sums are right. */
function checkLog(tcb: Tcb): void {
  const log = tcb.sent;
  if (log === null) {
    if (tcb.state >= ESTABLISHED) expect(tcb.sndMax).toBe(tcb.sndUna);
    return;
  }
  expect(log.isEmpty).toBe(false);
  let [at, sacked, sackedRuns, lost] = [tcb.sndUna, 0, 0, 0];
  for (let i = log.first; i < log.end; i++) {
    expect(log.starts[i]).toBe(at);
    expect(seqLt(at, log.ends[i]!)).toBe(true);
    at = log.ends[i]!;
    const flags = log.flags[i]!;
    expect(flags & (SACKED | LOST)).not.toBe(SACKED | LOST);
    if ((flags & LOST) !== 0) lost += log.lengthOf(i);
    if ((flags & SACKED) === 0) continue;
    sacked += log.lengthOf(i);
    sackedRuns++;
  }
  expect(at).toBe(tcb.sndMax);
  expect([log.sackedBytes, log.sackedRuns, log.lostBytes]).toEqual([sacked, sackedRuns, lost]);
  expect(log.pipe).toBeGreaterThanOrEqual(0);
}

function checkAll(talk: Conversation): void {
  for (const flow of talk.tcp.flows()) if (flow.kind === FLOW_CONNECTION) checkInvariants(talk, flow as Tcb);
}

describe("whatever a peer sends", () => {
  test.prop([fc.constantFrom(4, 6) as fc.Arbitrary<4 | 6>, fc.boolean(), fc.array(step, { maxLength: 50 })], {
    numRuns: 400,
  })(
    "invariants hold after every step, and nothing is left in the end",
    (family, extended, steps) => {
      const talk = new Conversation({ family, sysctl: { "net.inet.tcp.recvspace": 4096 } });
      let connection: TcpConnection = talk.accept(
        extended ? { mss: 1000, windowShift: 2, sackPermitted: true, timestamps: [1, 0] } : { mss: 1000 },
      );
      let made = 0;
      let released = 0;
      for (const current of steps) {
        if ("say" in current) talk.sayAll(current.say);
        else if ("raw" in current) talk.inject(current.raw);
        else if ("pass" in current) talk.pass(current.pass);
        else if ("write" in current) {
          made++;
          connection.write([{ bytes: new Uint8Array(current.write), release: () => released++ }]);
        } else if (current.act === "shutdown") connection.shutdown();
        else if (current.act === "abort") connection.abort();
        else if (current.act === "read") {
          let budget = 2000;
          connection.setSink({
            data: (_slab, _offset, length) => {
              const taken = Math.min(length, budget);
              budget -= taken;
              return taken;
            },
            end: () => {},
          });
        } else if (connection.tcpInfo().state === "CLOSED" && talk.tcp.timeWaitCount === 0) {
          talk.hearAll();
          talk.timestamps = null;
          talk.peerPort++;
          connection = talk.accept();
        }
        checkAll(talk);
        talk.hearAll();
      }
      connection.abort();
      expect(released).toBe(made);
      talk.pass(600e6);
      expect(talk.tcp.connectionCount + talk.tcp.timeWaitCount + talk.tcp.halfOpenCount).toBe(0);
      expect(talk.tcp.receiveMemory).toBe(0);
    },
    240_000,
  );
});

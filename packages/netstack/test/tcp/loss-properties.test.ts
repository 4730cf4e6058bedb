/** Whatever acknowledgments say, honestly or not: what is known of the data in flight holds together, and honest ones bring it all through. */

import { fc, test } from "@fast-check/vitest";
import { SeededRandom } from "@nfs4/timecounter";
import { describe, expect } from "vitest";
import { FLOW_CONNECTION } from "../../src/tcp/flow.ts";
import type { Tcb } from "../../src/tcp/tcb.ts";
import { Conversation, type Said } from "./conversation.ts";
import { checkInvariants } from "./fuzz/invariants.ts";
import type { Segment } from "./segment-codec.ts";

const MSS = 100;
const TOTAL = 60 * MSS;

/** A receiver that keeps what it gets by the byte, and acknowledges as RFC 2018 and RFC 2883 say. */
class Receiver {
  readonly #got: Uint8Array = new Uint8Array(TOTAL + 1);
  next = 0;

  /** Takes a segment, and tells what its acknowledgment says. */
  take(segment: Segment, sacks: boolean): Said {
    const start = segment.seq - 1;
    const end = start + segment.payload.length;
    let known = start;
    while (known < end && this.#got[known] === 0) known++;
    let repeated = known;
    while (repeated < end && this.#got[repeated] === 1) repeated++;
    this.#got.fill(1, start, end);
    while (this.#got[this.next] === 1) this.next++;
    const blocks = this.#blocks();
    const own = blocks.findIndex(([from, to]) => from <= start && start < to);
    const sack = own < 0 ? blocks : [blocks[own]!, ...blocks.filter((_, i) => i !== own)];
    if (repeated > known) sack.unshift([known, repeated]);
    const told = sack.slice(0, 3).map(([from, to]) => [from + 1, to + 1] as const);
    return { seq: 1, ack: this.next + 1, ...(sacks && told.length > 0 ? { sack: told } : {}) };
  }

  #blocks(): [number, number][] {
    const blocks: [number, number][] = [];
    for (let at = this.next; at < TOTAL; ) {
      while (at < TOTAL && this.#got[at] === 0) at++;
      const start = at;
      while (at < TOTAL && this.#got[at] === 1) at++;
      if (at > start) blocks.push([start, at]);
    }
    return blocks;
  }
}

/** A sequence number that a liar names: of the stream, mostly. */
const place = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -MSS, max: TOTAL + 5 * MSS }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) },
);
const lie: fc.Arbitrary<Said> = fc.record({
  seq: fc.constant(1),
  ack: place,
  sack: fc.array(
    fc.tuple(place, fc.integer({ min: -5, max: 5 * MSS })).map(([at, length]) => [at, at + length] as const),
    { maxLength: 4 },
  ),
});

type Step =
  | { readonly lie: Said }
  | { readonly deliver: number }
  | { readonly lose: number }
  | { readonly pass: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ lie }) },
  { weight: 8, arbitrary: fc.record({ deliver: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ lose: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ pass: fc.constantFrom(100, 5000, 40_000, 300_000) }) },
);

describe("what a sender makes of acknowledgments", () => {
  test.prop(
    [
      fc.record({
        sack: fc.boolean(),
        rack: fc.boolean(),
        prr: fc.boolean(),
        honest: fc.boolean(),
        seed: fc.nat(1000),
      }),
      fc.array(step, { maxLength: 80 }),
    ],
    { numRuns: 300 },
  )("invariants hold, memory is bounded, and an honest receiver gets every byte", (mode, steps) => {
    const talk = new Conversation({
      sysctl: {
        "net.inet.tcp.rack.enable": mode.rack,
        "net.inet.tcp.do_prr": mode.prr,
        "net.inet.tcp.sack.maxholes": 8,
        "net.inet.tcp.minmss": 88,
      },
    });
    const connection = talk.accept({ mss: MSS, windowShift: 4, sackPermitted: mode.sack });
    connection.setNoDelay(true);
    connection.write([{ bytes: new Uint8Array(TOTAL) }]);
    const receiver = new Receiver();
    const network: Segment[] = [];
    const tcb = [...talk.tcp.flows()].find((flow) => flow.kind === FLOW_CONNECTION) as Tcb;
    const check = (): void => {
      if (tcb.endedHow !== null) return;
      checkInvariants(talk);
      network.push(...talk.hearAll().filter((segment) => segment.payload.length > 0));
      for (const segment of network) expect(segment.seq + segment.payload.length).toBeLessThanOrEqual(TOTAL + 1);
      // A segment in flight is one run; so is each SACKed range, which cuts what surrounds it once more.
      if (tcb.sent !== null) expect(tcb.sent.count).toBeLessThanOrEqual(2 * (TOTAL / MSS) + 3 * 8);
    };
    check();
    for (const current of steps) {
      if ("lie" in current) {
        if (!mode.honest) talk.say(current.lie);
      } else if ("pass" in current) talk.pass(current.pass);
      else if (network.length > 0) {
        const index = ("deliver" in current ? current.deliver : current.lose) % network.length;
        const [segment] = network.splice(index, 1);
        if ("deliver" in current) talk.say(receiver.take(segment!, mode.sack));
      }
      check();
    }
    if (!mode.honest) return;
    // From now on a third is lost, the rest arrives in any order.
    const random = new SeededRandom(mode.seed);
    for (let turn = 0; turn < 2000 && receiver.next < TOTAL; turn++) {
      if (network.length === 0) talk.pass(5e6);
      else {
        const [segment] = network.splice(random.below(network.length), 1);
        if (random.below(3) > 0) talk.say(receiver.take(segment!, mode.sack));
      }
      check();
    }
    expect(receiver.next).toBe(TOTAL);
    // Once more with what the network still has, and with nothing lost.
    talk.say({ seq: 1, ack: TOTAL + 1 });
    expect(connection.tcpInfo()).toMatchObject({ inFlight: 0, sendQueue: 0 });
    expect(tcb.sent).toBeNull();
  });
});

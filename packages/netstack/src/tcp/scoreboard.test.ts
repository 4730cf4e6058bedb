import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { DUP_THRESH, Scoreboard } from "./scoreboard.ts";

const MSS = 10;
const SIZE = 200;

/** RFC 6675 §4 word for word, octet by octet. */
class Naive {
  readonly sacked: boolean[] = new Array<boolean>(SIZE).fill(false);
  una = 0;
  highRxt = 0;

  isLost(octet: number): boolean {
    let ranges = 0;
    let bytes = 0;
    for (let i = octet; i < SIZE; i++) {
      if (!this.sacked[i]) continue;
      bytes++;
      if (!this.sacked[i - 1]) ranges++;
    }
    return ranges >= DUP_THRESH || bytes > (DUP_THRESH - 1) * MSS;
  }

  pipe(max: number): number {
    let pipe = 0;
    for (let i = this.una; i < max; i++) {
      if (this.sacked[i]) continue;
      if (!this.isLost(i)) pipe++;
      if (i < this.highRxt) pipe++;
    }
    return pipe;
  }

  nextHole(from: number): number {
    const highest = this.sacked.lastIndexOf(true) + 1;
    let i = from;
    while (i < highest && this.sacked[i]) i++;
    return Math.max(i, from);
  }
}

const origin = fc.constantFrom(0, 0xffffffff - 90, 0x7fffffff - 90);
const block = fc.tuple(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 1, max: 30 }));
const step = fc.record({
  block,
  una: fc.option(fc.integer({ min: 1, max: 30 }), { freq: 4 }),
  retransmitted: fc.option(fc.integer({ min: 0, max: 180 }), { freq: 3 }),
});

describe("the scoreboard (RFC 6675)", () => {
  test.prop([origin, fc.array(step, { maxLength: 20 })])(
    "says of loss, pipe and holes what the RFC's octet by octet says",
    (base, steps) => {
      const at = (n: number): number => (base + n) >>> 0;
      const board = new Scoreboard();
      const naive = new Naive();
      board.clear(at(0));
      for (const { block: sack, una, retransmitted } of steps) {
        const start = Math.max(sack[0], naive.una + 1);
        const end = Math.max(start + 1, sack[0] + sack[1]);
        board.sack(at(start), at(end));
        naive.sacked.fill(true, start, end);
        if (una !== null && !naive.sacked[naive.una + una]) {
          naive.una += una;
          naive.sacked.fill(false, 0, naive.una);
          naive.highRxt = Math.max(naive.highRxt, naive.una);
          board.acknowledge(at(naive.una));
        }
        if (retransmitted !== null && retransmitted > naive.highRxt) {
          naive.highRxt = retransmitted;
          board.highRxt = at(retransmitted);
        }
        board.update(at(naive.una), MSS);
        for (let i = naive.una; i < SIZE; i++) {
          expect(board.isSacked(at(i))).toBe(naive.sacked[i]);
          // The board asks only of holes, where both agree.
          if (!naive.sacked[i]) expect(((at(i) - board.lostBelow) | 0) < 0, `IsLost(${i})`).toBe(naive.isLost(i));
          expect((board.nextHole(at(i)) - base) >>> 0).toBe(naive.nextHole(i));
        }
        expect(board.pipe(at(naive.una), at(190))).toBe(naive.pipe(190));
        const total = naive.sacked.slice(0, 100).filter(Boolean).length;
        expect(board.sackedBefore(at(100))).toBe(total);
      }
    },
  );

  it("a hole ends where SACKed space begins, or at the limit", () => {
    const board = new Scoreboard();
    board.clear(0);
    board.sack(100, 200);
    expect(board.holeEnd(50, 300)).toBe(100);
    expect(board.holeEnd(250, 300)).toBe(300);
    expect(board.highestSacked).toBe(200);
    expect(board.ranges()).toEqual([[100, 200]]);
  });
});

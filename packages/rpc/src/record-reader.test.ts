import { fc, test } from "@fast-check/vitest";
import type { ByteStream } from "@nfs4/bytestream";
import { VirtualClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { Budget } from "./budget.ts";
import { BufferPool } from "./buffer-pool.ts";
import { newRpcCounters } from "./counters.ts";
import type { RpcError } from "./errors.ts";
import { RecordReader, type RecordReaderOptions } from "./record-reader.ts";

/** A reader with what it stands on, and a transport that keeps what was not taken. */
function scene(
  options: Partial<RecordReaderOptions> & { readonly limit?: number; readonly keepRecords?: boolean } = {},
) {
  const clock = new VirtualClock();
  const pool = new BufferPool({ poison: true });
  const memory = new Budget(options.limit ?? 1 << 22);
  const counters = newRpcCounters();
  const records: Uint8Array[] = [];
  const held: (() => void)[] = [];
  const errors: string[] = [];
  const ends: boolean[] = [];
  let shorts = 0;
  let waiting: Uint8Array = new Uint8Array(0);
  const stream = { resume: () => deliver(new Uint8Array(0)) } as unknown as ByteStream;
  const reader: RecordReader = new RecordReader(
    {
      stream,
      clock,
      pool,
      memory,
      counters,
      recordLimit: 1 << 20,
      fragmentLimit: 100_000,
      recordTimeout: 60e6,
      idleTimeout: Number.POSITIVE_INFINITY,
      ...options,
    },
    {
      record: (record) => {
        records.push(record.bytes.slice(0, record.length));
        if (options.keepRecords) held.push(() => record.release());
        else record.release();
      },
      batchEnd: () => {},
      peerEnded: (truncated) => ends.push(truncated),
      failed: (error: RpcError) => {
        errors.push(error.code);
        reader.close();
      },
      owing: () => false,
      short: () => {
        shorts++;
      },
    },
  );
  function deliver(bytes: Uint8Array): void {
    const all = new Uint8Array(waiting.length + bytes.length);
    all.set(waiting);
    all.set(bytes, waiting.length);
    const lent = all.slice();
    const taken = reader.data(lent, 0, lent.length);
    lent.fill(0xee);
    waiting = all.slice(taken);
  }
  return {
    clock,
    pool,
    memory,
    counters,
    records,
    held,
    errors,
    ends,
    reader,
    deliver,
    get shorts() {
      return shorts;
    },
    get waiting() {
      return waiting.length;
    },
  };
}

function mark(length: number, last = true): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, (last ? 0x8000_0000 : 0) + length);
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** A record as its fragments, cut at the given shares. */
function fragmented(record: Uint8Array, cuts: readonly number[]): Uint8Array {
  const places = [...new Set(cuts.map((cut) => Math.floor(cut * record.length)))].sort((a, b) => a - b);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const to of places) {
    parts.push(mark(to - from, false), record.subarray(from, to));
    from = to;
  }
  return concat(...parts, mark(record.length - from), record.subarray(from));
}

const unit = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

describe("RecordReader (RFC 5531 §11)", () => {
  test.prop([
    fc.array(fc.tuple(fc.uint8Array({ maxLength: 3000 }), fc.array(unit, { maxLength: 6 })), { maxLength: 6 }),
    fc.array(unit, { maxLength: 12 }),
  ])("any fragmentation and any split of the stream give the same records", (records, splits) => {
    const talk = scene();
    const stream = concat(...records.map(([record, cuts]) => fragmented(record, cuts)));
    const places = splits.map((split) => Math.floor(split * stream.length)).sort((a, b) => a - b);
    let from = 0;
    for (const to of [...places, stream.length]) {
      talk.deliver(stream.subarray(from, to));
      from = to;
    }
    expect(talk.records.length).toBe(records.length);
    for (const [i, [record]] of records.entries()) expect(same(talk.records[i]!, record)).toBe(true);
    expect([talk.waiting, talk.errors, talk.memory.used, talk.pool.outstanding]).toEqual([0, [], 0, 0]);
  });

  it.each([1, 2, 3, 5])("takes %i byte at a time", (step) => {
    const talk = scene();
    const record = pattern(70_000);
    const stream = fragmented(record, [0.1, 0.5]);
    for (let at = 0; at < stream.length; at += step) talk.deliver(stream.subarray(at, at + step));
    expect(same(talk.records[0]!, record)).toBe(true);
  });

  it("takes a record in many fragments of one byte, moving it seldom", () => {
    const talk = scene();
    const record = pattern(60_000);
    const parts: Uint8Array[] = [];
    for (let i = 0; i < record.length; i++) parts.push(mark(1, i === record.length - 1), record.subarray(i, i + 1));
    talk.deliver(concat(...parts));
    expect(same(talk.records[0]!, record)).toBe(true);
    expect(talk.pool.allocated).toBeLessThan(10);
  });

  it("copies a record that comes in one piece once, into a buffer of its size", () => {
    const talk = scene();
    talk.deliver(concat(mark(100_000), pattern(100_000)));
    expect(talk.pool.allocated).toBe(1);
    expect(talk.memory.peak).toBeLessThanOrEqual(125_000);
  });

  it("takes no memory for a mark", () => {
    const talk = scene();
    talk.deliver(mark(1 << 20));
    expect([talk.memory.peak, talk.pool.allocated]).toEqual([0, 0]);
    talk.deliver(new Uint8Array(40));
    expect(talk.memory.peak).toBeLessThanOrEqual(1024);
  });

  test.prop([fc.integer({ min: 1, max: 1 << 20 }), fc.integer({ min: 1, max: 50_000 })], { numRuns: 30 })(
    "memory is at most 32 times what was received, or 1 KiB",
    (announced, sent) => {
      const talk = scene();
      talk.deliver(mark(announced, false));
      const bytes = new Uint8Array(Math.min(announced, sent));
      for (let at = 0; at < bytes.length; at += 1448) {
        talk.deliver(bytes.subarray(at, at + 1448));
        const received = Math.min(bytes.length, at + 1448);
        expect(talk.memory.used).toBeLessThanOrEqual(Math.max(1024, 1.25 * 32 * received));
        expect(talk.memory.used).toBeLessThanOrEqual(1.25 * (1 << 20));
      }
    },
  );

  it.each([
    ["a fragment above the limit", mark((1 << 20) + 1)],
    ["the longest fragment there is", mark(0x7fff_ffff, false)],
    ["fragments that add up to more", concat(mark(100, false), new Uint8Array(100), mark((1 << 20) - 99))],
  ])("refuses %s", (_, bytes) => {
    const talk = scene();
    talk.deliver(bytes);
    expect(talk.errors).toEqual(["RPC_RECORD_TOO_LONG"]);
    expect([talk.counters.recordsTooLong, talk.memory.used, talk.pool.outstanding]).toEqual([1, 0, 0]);
  });

  it("refuses endless empty fragments", () => {
    const talk = scene({ fragmentLimit: 100 });
    const empty = mark(0, false);
    for (let i = 0; i < 101; i++) talk.deliver(empty);
    expect(talk.errors).toEqual(["RPC_PROTOCOL_ERROR"]);
    expect(talk.counters.recordsOfTooManyFragments).toBe(1);
  });

  it("counts fragments per record", () => {
    const talk = scene({ fragmentLimit: 3 });
    const record = concat(mark(1, false), new Uint8Array(1), mark(0, false), mark(1), new Uint8Array(1));
    for (let i = 0; i < 10; i++) talk.deliver(record);
    expect([talk.records.length, talk.errors]).toEqual([10, []]);
  });

  it("gives an empty record for an empty last fragment", () => {
    const talk = scene();
    talk.deliver(concat(mark(0), mark(2, false), new Uint8Array(2), mark(0)));
    expect(talk.records.map((record) => record.length)).toEqual([0, 2]);
    expect(talk.memory.used).toBe(0);
  });

  it("pauses without memory, loses nothing, and goes on when some is released", async () => {
    const talk = scene({ limit: 100_000, keepRecords: true });
    const record = concat(mark(60_000), pattern(60_000));
    talk.deliver(record);
    talk.deliver(record);
    expect([talk.records.length, talk.waiting, talk.shorts, talk.counters.memoryPauses]).toEqual([1, 60_000, 1, 1]);
    talk.deliver(new Uint8Array(0));
    expect(talk.records.length).toBe(1);
    talk.held.shift()!();
    await talk.clock.runUntilIdle();
    expect([talk.records.length, talk.waiting]).toEqual([2, 0]);
    expect(same(talk.records[1]!, pattern(60_000))).toBe(true);
    talk.held.shift()!();
    expect(talk.memory.used).toBe(0);
  });

  it("takes small records though there is no memory", () => {
    const talk = scene({ limit: 100_000, keepRecords: true });
    talk.deliver(concat(mark(90_000), pattern(90_000)));
    for (let i = 0; i < 5; i++) talk.deliver(concat(mark(1000), pattern(1000)));
    expect([talk.records.length, talk.counters.memoryPauses]).toEqual([6, 0]);
  });

  it("gives back everything when it is closed, also what it was waiting for", async () => {
    const talk = scene({ limit: 100_000, keepRecords: true });
    talk.deliver(concat(mark(60_000), pattern(60_000)));
    talk.deliver(concat(mark(60_000), pattern(500)));
    talk.deliver(pattern(50_000));
    expect(talk.memory.waiting).toBe(1);
    talk.reader.close();
    talk.reader.close();
    expect(talk.memory.waiting).toBe(0);
    talk.held.shift()!();
    await talk.clock.runUntilIdle();
    expect([talk.memory.used, talk.pool.outstanding]).toEqual([0, 0]);
    expect(talk.reader.data(new Uint8Array(10), 0, 10)).toBe(10);
  });

  it("gives back memory that was granted but not used when it is closed", async () => {
    const talk = scene({ limit: 100_000, keepRecords: true });
    talk.deliver(concat(mark(60_000), pattern(60_000)));
    talk.deliver(concat(mark(60_000), pattern(50_000)));
    talk.held.shift()!();
    talk.reader.close();
    await talk.clock.runUntilIdle();
    expect([talk.memory.used, talk.pool.outstanding]).toEqual([0, 0]);
  });

  it("stops between records when held, and goes on", () => {
    const talk = scene();
    talk.reader.hold();
    talk.deliver(concat(mark(4), pattern(4)));
    expect([talk.records.length, talk.waiting]).toEqual([0, 8]);
    talk.reader.resume();
    expect([talk.records.length, talk.waiting]).toEqual([1, 0]);
  });

  it("gives a record its time from the first byte, whatever trickles in", async () => {
    const talk = scene();
    talk.deliver(concat(mark(3), pattern(3)));
    await talk.clock.runFor(3600e6);
    expect(talk.errors).toEqual([]);
    talk.deliver(mark(1000).subarray(0, 1));
    for (let i = 0; i < 11; i++) {
      await talk.clock.runFor(5e6);
      talk.deliver(i === 0 ? mark(1000).subarray(1) : pattern(1));
    }
    expect(talk.errors).toEqual([]);
    await talk.clock.runFor(6e6);
    expect([talk.errors, talk.counters.receiveTimeouts]).toEqual([["RPC_RECEIVE_TIMEOUT"], 1]);
    expect(talk.memory.used).toBe(0);
  });

  it("does not count its own pauses against the peer", async () => {
    const talk = scene();
    talk.deliver(concat(mark(10), pattern(4)));
    await talk.clock.runFor(50e6);
    talk.reader.hold();
    talk.deliver(pattern(1));
    await talk.clock.runFor(50e6);
    expect(talk.errors).toEqual([]);
  });

  it("expects a record from a stranger every so often, until it is none", async () => {
    const talk = scene({ idleTimeout: 30e6 });
    for (let i = 0; i < 5; i++) {
      await talk.clock.runFor(29e6);
      talk.deliver(concat(mark(1), pattern(1)));
    }
    expect(talk.errors).toEqual([]);
    talk.reader.relax(100, Number.POSITIVE_INFINITY);
    await talk.clock.runFor(1000e6);
    expect(talk.errors).toEqual([]);
    talk.deliver(mark(101));
    expect(talk.errors).toEqual(["RPC_RECORD_TOO_LONG"]);
    const silent = scene({ idleTimeout: 30e6 });
    await silent.clock.runFor(31e6);
    expect(silent.errors).toEqual(["RPC_RECEIVE_TIMEOUT"]);
  });

  it.each([
    [new Uint8Array(0), false],
    [new Uint8Array(2), true],
    [mark(4), true],
    [concat(mark(4), pattern(3)), true],
    [concat(mark(4, false), pattern(4)), true],
    [concat(mark(4), pattern(4)), false],
  ])("says whether the peer ended within a record (%#)", (bytes, truncated) => {
    const talk = scene();
    talk.deliver(bytes);
    talk.reader.end();
    expect(talk.ends).toEqual([truncated]);
  });
});

import { SeededRandom } from "@nfs4/timecounter";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ByteSink, ByteStream, Slice, StreamEnd } from "../src/types.ts";

/** A transport under test. */
export interface StreamHarness {
  /** Two streams, each the other's peer, without sinks. */
  pair(): Promise<readonly [ByteStream, ByteStream]>;
  /** At most so many bytes disappear into the transport's own buffers when the peer does not read. Default: 40 MiB, as kernels may. */
  readonly capacity?: number;
  /** Lets the transport work until the condition holds, and rejects when it can no longer come to hold. */
  until(condition: () => boolean): Promise<void>;
  /** Lets the transport do all that it can do at present. */
  settle(): Promise<void>;
  /** Ends what is left, and asserts what must hold of the transport as a whole. */
  close(): Promise<void>;
}

/** A sink that keeps what it takes, at most `limit` bytes of it until the limit is raised. */
class Collector implements ByteSink {
  limit: number;
  ends = 0;
  calls = 0;
  /** Took less than all, and has not asked for more. */
  #waits = false;
  /** Runs within `data()`, after taking. */
  onData: (() => void) | null = null;
  readonly #stream: ByteStream;
  readonly #chunks: Uint8Array[] = [];
  length = 0;

  constructor(stream: ByteStream, limit: number = Number.POSITIVE_INFINITY) {
    this.#stream = stream;
    this.limit = limit;
    stream.setSink(this);
  }

  data(slab: Uint8Array, offset: number, length: number): number {
    expect(this.ends).toBe(0);
    expect(this.#waits).toBe(false);
    expect(length).toBeGreaterThan(0);
    expect(offset + length).toBeLessThanOrEqual(slab.length);
    this.calls++;
    const taken = Math.min(length, this.limit - this.length);
    this.#chunks.push(slab.slice(offset, offset + taken));
    this.length += taken;
    this.#waits = taken < length;
    this.onData?.();
    return taken;
  }

  end(): void {
    this.ends++;
  }

  raise(limit: number): void {
    this.limit = limit;
    this.#waits = false;
    this.#stream.resume();
  }

  get bytes(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

/** Makes slices whose releases are counted. */
class Writer {
  made = 0;
  readonly released: number[] = [];

  slice(bytes: Uint8Array): Slice {
    const index = this.made++;
    this.released[index] = 0;
    return {
      bytes,
      release: () => {
        this.released[index]!++;
      },
    };
  }

  get allReleasedOnce(): boolean {
    return this.released.every((times) => times === 1);
  }

  get anyReleasedTwice(): boolean {
    return this.released.some((times) => times > 1);
  }
}

function watchClosed(stream: ByteStream): { end: StreamEnd | null } {
  const watched: { end: StreamEnd | null } = { end: null };
  void stream.closed.then((end) => {
    watched.end = end;
  });
  return watched;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** What every `ByteStream` promises (src/types.ts), as tests of a transport. */
export function describeByteStream(name: string, makeHarness: () => Promise<StreamHarness>): void {
  describe(`${name} keeps the contract of ByteStream`, () => {
    let harness: StreamHarness;
    let a: ByteStream;
    let b: ByteStream;

    beforeEach(async () => {
      harness = await makeHarness();
      [a, b] = await harness.pair();
    });

    afterEach(async () => {
      a.abort();
      b.abort();
      await harness.close();
    });

    it("each end's peer address is the other's own", () => {
      expect(a.peerAddress).toEqual(b.localAddress);
      expect(b.peerAddress).toEqual(a.localAddress);
    });

    it("delivers bytes in order both ways, however they are sliced, and releases each slice once", async () => {
      const random = new SeededRandom(1);
      const flows = [
        { from: a, to: b },
        { from: b, to: a },
      ].map(({ from, to }) => ({
        from,
        sink: new Collector(to),
        writer: new Writer(),
        all: random.fill(new Uint8Array(400_000)),
      }));
      for (const { from, writer, all } of flows) {
        let at = 0;
        while (at < all.length) {
          const slices = Array.from({ length: random.below(5) }, () => {
            const length = random.pick([0, 1, 3, random.below(100), random.below(9000), random.below(80_000)]);
            const slice = writer.slice(all.subarray(at, at + length));
            at += slice.bytes.length;
            return slice;
          });
          expect(from.write(slices)).toBe(from.queued);
        }
        from.shutdown();
      }
      const [closedA, closedB] = [watchClosed(a), watchClosed(b)];
      await harness.until(() => closedA.end !== null && closedB.end !== null);
      for (const { from, sink, writer, all } of flows) {
        expect(same(sink.bytes, all)).toBe(true);
        expect(sink.ends).toBe(1);
        expect(writer.allReleasedOnce).toBe(true);
        expect(from.queued).toBe(0);
      }
      expect([closedA.end, closedB.end]).toEqual([{ how: "closed" }, { how: "closed" }]);
    });

    it("calls no sink within write(), resume(), setSink() or shutdown() of either end", async () => {
      let within = false;
      const guard = (call: () => void): void => {
        within = true;
        call();
        within = false;
      };
      const check: ByteSink = {
        data: (_slab, _offset, length) => {
          expect(within).toBe(false);
          return length;
        },
        end: () => expect(within).toBe(false),
      };
      const closed = watchClosed(a);
      guard(() => a.write([{ bytes: new Uint8Array(10) }]));
      guard(() => b.setSink(check));
      guard(() => b.resume());
      guard(() => b.write([{ bytes: new Uint8Array(10) }]));
      guard(() => a.setSink(check));
      guard(() => a.shutdown());
      guard(() => b.shutdown());
      await harness.until(() => closed.end !== null);
      expect(closed.end).toEqual({ how: "closed" });
    });

    it("holds everything back until a sink is set", async () => {
      const payload = new SeededRandom(2).fill(new Uint8Array(5000));
      a.write([{ bytes: payload }]);
      a.shutdown();
      await harness.settle();
      const sink = new Collector(b);
      await harness.until(() => sink.ends === 1);
      expect(same(sink.bytes, payload)).toBe(true);
    });

    it("pauses when a sink takes less than all, offers nothing until resume(), then the very next byte", async () => {
      const payload = new SeededRandom(3).fill(new Uint8Array(10_000));
      const sink = new Collector(b, 0);
      a.write([{ bytes: payload.subarray(0, 5000) }]);
      await harness.until(() => sink.calls === 1);
      const whilePaused = [
        { limit: 1, act: () => a.write([{ bytes: payload.subarray(5000, 9000) }]) },
        { limit: 100, act: () => a.write([{ bytes: payload.subarray(9000) }]) },
        { limit: 4097, act: () => a.shutdown() },
        { limit: 9999, act: () => {} },
      ];
      for (const { limit, act } of whilePaused) {
        await harness.settle();
        const calls = sink.calls;
        act();
        await harness.settle();
        expect([sink.calls, sink.ends]).toEqual([calls, 0]);
        sink.raise(limit);
        await harness.until(() => sink.length === limit && sink.calls > calls);
      }
      sink.raise(Number.POSITIVE_INFINITY);
      await harness.until(() => sink.ends === 1);
      expect(same(sink.bytes, payload)).toBe(true);
    });

    it("resume() within data() is not lost, and goes on after it returns", async () => {
      const payload = new SeededRandom(4).fill(new Uint8Array(3000));
      let depth = 0;
      let taken = 0;
      const received = new Uint8Array(payload.length);
      b.setSink({
        data: (slab, offset, length) => {
          expect(++depth).toBe(1);
          const take = Math.min(length, 1 + (taken % 97));
          received.set(slab.subarray(offset, offset + take), taken);
          taken += take;
          b.resume();
          depth--;
          return take;
        },
        end: () => {},
      });
      a.write([{ bytes: payload }]);
      await harness.until(() => taken === payload.length);
      expect(same(received, payload)).toBe(true);
    });

    it("a sink may write to its own stream: an echo comes back whole", async () => {
      const payload = new SeededRandom(5).fill(new Uint8Array(200_000));
      b.setSink({
        data: (slab, offset, length) => {
          b.write([{ bytes: slab.slice(offset, offset + length) }]);
          return length;
        },
        end: () => b.shutdown(),
      });
      const sink = new Collector(a);
      const closed = watchClosed(a);
      for (let at = 0; at < payload.length; at += 7000) a.write([{ bytes: payload.subarray(at, at + 7000) }]);
      a.shutdown();
      await harness.until(() => closed.end !== null);
      expect(same(sink.bytes, payload)).toBe(true);
      expect(closed.end).toEqual({ how: "closed" });
    });

    it("lets a writer feel a peer that does not read, and calls onDrain once when half of it is gone", async () => {
      const block = new SeededRandom(6).fill(new Uint8Array(1 << 16));
      const writer = new Writer();
      const sink = new Collector(b, 10);
      const drains: number[] = [];
      a.onDrain = () => drains.push(a.queued);
      const blocks = 1 + Math.ceil(((harness.capacity ?? 40 << 20) + a.highWater) / block.length);
      for (let i = 0; i < blocks; i++) a.write([writer.slice(block)]);
      await harness.settle();
      expect(a.queued).toBeGreaterThan(a.highWater);
      expect(drains).toEqual([]);
      sink.raise(Number.POSITIVE_INFINITY);
      await harness.until(() => sink.length === blocks * block.length && a.queued === 0);
      expect(drains).toHaveLength(1);
      expect(drains[0]).toBeLessThanOrEqual(a.highWater / 2);
      expect(writer.allReleasedOnce).toBe(true);
      const bytes = sink.bytes;
      for (let i = 0; i < blocks; i++) {
        expect(same(bytes.subarray(i * block.length, (i + 1) * block.length), block)).toBe(true);
      }
    });

    it("a writer that stops above highWater and goes on at onDrain sends all of it", async () => {
      const block = new Uint8Array(50_000).fill(7);
      const total = 3 * a.highWater;
      const sink = new Collector(b);
      let sent = 0;
      let furthest = 0;
      const send = (): void => {
        while (sent < total) {
          sent += block.length;
          const queued = a.write([{ bytes: block }]);
          furthest = Math.max(furthest, queued - a.highWater);
          if (queued > a.highWater) return;
        }
        a.shutdown();
      };
      a.onDrain = send;
      send();
      await harness.until(() => sink.ends === 1);
      expect(sink.length).toBe(sent);
      expect(furthest).toBeLessThanOrEqual(block.length);
    });

    it("after shutdown() one way, the other way still carries bytes", async () => {
      const [sinkA, sinkB] = [new Collector(a), new Collector(b)];
      const [closedA, closedB] = [watchClosed(a), watchClosed(b)];
      const late = new Writer();
      a.write([{ bytes: Uint8Array.of(1, 2) }]);
      a.shutdown();
      a.shutdown();
      a.write([late.slice(Uint8Array.of(9))]);
      expect(late.allReleasedOnce).toBe(true);
      await harness.until(() => sinkB.ends === 1);
      expect([...sinkB.bytes]).toEqual([1, 2]);
      b.write([{ bytes: Uint8Array.of(3) }]);
      await harness.until(() => sinkA.length === 1);
      await harness.settle();
      expect([closedA.end, closedB.end, sinkA.ends]).toEqual([null, null, 0]);
      b.write([{ bytes: Uint8Array.of(4) }]);
      b.shutdown();
      await harness.until(() => closedA.end !== null && closedB.end !== null);
      expect([...sinkA.bytes]).toEqual([3, 4]);
      expect([sinkA.ends, sinkB.ends]).toEqual([1, 1]);
      expect([closedA.end, closedB.end]).toEqual([{ how: "closed" }, { how: "closed" }]);
    });

    it("gives a paused sink every byte, then the end, though both sides have shut down long since", async () => {
      const payload = new SeededRandom(7).fill(new Uint8Array(2000));
      const sink = new Collector(b, 500);
      new Collector(a);
      const closed = watchClosed(b);
      a.write([{ bytes: payload }]);
      a.shutdown();
      b.shutdown();
      await harness.until(() => sink.length === 500);
      await harness.settle();
      expect([sink.ends, closed.end]).toEqual([0, null]);
      sink.raise(1000);
      await harness.until(() => sink.length === 1000);
      sink.raise(Number.POSITIVE_INFINITY);
      await harness.until(() => closed.end !== null);
      expect(same(sink.bytes, payload)).toBe(true);
      expect([sink.ends, closed.end]).toEqual([1, { how: "closed" }]);
    });

    it("abort() ends this side with its reason and resets the other; nothing is delivered after it", async () => {
      const [sinkA, sinkB] = [new Collector(a), new Collector(b)];
      const [closedA, closedB] = [watchClosed(a), watchClosed(b)];
      a.write([{ bytes: Uint8Array.of(1) }]);
      b.write([{ bytes: Uint8Array.of(2) }]);
      await harness.until(() => sinkA.length === 1 && sinkB.length === 1);
      const reason = new Error("enough");
      a.abort(reason);
      a.abort(new Error("again"));
      const callsOfA = sinkA.calls;
      b.write([{ bytes: Uint8Array.of(3) }]);
      await harness.until(() => closedA.end !== null && closedB.end !== null);
      await harness.settle();
      expect(closedA.end).toEqual({ how: "aborted", error: reason });
      expect(closedB.end?.how).toBe("reset");
      expect(closedB.end?.error).toBeInstanceOf(Error);
      expect([sinkA.calls, sinkA.ends, sinkB.ends]).toEqual([callsOfA, 0, 0]);
    });

    it("abort() releases every slice once on both sides, also what is written later; no onDrain follows", async () => {
      const block = new Uint8Array(1 << 20);
      const writers = [new Writer(), new Writer()] as const;
      const drained: string[] = [];
      a.onDrain = () => drained.push("a");
      b.onDrain = () => drained.push("b");
      new Collector(a, 10);
      new Collector(b, 10);
      for (let i = 0; i < 20; i++) {
        a.write([writers[0].slice(block), writers[0].slice(new Uint8Array(0))]);
        b.write([writers[1].slice(block)]);
      }
      await harness.settle();
      const [closedA, closedB] = [watchClosed(a), watchClosed(b)];
      a.abort();
      a.write([writers[0].slice(block)]);
      await harness.until(() => closedA.end !== null);
      expect(closedA.end).toEqual({ how: "aborted" });
      expect([writers[0].allReleasedOnce, a.queued]).toEqual([true, 0]);
      // A kernel tells of a reset only to those who read.
      b.resume();
      b.setSink({ data: (_slab, _offset, length) => length, end: () => {} });
      await harness.until(() => closedB.end !== null);
      b.write([writers[1].slice(block)]);
      expect([writers[1].allReleasedOnce, b.queued]).toEqual([true, 0]);
      await harness.settle();
      expect([writers[0].anyReleasedTwice, writers[1].anyReleasedTwice, drained]).toEqual([false, false, []]);
    });

    it("a sink may abort its stream within data() and within end()", async () => {
      const closed = watchClosed(b);
      const sink = new Collector(b);
      sink.onData = () => b.abort();
      a.write([{ bytes: new Uint8Array(100_000) }]);
      await harness.until(() => closed.end !== null);
      await harness.settle();
      expect([sink.calls, closed.end]).toEqual([1, { how: "aborted" }]);

      const [c, d] = await harness.pair();
      const [closedC, closedD] = [watchClosed(c), watchClosed(d)];
      new Collector(c);
      d.setSink({ data: (_slab, _offset, length) => length, end: () => d.abort() });
      c.shutdown();
      await harness.until(() => closedC.end !== null && closedD.end !== null);
      expect([closedC.end?.how, closedD.end?.how]).toEqual(["reset", "aborted"]);
    });

    it("abort() right after shutdown(), before and after it has gone out, closes all the same", async () => {
      for (const turns of [0, 1, 2]) {
        const [c, d] = await harness.pair();
        const writer = new Writer();
        const [closedC, closedD] = [watchClosed(c), watchClosed(d)];
        new Collector(d);
        c.write([writer.slice(new Uint8Array(1000))]);
        c.shutdown();
        for (let i = 0; i < turns; i++) await harness.settle();
        c.abort();
        await harness.until(() => closedC.end !== null);
        d.abort();
        await harness.until(() => closedD.end !== null);
        expect(closedC.end?.how).toBe("aborted");
        expect(writer.allReleasedOnce).toBe(true);
      }
    });

    it("both sides may shut down at once", async () => {
      const [sinkA, sinkB] = [new Collector(a), new Collector(b)];
      const [closedA, closedB] = [watchClosed(a), watchClosed(b)];
      a.shutdown();
      b.shutdown();
      await harness.until(() => closedA.end !== null && closedB.end !== null);
      a.abort();
      expect([closedA.end, closedB.end, sinkA.ends, sinkB.ends]).toEqual([{ how: "closed" }, { how: "closed" }, 1, 1]);
    });
  });
}

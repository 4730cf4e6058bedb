import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  closeFd,
  errno,
  nativeAvailable,
  PacketPort,
  type PacketPortKind,
  READABLE,
  RECEIVE_MORE,
  socketPair,
  WRITABLE,
} from "./index.ts";

const available = nativeAvailable();
if (!available.ok) console.warn(`Packet ports are not tested: ${available.reason}`);

const open: PacketPort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

interface Setup {
  readonly kind?: PacketPortKind;
  readonly alignment?: number;
  readonly maxPacket?: number;
  readonly slabLength?: number;
  readonly onReady?: (events: number) => void;
}

interface Harness {
  readonly port: PacketPort;
  readonly slab: Uint8Array;
  readonly headers: Uint8Array;
  readonly descriptors: Int32Array;
  /** Receives once: copies of the packets, or the negative errno. */
  readonly take: (budget?: number) => Uint8Array[] | number;
  more: boolean;
}

function harness(fd: number, setup: Setup = {}): Harness {
  const slab = new Uint8Array(setup.slabLength ?? 1 << 20);
  const packets = new Int32Array(512);
  const headers = new Uint8Array(1 << 12);
  const descriptors = new Int32Array(1 << 14);
  const alignment = setup.alignment ?? 2;
  const port = new PacketPort({
    fd,
    kind: setup.kind ?? "message",
    slab,
    packets,
    headers,
    descriptors,
    alignment,
    maxPacket: setup.maxPacket ?? 9000,
    onReady: setup.onReady ?? (() => {}),
  });
  open.push(port);
  const h: Harness = {
    port,
    slab,
    headers,
    descriptors,
    more: false,
    take(budget = 256) {
      const result = port.receive(budget);
      if (result < 0) return result;
      h.more = (result & RECEIVE_MORE) !== 0;
      const taken: Uint8Array[] = [];
      for (let i = 0; i < (result & (RECEIVE_MORE - 1)); i++) {
        const offset = packets[2 * i]!;
        expect(offset % 16).toBe(alignment);
        taken.push(slab.slice(offset, offset + packets[2 * i + 1]!));
      }
      return taken;
    },
  };
  return h;
}

function pair(kind: "message" | "stream", setup: Setup = {}): [Harness, Harness] {
  const [a, b] = socketPair(kind === "stream" ? "stream" : "seqpacket");
  return [harness(a, { ...setup, kind }), harness(b, { ...setup, kind })];
}

/** Sends packets given as [header bytes, slices…], each slice cut out of a larger array. */
function sendAll(h: Harness, packets: readonly (readonly [Uint8Array, ...Uint8Array[]])[]): number {
  const slices: Uint8Array[] = [];
  let at = 0;
  let headerAt = 0;
  for (const [header, ...rest] of packets) {
    h.headers.set(header, headerAt);
    h.descriptors.set([headerAt, header.length, rest.length], at);
    at += 3;
    headerAt += header.length;
    for (const slice of rest) {
      const padded = new Uint8Array(slice.length + 5);
      padded.set(slice, 3);
      h.descriptors.set([slices.length, 3, slice.length], at);
      slices.push(padded);
      at += 3;
    }
  }
  return h.port.send(0, packets.length, slices);
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe.runIf(available.ok)("PacketPort", () => {
  it.each(["message", "stream"] as const)("%s: gathers what it sends and keeps packets apart", (kind) => {
    const [a, b] = pair(kind);
    expect(sendAll(a, [[bytes(1, 2)], [bytes(3), bytes(4, 5), bytes(6)], [bytes(), bytes(7)]])).toBe(3);
    expect(b.take()).toEqual([bytes(1, 2), bytes(3, 4, 5, 6), bytes(7)]);
    expect(b.more).toBe(false);
    expect(b.take()).toEqual([]);
  });

  it.each(["message", "stream"] as const)("%s: what comes out is what went in, whatever the sizes", (kind) => {
    const packet = fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 12 }), (packets) => {
        const [a, b] = pair(kind);
        expect(sendAll(a, packets as [Uint8Array, ...Uint8Array[]][])).toBe(packets.length);
        const received = [...(b.take(5) as Uint8Array[])];
        while (b.more) received.push(...(b.take(5) as Uint8Array[]));
        expect(received).toEqual(packets.map((pieces) => Uint8Array.from(pieces.flatMap((piece) => [...piece]))));
        a.port.close();
        b.port.close();
      }),
      { numRuns: 40 },
    );
  });

  it("says that more waits when the budget or the slab is used up", () => {
    const [a, b] = pair("message", { maxPacket: 1000, slabLength: 3 * 1008 + 16 });
    expect(
      sendAll(
        a,
        Array.from({ length: 5 }, (_, i) => [bytes(i)] as const),
      ),
    ).toBe(5);
    expect(b.take(2)).toEqual([bytes(0), bytes(1)]);
    expect(b.more).toBe(true);
    expect(b.take()).toEqual([bytes(2), bytes(3), bytes(4)]);
    expect(b.more).toBe(true);
    expect(b.take()).toEqual([]);
    expect(b.more).toBe(false);
  });

  it("drops and counts a message larger than maxPacket", () => {
    const [a, b] = pair("message", { maxPacket: 100 });
    expect(sendAll(a, [[new Uint8Array(101)], [new Uint8Array(100)]])).toBe(2);
    expect(b.take()).toEqual([new Uint8Array(100)]);
    expect(b.port.statistics()).toMatchObject({ truncated: 1, receivedPackets: 1 });
  });

  it.each(["message", "stream"] as const)("%s: stops at a full socket, and goes on where it stopped", (kind) => {
    const [a, b] = pair(kind);
    const payload = new Uint8Array(8000);
    a.descriptors.set([0, 4, 1, 0, 0, payload.length]);
    const view = new DataView(a.headers.buffer);
    const next = (): number => a.port.send(0, 1, [payload]);
    let sent = 0;
    let result = 1;
    while (result === 1 && sent < 10_000) {
      view.setUint32(0, sent);
      result = next();
      if (result === 1) sent++;
    }
    expect(result).toBe(-errno["EAGAIN"]!);
    expect(a.port.statistics().sendBlocked).toBeGreaterThan(0);
    let seen = 0;
    for (;;) {
      const taken = b.take(64) as Uint8Array[];
      for (const packet of taken) {
        expect(packet.length).toBe(8004);
        expect(new DataView(packet.buffer).getUint32(0)).toBe(seen++);
      }
      if (taken.length === 0) {
        // Of the last frame of a stream, the rest still waits on the sending side.
        if (seen === sent) break;
        view.setUint32(0, sent);
        expect(next()).toBe(1);
        sent++;
      }
    }
  });

  it("refuses descriptors out of bounds, after sending what comes before them", () => {
    const [a, b] = pair("message");
    const slice = new Uint8Array(10);
    const refused = -errno["EFAULT"]!;
    for (const bad of [
      [0, 4097, 0],
      [4096, 1, 0],
      [-1, 1, 0],
      [0, -1, 0],
      [0, 1, -1],
      [0, 1, 1 << 20],
      [0, 1, 1, 0, 0, 11],
      [0, 1, 1, 0, 10, 1],
      [0, 1, 1, 0, -1, 1],
      [0, 1, 1, 1, 0, 1],
      [0, 1, 1, -1, 0, 1],
      [0, 1, 1, 70_000, 0, 1],
    ]) {
      a.descriptors.set([0, 1, 0, ...bad]);
      expect(a.port.send(0, 2, [slice])).toBe(1);
      expect(a.port.send(3, 1, [slice])).toBe(refused);
      expect(b.take()).toHaveLength(1);
    }
    expect(a.port.send(a.descriptors.length, 1, [])).toBe(refused);
    expect(a.port.send(a.descriptors.length + 1, 1, [])).toBe(refused);
    a.descriptors.set([0, 1, 1023]);
    expect(a.port.send(0, 1, [slice])).toBe(-errno["EMSGSIZE"]!);
  });

  it("sends a batch of many slices in few system calls", () => {
    const [a, b] = pair("message");
    const packets = Array.from(
      { length: 100 },
      (_, i) => [bytes(i), ...Array.from({ length: 20 }, () => bytes(i, i))] as const,
    );
    expect(sendAll(a, packets as unknown as [Uint8Array, ...Uint8Array[]][])).toBe(100);
    expect(a.port.statistics()).toMatchObject({ sentPackets: 100, sentBytes: 4100, sendCalls: 3 });
    let count = 0;
    do {
      for (const packet of b.take() as Uint8Array[]) expect(packet).toEqual(new Uint8Array(41).fill(count++));
    } while (b.more);
    expect(count).toBe(100);
  });

  it.each(["message", "stream"] as const)("%s: tells the end once everything before it was received", (kind) => {
    const [a, b] = pair(kind);
    sendAll(a, [[bytes(1)], [bytes(2)]]);
    a.port.close();
    expect(b.take()).toEqual([bytes(1), bytes(2)]);
    expect(b.take()).toBe(-errno["EPIPE"]!);
    expect(b.take()).toBe(-errno["EPIPE"]!);
    expect(sendAll(b, [[bytes(1)]])).toBe(-errno["EPIPE"]!);
  });

  it("stream: a length of nothing or of too much is a protocol error", () => {
    for (const mark of [bytes(0, 0, 0, 0), bytes(0, 0, 0x23, 0x29), bytes(0xff, 0xff, 0xff, 0xff)]) {
      const [fd, other] = socketPair("stream");
      const raw = harness(fd, { kind: "device" });
      const framed = harness(other, { kind: "stream" });
      expect(sendAll(raw, [[bytes(0, 0, 0, 1, 9)], [mark]])).toBe(2);
      expect(framed.take()).toEqual([bytes(9)]);
      expect(framed.take()).toBe(-errno["EPROTO"]!);
    }
  });

  it("stream: frames that arrive byte by byte are put together", () => {
    const [fd, other] = socketPair("stream");
    const raw = harness(fd, { kind: "device" });
    const framed = harness(other, { kind: "stream" });
    const wire = [0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 1, 4];
    const taken: Uint8Array[] = [];
    for (const byte of wire) {
      sendAll(raw, [[bytes(byte)]]);
      taken.push(...(framed.take() as Uint8Array[]));
    }
    expect(taken).toEqual([bytes(1, 2, 3), bytes(4)]);
  });

  it("calls back once per arming, with what was asked for", async () => {
    const [fd, other] = socketPair("seqpacket");
    const events: number[] = [];
    let woken: () => void = () => {};
    const a = harness(fd);
    const b = harness(other, {
      onReady(fired) {
        events.push(fired);
        woken();
      },
    });
    const wake = (): Promise<void> => new Promise((resolve) => (woken = resolve));
    let next = wake();
    b.port.arm(READABLE);
    sendAll(a, [[bytes(1)]]);
    await next;
    // Not read and not armed: turns of the loop go by without a callback.
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    expect(events).toEqual([READABLE]);
    next = wake();
    b.port.arm(READABLE);
    await next;
    next = wake();
    b.port.arm(READABLE | WRITABLE);
    await next;
    expect(events).toEqual([READABLE, READABLE, READABLE | WRITABLE]);
    b.port.arm(READABLE);
    b.port.disarm();
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    expect(events).toHaveLength(3);
  });

  it("closes its descriptor exactly once", () => {
    const [a, b] = pair("message");
    a.port.close();
    const [reused, spare] = socketPair("seqpacket"); // takes the number that has become free
    a.port.close();
    closeFd(reused);
    closeFd(spare);
    expect(a.port.receive(1)).toBe(-errno["EBADF"]!);
    expect(a.port.send(0, 1, [])).toBe(-errno["EBADF"]!);
    expect(() => a.port.arm(READABLE)).toThrow("EBADF");
    expect(() => closeFd(reused)).toThrow("EBADF");
    expect(b.take()).toBe(-errno["EPIPE"]!);
  });
});

import type { Callout } from "@nfs4/timecounter";
import type { NetworkInterface, PacketTap } from "./interface.ts";
import type { OddPackets } from "./odd-packets.ts";
import type { InboundPacket, OutboundPacket } from "./packet.ts";
import { LINKTYPE_ETHERNET, LINKTYPE_RAW, PcapngWriter } from "./pcapng.ts";
import type { Stack } from "./stack.ts";
import type { Sysctl } from "./sysctl.ts";

/** Takes a capture that an odd packet has set off. Owns the bytes. */
export type OddCaptureSink = (capture: Uint8Array) => void;

/** How long after the first odd packet a capture is made, so that it shows what came of it. µs. */
const AFTERMATH = 500_000;
const OUT = 0;
const IN = 1;

/**
 * The last packets of all interfaces, their first bytes, in one slab: at all times, so that what led to a strange packet can be looked at after it has
 * come (a tcpdump for odd packets). Count, bytes and age are bounded; a packet costs a copy of its first bytes and no memory.
 */
export class OddRing implements PacketTap, OddPackets {
  readonly #stack: Stack;
  readonly #count: Sysctl<number>;
  readonly #snapLength: Sysctl<number>;
  readonly #seconds: Sysctl<number>;
  readonly #interval: Sysctl<number>;
  readonly #trigger: Callout;
  #slab: Uint8Array = new Uint8Array(0);
  #times: Float64Array = new Float64Array(0);
  /** Bytes kept, bytes that it had, and interface index × 2 + direction. */
  #captured: Uint16Array = new Uint16Array(0);
  #lengths: Int32Array = new Int32Array(0);
  #origins: Int32Array = new Int32Array(0);
  #reasons: (string | null)[] = [];
  #snap = 0;
  /** Where the next one goes, and how many places are in use. */
  #next = 0;
  #used = 0;
  #sink: OddCaptureSink | null = null;
  #quietUntil = Number.NEGATIVE_INFINITY;
  /** Packets marked, and captures that an odd packet set off. */
  readonly statistics: { marked: number; captures: number } = { marked: 0, captures: 0 };

  constructor(stack: Stack) {
    this.#stack = stack;
    let ready = false;
    const remake = (): void => {
      if (ready) this.#remake();
    };
    const { sysctl } = stack;
    this.#count = sysctl.number("net.odd.packets", 2048, {
      description: "Packets kept for a look at what led to an odd one; 0: none",
      minimum: 0,
      maximum: 1 << 20,
      onChange: remake,
    });
    this.#snapLength = sysctl.number("net.odd.snaplen", 128, {
      description: "Bytes kept of each of them, link header included",
      minimum: 64,
      maximum: 2048,
      onChange: remake,
    });
    this.#seconds = sysctl.number("net.odd.seconds", 10, {
      description: "Older ones are left out of a capture",
      minimum: 1,
      maximum: 3600,
    });
    this.#interval = sysctl.number("net.odd.interval", 60, {
      description: "Seconds between two captures that odd packets set off, at least",
      minimum: 1,
      maximum: 86_400,
    });
    this.#trigger = stack.clock.callout(() => this.#fire());
    ready = true;
    this.#remake();
    stack.oddPackets = this;
    stack.addTap(this);
    stack.onClose(() => this.#trigger.cancel());
  }

  // ——— Keeping ———

  received(iface: NetworkInterface, slab: Uint8Array, offset: number, length: number): void {
    if (this.#snap === 0) return;
    const kept = Math.min(length, this.#snap);
    copy(slab, offset, this.#slab, this.#note(iface.index * 2 + IN, length, kept), kept);
  }

  transmitted(iface: NetworkInterface, packet: OutboundPacket): void {
    if (this.#snap === 0) return;
    const { headerLength, payloadLength } = packet;
    const length = headerLength + payloadLength;
    const kept = Math.min(length, this.#snap);
    let at = this.#note(iface.index * 2 + OUT, length, kept);
    const end = at + kept;
    const head = Math.min(headerLength, kept);
    copy(packet.slab, packet.headerOffset, this.#slab, at, head);
    at += head;
    for (let i = 0; at < end; i++) {
      const available = packet.sliceLengths[i]!;
      const count = Math.min(available, end - at);
      copy(packet.slices[i]!, packet.sliceOffsets[i]!, this.#slab, at, count);
      at += count;
    }
  }

  /** The packet on its way up is odd: it is the last that came in. Of several reasons the first stays. */
  mark(packet: InboundPacket, reason: string): void {
    this.statistics.marked++;
    if (this.#used === 0) return;
    const places = this.#lengths.length;
    const origin = packet.iface.index * 2 + IN;
    let index = this.#next;
    for (let i = 0; i < this.#used; i++) {
      index = index === 0 ? places - 1 : index - 1;
      if (this.#origins[index] === origin) break;
    }
    if (this.#origins[index] !== origin) return;
    this.#reasons[index] ??= reason;
    if (this.#sink === null || this.#trigger.armed) return;
    const now = this.#stack.clock.coarse();
    if (now >= this.#quietUntil) this.#trigger.schedule(now + AFTERMATH);
  }

  #note(origin: number, length: number, kept: number): number {
    const index = this.#next;
    const places = this.#lengths.length;
    this.#next = index + 1 === places ? 0 : index + 1;
    if (this.#used < places) this.#used++;
    this.#times[index] = this.#stack.clock.coarse();
    this.#captured[index] = kept;
    this.#lengths[index] = length;
    this.#origins[index] = origin;
    this.#reasons[index] = null;
    return index * this.#snap;
  }

  // ——— Looking ———

  /** What is kept, as a pcapng file: oldest first, the reason of each odd packet in its comment. */
  capture(): Uint8Array {
    const parts: Uint8Array[] = [];
    const writer = new PcapngWriter((bytes) => parts.push(bytes), `nfs4 netstack, ${this.#stack.name}: odd packets`);
    const numbers = new Map<number, number>();
    for (const { name, index, capabilities, macAddress } of this.#stack.interfaces) {
      const linkType = capabilities.medium === "ethernet" ? LINKTYPE_ETHERNET : LINKTYPE_RAW;
      numbers.set(index, writer.addInterface({ name, linkType, macAddress, snapLength: this.#snap }));
    }
    const { clock } = this.#stack;
    const now = clock.coarse();
    const wall = clock.wall();
    const places = this.#lengths.length;
    for (let i = 0; i < this.#used; i++) {
      const index = (this.#next - this.#used + i + places) % places;
      const age = now - this.#times[index]!;
      const number = numbers.get(this.#origins[index]! >> 1);
      if (age > this.#seconds.value * 1e6 || number === undefined) continue;
      const at = index * this.#snap;
      writer.packet(
        number,
        earlier(wall, age),
        this.#slab.subarray(at, at + this.#captured[index]!),
        (this.#origins[index]! & 1) === IN ? "in" : "out",
        this.#reasons[index] ?? undefined,
        this.#lengths[index]!,
      );
    }
    return joined(parts, writer.bytes);
  }

  /** From now on an odd packet sets a capture off, half a second later and not again for net.odd.interval. Null: no longer. */
  watch(sink: OddCaptureSink | null): void {
    this.#sink = sink;
    if (sink === null) this.#trigger.cancel();
  }

  #fire(): void {
    if (this.#sink === null) return;
    this.#quietUntil = this.#stack.clock.coarse() + this.#interval.value * 1e6;
    this.statistics.captures++;
    this.#sink(this.capture());
  }

  #remake(): void {
    const places = this.#count.value;
    this.#snap = places === 0 ? 0 : this.#snapLength.value;
    this.#slab = new Uint8Array(places * this.#snap);
    this.#times = new Float64Array(places);
    this.#captured = new Uint16Array(places);
    this.#lengths = new Int32Array(places);
    this.#origins = new Int32Array(places);
    this.#reasons = new Array<string | null>(places).fill(null);
    this.#next = 0;
    this.#used = 0;
  }
}

/** A loop: for so few bytes a view costs more, and memory. */
function copy(from: Uint8Array, offset: number, to: Uint8Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) to[at + i] = from[offset + i]!;
}

function earlier(time: { seconds: number; nanoseconds: number }, us: number): { seconds: number; nanoseconds: number } {
  const nanoseconds = time.nanoseconds - Math.round((us % 1e6) * 1000);
  const seconds = time.seconds - Math.floor(us / 1e6);
  return nanoseconds < 0 ? { seconds: seconds - 1, nanoseconds: nanoseconds + 1e9 } : { seconds, nanoseconds };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

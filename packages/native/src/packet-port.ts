import { addon, type NativePacketPort } from "./addon.ts";
import { Watcher } from "./watcher.ts";

/** In the result of `receive`: more packets may be waiting. The count is in the bits below. */
export const RECEIVE_MORE: number = 1 << 16;

/**
 * - `device`: a TUN or TAP, one packet per system call.
 * - `message`: a socket that keeps message boundaries (SEQPACKET as UML's `bess` and `fd`, or datagrams), many packets per call.
 * - `stream`: frames with a 4-byte big-endian length before each (QEMU's `-netdev stream`).
 */
export type PacketPortKind = "device" | "message" | "stream";

const KINDS: Readonly<Record<PacketPortKind, number>> = { device: 0, message: 1, stream: 2 };

export interface PacketPortOptions {
  /** A non-blocking descriptor. The port owns it once it is constructed, and closes it. */
  readonly fd: number;
  readonly kind: PacketPortKind;
  /** Where received packets are laid, at most 2 GiB. Overwritten by every `receive`. */
  readonly slab: Uint8Array;
  /** Filled by `receive` with pairs of offset and length in `slab`. Half of its length bounds the budget. */
  readonly packets: Int32Array;
  /** Where the caller composes headers; the first piece of every packet sent comes from here. */
  readonly headers: Uint8Array;
  /** What `send` is to send; see there. */
  readonly descriptors: Int32Array;
  /**
   * Packets begin at this offset modulo 16 in the slab (relative to the slab's first byte): 6 on a TUN and 8 on a TAP with
   * virtio headers put the IP header on a multiple of 16, 2 does so for bare Ethernet frames, 0 for bare IP packets.
   */
  readonly alignment: number;
  /**
   * The largest packet to be received, virtio header included, at most 131,072. A larger message is dropped and counted. `message`
   * gives each packet a slot of this size in the slab; the other kinds pack them and only stop when less than this is left.
   */
  readonly maxPacket: number;
  /** Called once per `arm` with READABLE and/or WRITABLE. */
  readonly onReady: (events: number) => void;
}

export interface PacketPortStatistics {
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  /** System calls. */
  readonly receiveCalls: number;
  /** Messages dropped because they were larger than `maxPacket`. */
  readonly truncated: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
  /** System calls. */
  readonly sendCalls: number;
  /** How often a batch stopped because the socket was full. */
  readonly sendBlocked: number;
}

/**
 * Whole packets over one descriptor, in batches, with memory that is registered once: a call passes integers only. None of the
 * arrays may be transferred, detached or grown while the port is open.
 */
export class PacketPort {
  readonly #native: NativePacketPort;
  readonly #watcher: Watcher;
  readonly #statistics: Float64Array = new Float64Array(8);

  constructor(options: PacketPortOptions) {
    const { fd, kind, alignment, maxPacket, slab, packets, headers, descriptors } = options;
    const watcher = new Watcher(fd, options.onReady);
    try {
      this.#native = new (addon().PacketPort)(
        fd,
        KINDS[kind],
        alignment,
        maxPacket,
        slab,
        packets,
        headers,
        descriptors,
        this.#statistics,
      );
    } catch (error) {
      watcher.close();
      throw error;
    }
    this.#watcher = watcher;
  }

  /**
   * Receives up to `budget` packets. Returns their count, with RECEIVE_MORE added if it stopped for another reason than that
   * nothing was left (budget or slab exhausted); 0 if nothing waits; a negative errno (−EPIPE: the peer has closed; −EPROTO: a stream's length
   * makes no sense) only when no packet came before it.
   */
  receive(budget: number): number {
    return this.#native.receive(budget);
  }

  /**
   * Sends `count` packets, described in `descriptors` from element `start` on. Per packet: headerOffset, headerLength, sliceCount (at most 1022), then per slice:
   * index into `slices`, offset, length. A packet with sliceCount 0 is all in the header slab.
   *
   * Returns how many went, which is less than `count` when the device or socket takes no more or a packet is refused: go on from the first
   * one that was not sent, and if that fails at once the negative errno says why (−EAGAIN: wait for WRITABLE; −EFAULT: a descriptor is out
   * of bounds; −EIO: the interface is down; −EPIPE: the peer is gone). Bytes are read during the call only.
   */
  send(start: number, count: number, slices: readonly Uint8Array[]): number {
    return this.#native.send(start, count, slices);
  }

  /**
   * A stream may take a frame in part; it counts as sent, and its rest goes with the next `send`, or with this: 0 when nothing is left,
   * else a negative errno (−EAGAIN: wait for WRITABLE). Always 0 for other kinds.
   */
  flush(): number {
    return this.#native.send(0, 0, []);
  }

  /** Asks for one `onReady` when READABLE or WRITABLE. Costs no system call within `onReady`. */
  arm(events: number): void {
    this.#watcher.arm(events);
  }

  disarm(): void {
    this.#watcher.disarm();
  }

  /** Whether the port keeps the process alive while armed; true at first. */
  setReferenced(keepAlive: boolean): void {
    this.#watcher.setReferenced(keepAlive);
  }

  /** A snapshot. */
  statistics(): PacketPortStatistics {
    const s = this.#statistics;
    return {
      receivedPackets: s[0]!,
      receivedBytes: s[1]!,
      receiveCalls: s[2]!,
      truncated: s[3]!,
      sentPackets: s[4]!,
      sentBytes: s[5]!,
      sendCalls: s[6]!,
      sendBlocked: s[7]!,
    };
  }

  /** Stops watching and closes the descriptor. Idempotent; afterwards `receive` and `send` return −EBADF. */
  close(): void {
    this.#watcher.close();
    this.#native.close();
  }
}

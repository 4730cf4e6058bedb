/**
 * The driver API (docs/driver-api.md): what a network device looks like to the stack. A driver moves packets and knows nothing
 * of what is in them beyond the offload fields below.
 */
import type { ChecksumState, OutboundPacket } from "./packet.ts";

export interface DriverCapabilities {
  /** `ip`: bare IP packets (TUN). `ethernet`: frames with a 14-byte header, no FCS. */
  readonly medium: "ip" | "ethernet";
  /** Largest IP packet that the link carries unsegmented, in bytes. */
  readonly mtu: number;
  /** Six bytes, for `ethernet`; null means the stack chooses and keeps one. */
  readonly macAddress: Uint8Array | null;
  /** True: the stack may leave transport checksums partial (folded pseudo-header sum in place). */
  readonly transmitChecksum: boolean;
  /** Largest IPv4 / IPv6 packet accepted with `segmentSize` set (TSO); 0: none. */
  readonly segmentation4: number;
  readonly segmentation6: number;
}

/** Packets that one `poll` gave. The arrays belong to the driver and are valid until its next `poll`. */
export interface ReceiveBatch {
  readonly slab: Uint8Array;
  readonly view: DataView;
  /** Per packet: where it begins in the slab (link header first, IP header for `ip`), its length, and what is known of its checksum. */
  readonly offsets: Int32Array;
  readonly lengths: Int32Array;
  readonly checksums: ArrayLike<ChecksumState | number>;
  /** Per packet: payload bytes of each segment in a coalesced super-segment, or 0. */
  readonly segmentSizes: ArrayLike<number>;
}

export interface DriverStatistics {
  packetsReceived: number;
  bytesReceived: number;
  packetsSent: number;
  bytesSent: number;
  /** Packets that the device or the driver lost on the way in (too long, malformed offload header …). */
  receiveErrors: number;
  /** Packets that the device would not take. */
  transmitDrops: number;
  polls: number;
  /** Polls that used their whole budget: feedback for the polling scheduler. */
  pollsExhausted: number;
}

/** What a driver calls when it has something for the stack. Never from within `poll`. */
export interface DriverEvents {
  /** Packets may wait. Called once after `start`, and once after each `wake()` (which the stack calls when it has polled the driver empty). */
  ready(): void;
  linkChanged(up: boolean): void;
}

export interface Driver {
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  readonly linkUp: boolean;
  readonly statistics: DriverStatistics;
  /** Attaches the stack. `headerSlab` holds the headers of every packet given to `transmit`; register it once. */
  start(events: DriverEvents, headerSlab: Uint8Array): void;
  /** What the last `poll` gave. */
  readonly batch: ReceiveBatch;
  /**
   * Receives at most `budget` packets into `batch` and returns how many. A result equal to `budget` means that more may wait.
   * Never blocks.
   */
  poll(budget: number): number;
  /** Asks for `ready()` when packets come in again; called after a `poll` that gave less than its budget. */
  wake(): void;
  /**
   * Sends `packets[0 … count)`. Everything must have been copied or handed to the device when it returns: headers and payload are reused.
   * The virtio (or other device) header may be written in the headroom in front of `headerOffset`. What the device would not take is
   * counted in `transmitDrops`.
   */
  transmit(packets: readonly OutboundPacket[], count: number): void;
  /** Idempotent. After it no event is called. */
  close(): Promise<void>;
}

import type { ReceiveBatch } from "../driver.ts";
import { CHECKSUM_UNKNOWN, type ChecksumState } from "../packet.ts";

/**
 * A first-in first-out queue of packets in one slab: written once, and read where they lie. What `take` gave stays valid until the next `take`.
 */
export class PacketRing implements ReceiveBatch {
  readonly slab: Uint8Array;
  readonly view: DataView;
  readonly offsets: Int32Array;
  readonly lengths: Int32Array;
  readonly checksums: Uint8Array;
  readonly segmentSizes: Int32Array;
  readonly #entries: Int32Array;
  readonly #mostPackets: number;
  /** Packets queued, and the index of the first. */
  #count = 0;
  #first = 0;
  /** Bytes in use lie from `#tail` to `#head`, going round at the end. */
  #head = 0;
  #tail = 0;
  #lent = 0;

  constructor(bytes: number, packets: number, batch: number) {
    this.slab = new Uint8Array(bytes);
    this.view = new DataView(this.slab.buffer);
    this.offsets = new Int32Array(batch);
    this.lengths = new Int32Array(batch);
    this.checksums = new Uint8Array(batch);
    this.segmentSizes = new Int32Array(batch);
    this.#entries = new Int32Array(packets * 4);
    this.#mostPackets = packets;
  }

  /** Packets that `take` would give. */
  get waiting(): number {
    return this.#count - this.#lent;
  }

  /** Makes room for a packet of `length` bytes and returns where to write it, or −1 if there is none. */
  put(length: number, checksum: ChecksumState = CHECKSUM_UNKNOWN, segmentSize = 0): number {
    const at = this.#count < this.#mostPackets ? this.#place(length) : -1;
    if (at < 0) return -1;
    const index = ((this.#first + this.#count++) % this.#mostPackets) * 4;
    this.#entries[index] = at;
    this.#entries[index + 1] = length;
    this.#entries[index + 2] = checksum;
    this.#entries[index + 3] = segmentSize;
    // Word alignment of the next packet.
    this.#head = at + ((length + 3) & ~3);
    return at;
  }

  /** Moves at most `budget` packets into the batch arrays; what the last call gave is free again. */
  take(budget: number): number {
    this.#release();
    const count = Math.min(budget, this.#count, this.offsets.length);
    for (let i = 0; i < count; i++) {
      const index = ((this.#first + i) % this.#mostPackets) * 4;
      this.offsets[i] = this.#entries[index] as number;
      this.lengths[i] = this.#entries[index + 1] as number;
      this.checksums[i] = this.#entries[index + 2] as number;
      this.segmentSizes[i] = this.#entries[index + 3] as number;
    }
    this.#lent = count;
    return count;
  }

  #release(): void {
    if (this.#lent === 0) return;
    this.#first = (this.#first + this.#lent) % this.#mostPackets;
    this.#count -= this.#lent;
    this.#lent = 0;
    if (this.#count === 0) {
      this.#head = 0;
      this.#tail = 0;
    } else {
      this.#tail = this.#entries[this.#first * 4] as number;
    }
  }

  #place(length: number): number {
    const size = this.slab.length;
    if (this.#count === 0) return length <= size ? 0 : -1;
    if (this.#head > this.#tail) {
      if (this.#head + length <= size) return this.#head;
      return length < this.#tail ? 0 : -1;
    }
    return this.#head + length < this.#tail ? this.#head : -1;
  }
}

import { HEADER_REGION, OutboundPacket } from "./packet.ts";

/** So many packets may be under way between a transport and the drivers' queues at once; they leave at the end of every stack entry. */
const BOUND = 1024;
const CHUNK = 64;

/** The packets of one stack over one header slab, made in chunks as they are needed. */
export class OutboundPool {
  readonly slab: Uint8Array = new Uint8Array(BOUND * HEADER_REGION);
  readonly #view = new DataView(this.slab.buffer);
  readonly #free: OutboundPacket[] = [];
  #made = 0;

  /** Packets given out and not yet back. */
  get outstanding(): number {
    return this.#made - this.#free.length;
  }

  /** Null when every packet is out. */
  acquire(): OutboundPacket | null {
    const packet = this.#free.pop();
    if (packet !== undefined) return packet;
    if (this.#made === BOUND) return null;
    for (let i = 0; i < CHUNK; i++) {
      this.#free.push(new OutboundPacket(this.slab, this.#view, (this.#made + i) * HEADER_REGION));
    }
    this.#made += CHUNK;
    return this.#free.pop() as OutboundPacket;
  }

  release(packet: OutboundPacket): void {
    packet.recycle();
    this.#free.push(packet);
  }
}

import type { InboundPacket } from "../packet.ts";

/** What a fragment costs beside its bytes. */
const OVERHEAD = 128;

export interface Fragment {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** A datagram of which some fragments are here. */
export class PartialDatagram {
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
  readonly s3: number;
  readonly d0: number;
  readonly d1: number;
  readonly d2: number;
  readonly d3: number;
  readonly id: number;
  /** As the first fragment says, once that is here. */
  protocol: number;
  readonly hash: number;
  readonly deadline: number;
  next: PartialDatagram | null = null;
  /** Sorted, none overlapping. */
  readonly fragments: Fragment[] = [];
  /** Fragments that came in, for the counters. */
  arrived = 0;
  /** Payload bytes here, and where the payload ends (−1: the last fragment is not here). */
  received = 0;
  end = -1;
  /** Overlapping fragments came: everything of it is refused until it times out (RFC 5722 §4). */
  poisoned = false;
  /** Header of the fragment at offset 0 (IP and, for IPv6, the headers before the fragment header). */
  header: Uint8Array | null = null;
  sawNotEct = false;
  sawCe = false;
  trafficClass = 0;

  constructor(packet: InboundPacket, id: number, hash: number, deadline: number) {
    this.s0 = packet.src0;
    this.s1 = packet.src1;
    this.s2 = packet.src2;
    this.s3 = packet.src3;
    this.d0 = packet.dst0;
    this.d1 = packet.dst1;
    this.d2 = packet.dst2;
    this.d3 = packet.dst3;
    this.id = id;
    this.protocol = packet.protocol;
    this.hash = hash;
    this.deadline = deadline;
  }

  /** Bytes that count against the limit. */
  get cost(): number {
    return OVERHEAD + this.fragments.length * OVERHEAD + this.received;
  }

  isOf(packet: InboundPacket, id: number, keyedByProtocol: boolean): boolean {
    return (
      this.id === id &&
      this.s3 === packet.src3 &&
      this.d3 === packet.dst3 &&
      this.s2 === packet.src2 &&
      this.d2 === packet.dst2 &&
      this.s1 === packet.src1 &&
      this.d1 === packet.dst1 &&
      this.s0 === packet.src0 &&
      this.d0 === packet.dst0 &&
      (!keyedByProtocol || this.protocol === packet.protocol)
    );
  }

  /** Header, then the payload in one piece. Only when complete. */
  join(): Uint8Array {
    const header = this.header as Uint8Array;
    const whole = new Uint8Array(header.length + this.received);
    whole.set(header);
    for (const fragment of this.fragments) whole.set(fragment.bytes, header.length + fragment.from);
    return whole;
  }
}

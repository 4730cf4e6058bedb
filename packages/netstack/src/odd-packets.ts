import type { InboundPacket } from "./packet.ts";

/** Who wants to see the packets that were dropped for being strange: `stack.oddPackets`. */
export interface OddPackets {
  /** `packet` is lent for the call; `reason` is one of few constant phrases, without anything secret. */
  mark(packet: InboundPacket, reason: string): void;
}

/** Nobody looks. */
export const ignoreOddPackets: OddPackets = { mark(): void {} };

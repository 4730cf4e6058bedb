import type { FlowKey } from "./flow.ts";
import type { SipHash } from "./siphash.ts";

/** Begins a keyed hash over both ends of a flow, addresses and ports; its caller may add words, and ends it. */
export function beginWithEnds(hash: SipHash, key: FlowKey): SipHash {
  return hash
    .begin()
    .word(key.l0)
    .word(key.l1)
    .word(key.l2)
    .word(key.l3)
    .word(key.r0)
    .word(key.r1)
    .word(key.r2)
    .word(key.r3)
    .word((key.localPort << 16) | key.remotePort);
}

import type { Signer } from "./signatures/signer.ts";

/** What a flow is: a connection, an embryonic one in the SYN cache, or what is left of one in TIME-WAIT. */
export const FLOW_CONNECTION = 0;
export const FLOW_SYN = 1;
export const FLOW_TIME_WAIT = 2;
export type FlowKind = typeof FLOW_CONNECTION | typeof FLOW_SYN | typeof FLOW_TIME_WAIT;

/** Whatever a segment's addresses and ports can lead to: one table finds them all with one look. */
export class Flow {
  readonly kind: FlowKind;
  readonly family: 4 | 6;
  readonly l0: number;
  readonly l1: number;
  readonly l2: number;
  readonly l3: number;
  readonly localPort: number;
  readonly r0: number;
  readonly r1: number;
  readonly r2: number;
  readonly r3: number;
  readonly remotePort: number;
  /** Signs what is sent and judges what comes in; null: neither is signed. */
  signer: Signer | null = null;
  /** The table's: its hash and its chain. */
  hash = 0;
  nextInBucket: Flow | null = null;

  constructor(kind: FlowKind, key: FlowKey) {
    this.kind = kind;
    this.family = key.family;
    this.l0 = key.l0;
    this.l1 = key.l1;
    this.l2 = key.l2;
    this.l3 = key.l3;
    this.localPort = key.localPort;
    this.r0 = key.r0;
    this.r1 = key.r1;
    this.r2 = key.r2;
    this.r3 = key.r3;
    this.remotePort = key.remotePort;
  }
}

/** A flow's ends, and who signs for it. `Flow` is one. */
export interface SignedFlowKey extends FlowKey {
  readonly signer: Signer | null;
}

/** The two ends of a flow. `Flow` is one. */
export interface FlowKey {
  readonly family: 4 | 6;
  readonly l0: number;
  readonly l1: number;
  readonly l2: number;
  readonly l3: number;
  readonly localPort: number;
  readonly r0: number;
  readonly r1: number;
  readonly r2: number;
  readonly r3: number;
  readonly remotePort: number;
}

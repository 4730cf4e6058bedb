import type { Callout } from "@nfs4/timecounter";
import type { HeldPacket } from "./held-packet.ts";

/** States of RFC 4861 §7.3.2, for ARP as well. From REACHABLE on, packets are sent. */
export const DEAD = 0;
export const INCOMPLETE = 1;
export const REACHABLE = 2;
export const STALE = 3;
export const DELAY = 4;
export const PROBE = 5;
/** Configured; never asked for, never expires. */
export const PERMANENT = 6;
export type NeighborState =
  | typeof DEAD
  | typeof INCOMPLETE
  | typeof REACHABLE
  | typeof STALE
  | typeof DELAY
  | typeof PROBE
  | typeof PERMANENT;

/** One next hop on an Ethernet link, and what is known of it. */
export class Neighbor {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly callout: Callout;
  state: NeighborState = INCOMPLETE;
  /** First two and last four bytes of the MAC address. */
  macHigh = 0;
  macLow = 0;
  /** ND: the neighbour said that it is a router. */
  isRouter = false;
  /** Solicitations sent since the last answer. */
  asked = 0;
  /** Packets that wait for the address, oldest first. */
  readonly held: HeldPacket[] = [];

  constructor(w0: number, w1: number, w2: number, w3: number, makeCallout: (neighbor: Neighbor) => Callout) {
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
    this.callout = makeCallout(this);
  }
}

/** RFC 4861 §7.3.2, for ARP as well: an address of the link and what is known of it. */
export type NeighborState = "incomplete" | "reachable" | "stale" | "delay" | "probe" | "permanent";

/** One next hop on an Ethernet link. */
export class Neighbor {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  state: NeighborState = "incomplete";
  /** First two and last four bytes of the MAC address. */
  macHigh = 0;
  macLow = 0;

  constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
  }
}

import { Histogram } from "./histogram.ts";

/** Of retransmissions, in the order of loss-events.ts. */
const CAUSES: readonly string[] = ["timeout", "rack", "dupack", "probe", "rescue", "mtu", "window"];

/** What a stack's TCP has seen, by size: how the ways are, and what its peers' loss is made of. Each event is one call of `add`. */
export class TcpHistograms {
  readonly rtt: Histogram = new Histogram("Round-trip times measured", "µs");
  readonly outOfOrderDistance: Histogram = new Histogram(
    "How far beyond the next byte segments came out of order",
    "bytes",
  );
  readonly duplicateAckRun: Histogram = new Histogram(
    "Duplicate acknowledgments in a row before new data was acknowledged",
    "segments",
  );
  readonly reorderingDistance: Histogram = new Histogram(
    "How far data was overtaken by what was sent after it",
    "bytes",
  );
  readonly reorderingDelay: Histogram = new Histogram("How long after what had overtaken it such data arrived", "µs");
  /** By cause, in the order of loss-events.ts. */
  readonly retransmissions: readonly Histogram[] = CAUSES.map(
    (cause) => new Histogram(`Sent again: ${cause}`, "bytes"),
  );

  /** All of them by name; those of retransmissions are told apart by their cause. */
  *entries(): Generator<readonly [name: string, cause: string | null, histogram: Histogram], void, undefined> {
    yield ["rtt", null, this.rtt];
    yield ["outOfOrderDistance", null, this.outOfOrderDistance];
    yield ["duplicateAckRun", null, this.duplicateAckRun];
    yield ["reorderingDistance", null, this.reorderingDistance];
    yield ["reorderingDelay", null, this.reorderingDelay];
    for (const [i, histogram] of this.retransmissions.entries()) yield ["retransmissions", CAUSES[i]!, histogram];
  }

  /** Ready to print: those that hold anything, each bucket with a bar. */
  toString(): string {
    const parts: string[] = [];
    for (const [, , histogram] of this.entries()) if (histogram.count > 0) parts.push(histogram.toString());
    return parts.join("\n");
  }

  reset(): void {
    for (const [, , histogram] of this.entries()) histogram.reset();
  }
}

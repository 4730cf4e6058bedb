/** What one recovery keeps account of. Made when recovery first begins. Bytes, sequence numbers, and µs of uptime. */
export class Recovery {
  /** When it began, and what was in flight then. */
  startedAt = 0;
  flight = 0;
  /** Delivered and sent since (RFC 6937: prr_delivered, prr_out). */
  delivered = 0;
  sent = 0;
  /** RFC 6675's rescue retransmission: not before SND.UNA is beyond this, and once. */
  rescueAfter = 0;
  rescued = false;

  begin(now: number, flight: number, sndUna: number): void {
    this.startedAt = now;
    this.flight = Math.max(1, flight);
    this.delivered = 0;
    this.sent = 0;
    this.rescueAfter = sndUna;
    this.rescued = false;
  }
}

/** Microseconds per millisecond. */
const MS = 1000;

/** What the estimator is tuned by (net.inet.tcp.rexmit_*): µs. */
export interface RttLimits {
  readonly initialUs: number;
  readonly minimumUs: number;
  readonly slopUs: number;
  readonly maximumUs: number;
}

/**
 * Round-trip time after RFC 6298, in µs. Its RTO is FreeBSD's: max(rexmit_min, SRTT + 4 × RTTVAR) + rexmit_slop, where the RFC would have 1 s as
 * the least; the slop covers the peer's delayed acknowledgments and a late timer.
 */
export class RttEstimate {
  /** 0: no sample yet. */
  srtt = 0;
  rttVar = 0;
  /** Without backoff. */
  rto: number;
  /** Smallest sample. */
  minimum: number = Number.POSITIVE_INFINITY;
  samples = 0;

  constructor(limits: RttLimits) {
    this.rto = limits.initialUs;
  }

  /**
   * Takes a sample in µs. `perRtt`: how many samples this window's worth of data gives; several a round trip weigh less each (RFC 7323 appendix G).
   */
  sample(us: number, perRtt: number, limits: RttLimits): void {
    const rtt = Math.max(us, 1);
    if (rtt < this.minimum) this.minimum = rtt;
    if (this.samples++ === 0) {
      this.srtt = rtt;
      this.rttVar = rtt / 2;
    } else {
      const weight = Math.max(1, perRtt);
      const delta = rtt - this.srtt;
      this.rttVar += (Math.abs(delta) - this.rttVar) / (4 * weight);
      this.srtt += delta / (8 * weight);
    }
    this.rto = retransmissionTimeout(this.srtt, this.rttVar, limits);
  }

  /**
   * A spurious timeout has shown that round trips became longer: begins anew with a sample of `us` µs, but no more trusting than before the timeout
   * (RFC 4015 §3.1 step 11).
   */
  restart(us: number, srttBefore: number, rttVarBefore: number, limits: RttLimits): void {
    this.samples++;
    this.srtt = Math.max(srttBefore, us);
    this.rttVar = Math.max(rttVarBefore, us / 2);
    this.rto = retransmissionTimeout(this.srtt, this.rttVar, limits);
  }

  /** What earlier connections to that peer have measured (RFC 9040 §7): good until there is a sample. */
  seed(srtt: number, rttVar: number, limits: RttLimits): void {
    if (this.samples > 0) return;
    this.srtt = srtt;
    this.rttVar = rttVar;
    this.rto = retransmissionTimeout(srtt, rttVar, limits);
  }

  /** RFC 6298 (5.7): the handshake needed retransmission, so begin with at least 3 s, unless a sample was had. */
  startCautiously(limits: RttLimits): void {
    if (this.samples === 0) this.rto = Math.min(limits.maximumUs, Math.max(this.rto, 3000 * MS));
  }

  /** The RTO after `shift` timeouts in a row (RFC 6298 5.5). */
  backedOff(shift: number, limits: RttLimits): number {
    return Math.min(limits.maximumUs, this.rto * 2 ** shift);
  }
}

function retransmissionTimeout(srtt: number, rttVar: number, limits: RttLimits): number {
  return Math.min(limits.maximumUs, Math.max(limits.minimumUs, srtt + 4 * rttVar) + limits.slopUs);
}

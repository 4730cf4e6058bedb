import { STATE_NAMES } from "./constants.ts";
import { flightSize } from "./send-space.ts";
import type { SignatureInfo } from "./signatures/signer.ts";
import type { Tcb } from "./tcb.ts";
import { userTimeoutUs } from "./user-timeout.ts";
import { offeredWindow } from "./window.ts";

/** A connection at one moment. Bytes, and µs. */
export interface TcpInfo {
  readonly state: string;
  readonly passive: boolean;
  readonly srtt: number;
  readonly rttVar: number;
  readonly minRtt: number;
  readonly rto: number;
  readonly cwnd: number;
  readonly ssthresh: number;
  /** The congestion control algorithm, where it stands, and the rate in bytes a second at which it has data leave (0: not paced). */
  readonly congestionControl: string;
  readonly congestionPhase: string;
  readonly pacingRate: number;
  readonly sndWnd: number;
  readonly rcvWnd: number;
  readonly sndMss: number;
  readonly rcvMss: number;
  readonly sndWindowScale: number;
  readonly rcvWindowScale: number;
  readonly windowScaling: boolean;
  readonly timestamps: boolean;
  readonly sack: boolean;
  readonly corked: boolean;
  /** The SYN's data was taken (RFC 7413): by us, or by the peer. */
  readonly fastOpen: boolean;
  /** ECN was agreed on; segments that came with a CE mark, and acknowledgments that echo one. */
  readonly ecn: boolean;
  readonly ceReceived: number;
  readonly ecnEchoes: number;
  readonly inRecovery: boolean;
  /** Not yet acknowledged; of it in flight; received and not yet taken. */
  readonly sendQueue: number;
  readonly inFlight: number;
  readonly receiveQueue: number;
  /** Thought to be in the network, and lost and not sent again yet. */
  readonly pipe: number;
  readonly lost: number;
  /** Recoveries that turned out to be for nothing and were taken back. */
  readonly spuriousRecoveries: number;
  /** How often data came out of order, and how far at most: in segments, bytes, and time. */
  readonly reorderings: number;
  readonly reorderingSegments: number;
  readonly reorderingBytes: number;
  readonly reorderingTime: number;
  /** Acknowledged or SACKed so far; how fast that went lately (bytes a second; 0: no sample), and whether the application was the limit then. */
  readonly delivered: number;
  readonly deliveryRate: number;
  readonly deliveryRateAppLimited: boolean;
  /** Sizes of the buffers now, and the round trip as the receiver sees it (0: not known). */
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  readonly receiveRtt: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly segmentsSent: number;
  readonly segmentsReceived: number;
  readonly retransmits: number;
  readonly retransmittedBytes: number;
  readonly outOfOrder: number;
  readonly duplicateAcks: number;
  /** Timeouts since anything was acknowledged: at or above 3 (R1) the path may be dead (SHLD-9). */
  readonly timeouts: number;
  readonly windowProbes: number;
  readonly keepAliveProbes: number;
  /** How long data may wait for its acknowledgment, 0: for so many retransmissions; and what the peer has said of it (RFC 5482), 0: nothing. */
  readonly userTimeout: number;
  readonly peerUserTimeout: number;
  readonly urgentSegments: number;
  /** Traffic class (Differentiated Services and ECN) of the last segment that came in (MAY-9). */
  readonly trafficClass: number;
  /** Larger segments are thought to vanish on the way: the MSS in force for that; 0: none. A larger one that is on its way to try that; 0: none is. */
  readonly mssLimit: number;
  readonly mssProbe: number;
  /** The last soft error, as Node's code; empty: none. */
  readonly softError: string;
  /** How its segments are signed; null: not at all. */
  readonly signature: SignatureInfo | null;
  /** Segments dropped for a signature that was missing, wrong or not expected (RFC 5925 §7.3). */
  readonly signatureDrops: number;
  /** Since it was opened, and since the peer was last heard. */
  readonly age: number;
  readonly idle: number;
}

export function tcpInfo(tcb: Tcb): TcpInfo {
  const now = tcb.context.clock.coarse();
  // What there would be is not kept: to be looked at makes no connection larger.
  const congestion = tcb.congestionControl ?? tcb.context.algorithm.attach(tcb);
  const { rtt, rack, ecn, incidents, sendHistory } = tcb;
  return {
    state: STATE_NAMES[tcb.state]!,
    passive: tcb.passive,
    srtt: rtt.srtt,
    rttVar: rtt.rttVar,
    minRtt: rtt.samples === 0 ? 0 : rtt.minimum,
    rto: rtt.backedOff(tcb.rexmtShift, tcb.context.tunables),
    cwnd: tcb.cwnd,
    ssthresh: tcb.ssthresh,
    congestionControl: congestion.name,
    congestionPhase: tcb.inRecovery ? "recovery" : congestion.phase,
    pacingRate: congestion.pacingRate(),
    sndWnd: tcb.sndWnd,
    rcvWnd: offeredWindow(tcb),
    sndMss: tcb.maxSegment,
    rcvMss: tcb.ourMss,
    sndWindowScale: tcb.sndShift,
    rcvWindowScale: tcb.rcvShift,
    windowScaling: tcb.windowScaling,
    timestamps: tcb.timestamps,
    sack: tcb.sackPermitted,
    corked: tcb.corked,
    fastOpen: tcb.fastOpen?.accepted ?? false,
    ecn: ecn !== null,
    ceReceived: ecn?.ceReceived ?? 0,
    ecnEchoes: ecn?.echoes ?? 0,
    inRecovery: tcb.inRecovery,
    sendQueue: tcb.sendBuffer.queued,
    inFlight: flightSize(tcb),
    receiveQueue: tcb.receiveBuffer.ordered,
    pipe: tcb.sent === null ? 0 : tcb.sent.pipe,
    lost: tcb.sent === null ? 0 : tcb.sent.lostBytes,
    spuriousRecoveries: incidents?.spuriousRecoveries ?? 0,
    reorderings: rack?.reorderings ?? 0,
    reorderingSegments: Math.ceil((rack?.reorderingBytes ?? 0) / Math.max(1, tcb.maxSegment)),
    reorderingBytes: rack?.reorderingBytes ?? 0,
    reorderingTime: rack?.reorderingUs ?? 0,
    delivered: tcb.delivered,
    deliveryRate: sendHistory?.deliveryRate ?? 0,
    deliveryRateAppLimited: sendHistory?.deliveryRateAppLimited ?? false,
    sendBuffer: tcb.sendHighWater,
    receiveBuffer: tcb.rcvBufferSize,
    receiveRtt: tcb.receiveTuning?.rtt ?? 0,
    bytesSent: tcb.bytesSent,
    bytesReceived: tcb.bytesReceived,
    segmentsSent: tcb.segmentsSent,
    segmentsReceived: tcb.segmentsReceived,
    retransmits: incidents?.retransmits ?? 0,
    retransmittedBytes: tcb.retransmittedBytes,
    outOfOrder: incidents?.outOfOrder ?? 0,
    duplicateAcks: incidents?.duplicateAcks ?? 0,
    timeouts: tcb.rexmtTries,
    windowProbes: tcb.persistTries,
    keepAliveProbes: tcb.keepProbes,
    userTimeout: userTimeoutUs(tcb),
    peerUserTimeout: (tcb.userTimeout?.remote ?? 0) * 1e6,
    urgentSegments: tcb.urgent?.segments ?? 0,
    trafficClass: tcb.rcvTrafficClass,
    mssLimit: tcb.mssLimit,
    mssProbe: tcb.pathSearch?.size ?? 0,
    softError: tcb.softError,
    signature: tcb.signer?.info() ?? null,
    signatureDrops: incidents?.signatureDrops ?? 0,
    age: now - tcb.openedAt,
    idle: now - tcb.lastReceived,
  };
}

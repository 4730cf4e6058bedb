import type { ByteSink, ByteStream } from "@nfs4/bytestream";
import type { Callout } from "@nfs4/timecounter";
import type { Route } from "../ip/route.ts";
import type { CongestionControl, CongestionWindow } from "./congestion.ts";
import { CLOSED, type TcpState, TIMERS } from "./constants.ts";
import type { TcpContext } from "./context.ts";
import type { AckPacing } from "./delayed-ack.ts";
import type { FastOpenState } from "./fast-open-state.ts";
import { FLOW_CONNECTION, Flow, type FlowKey } from "./flow.ts";
import type { FrtoStep } from "./frto.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import type { RetransmissionCause } from "./loss-events.ts";
import type { PathSearch } from "./path-search.ts";
import type { Rack } from "./rack.ts";
import type { Reassembly } from "./reassembly.ts";
import { ReceiveBuffer } from "./receive-buffer.ts";
import type { ReceiveTuning } from "./receive-tuning.ts";
import type { Recovery } from "./recovery.ts";
import { RttEstimate } from "./rtt.ts";
import { SendBuffer } from "./send-buffer.ts";
import type { LossProbe } from "./tail-loss-probe.ts";
import type { DeliveryCounts, TransmitLog } from "./transmit-log.ts";
import type { Undo } from "./undo.ts";
import type { UserTimeout } from "./user-timeout.ts";

/** Whom a connection tells how it fares: who opens it, then its stream. */
export interface TcbOwner {
  /** The handshake is complete. */
  established(tcb: Tcb): void;
  /** Both directions have ended (`endedHow` is set), or the last byte of a connection that has ended was taken. */
  ended(tcb: Tcb): void;
  /** `queued` fell to half of the high-water mark after having been above it. */
  drained(tcb: Tcb): void;
  /** Something is wrong that does not end the connection (RFC 9293 §3.9.2.2, MUST-47): an ICMP error, or R1 retransmissions. */
  reported(tcb: Tcb, error: Error): void;
  /** After `close()`: everything is acknowledged, our FIN included; or (false) its caller has waited for that as long as he wanted. */
  lingered(tcb: Tcb, done: boolean): void;
  /** The peer has entered urgent mode. */
  urgent(tcb: Tcb): void;
}

/**
 * The protocol control block: everything that is known of one connection (RFC 9293 §3.3.1, under its names). It has no behaviour of its own; the modules
 * beside this one each look after a part. Sequence numbers are unsigned 32-bit integers, windows bytes, times µs of uptime.
 */
export class Tcb extends Flow implements CongestionWindow, DeliveryCounts {
  readonly context: TcpContext;
  owner: TcbOwner | null = null;
  /** The stream that its user has. */
  stream: ByteStream | null = null;
  /** Written by `setState` alone. */
  state: TcpState = CLOSED;

  // Send sequence space
  iss = 0;
  sndUna = 0;
  /** Behind the highest ever sent. It is SND.NXT too: what must go again is marked in `sent`, and a SYN by `synDue`. */
  sndMax = 0;
  /** Our SYN, or SYN,ACK, is to go out, for the first time or again. */
  synDue = false;
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  /** Largest window that the peer ever offered. */
  maxSndWnd = 0;
  /** The peer's window scale. */
  sndShift = 0;
  readonly sendBuffer: SendBuffer = new SendBuffer();
  sendHighWater: number;
  /** `queued` was above the high-water mark since the last `onDrain`. */
  aboveHighWater = false;
  /** `shutdown()` was called: a FIN follows the last byte. */
  finQueued = false;
  /** The peer has acknowledged our FIN. */
  finAcked = false;
  /** Urgent data is queued up to `sndUp` (RFC 6093: the sequence number behind its last byte). */
  sndUrgent = false;
  sndUp = 0;

  // Receive sequence space
  irs = 0;
  rcvNxt = 0;
  /** Right edge of the window that was offered. */
  rcvAdv = 0;
  /** Our window scale. */
  rcvShift = 0;
  /** RCV.NXT as of the last segment that we sent. */
  lastAckSent = 0;
  rcvBufferSize: number;
  readonly receiveBuffer: ReceiveBuffer;
  receiveTuning: ReceiveTuning | null = null;
  /** Made when something first comes out of order. */
  reassembly: Reassembly | null = null;
  /** The peer's FIN has come, in order. */
  finReceived = false;
  /** A FIN has come beyond a gap: its sequence number is `finSeq`. */
  finAhead = false;
  finSeq = 0;
  /** While `urgent`, the peer's urgent pointer; the data stays in line (RFC 6093). */
  rcvUp = 0;
  urgent = false;
  /** Traffic class of the last segment that came in. */
  rcvTrafficClass = 0;

  // Delivery
  sink: ByteSink | null = null;
  /** The sink took less than it was offered. */
  paused = false;
  /** A call of the sink is under way; `resume()` within it is remembered. */
  delivering = false;
  resumeWanted = false;
  /** What waits will be offered in a later turn. */
  resumePending = false;
  /** `sink.end()` was called. */
  endDelivered = false;

  // What was agreed on
  /** Largest segment that may be sent, TCP options included: min(peer's MSS, path MTU − headers). */
  sendMss = 0;
  /** What the peer's MSS option said. */
  peerMss = 0;
  /** Not 0: larger segments are thought to vanish on the way (black-hole.ts). */
  mssLimit = 0;
  /** Larger ones are tried (path-search.ts). */
  pathSearch: PathSearch | null = null;
  /** Payload of a full segment: `sendMss` less the options of every segment. */
  maxSegment = 0;
  /** The MSS that we told the peer. */
  ourMss = 0;
  timestamps = false;
  sackPermitted = false;
  windowScaling = false;
  /** ECN was agreed on (in SYN-SENT: our SYN asks for it). */
  ecn = false;
  /** A mark has come: ECE goes with every acknowledgment until CWR comes. */
  ecnEcho = false;
  /** The window was reduced: CWR goes with the next new data. Echoes of what was sent before `ecnRecover` are answered with that. */
  ecnReduced = false;
  ecnRecover = 0;
  fastOpen: FastOpenState | null = null;
  /** TS.Recent, when it was taken, and what is added to our clock. */
  tsRecent = 0;
  tsRecentAge = 0;
  tsOffset = 0;

  // Acknowledging
  /** An acknowledgment must go out at the end of the batch. */
  ackNow = false;
  /** One may wait: the delayed-ACK timer runs. */
  ackDelayed = false;
  /** Made with the first data that comes. */
  ackPacing: AckPacing | null = null;
  outputPending = false;
  /** Out-of-order segments of this batch, each of which a peer without SACK wants to count (RFC 5681 §4.2). */
  dupAcksOwed = 0;

  // Congestion and loss
  cwnd = 0;
  ssthresh: number = 0x3fffffff;
  congestion!: CongestionControl;
  dupAcks = 0;
  /** Those since SND.UNA last moved, whatever came of them. */
  duplicateAckRun = 0;
  inRecovery = false;
  /** RFC 6582 and RFC 6675: SND.MAX when loss was last found; recovery ends when it is acknowledged. */
  recover = 0;
  /** Send the first unacknowledged segment again, whatever the window says. */
  retransmitHead = false;
  afterTimeout = false;
  /** The congestion window was what held output back. */
  cwndLimited = false;
  /** Pacing: when what has left is through at the pacing rate, whether a quantum is used up until then, and when the last wait for it ended. */
  paceNext = 0;
  paceBlocked = false;
  paceReleased = -1;
  /** Why what is lost is taken to be, last. */
  retransmissionCause: RetransmissionCause = 0;
  rack: Rack | null = null;
  probe: LossProbe | null = null;
  recovery: Recovery | null = null;
  undo: Undo | null = null;
  frto: FrtoStep = 0;
  /** Recoveries that turned out to have been for nothing. */
  spuriousRecoveries = 0;
  /** What is in flight; null when nothing is. */
  sent: TransmitLog | null = null;

  // Delivery rate (delivery-rate.ts)
  /** Bytes that the peer has acknowledged or SACKed, and when that last became more. */
  delivered = 0;
  deliveredAt = 0;
  /** When the data was sent whose acknowledgment ended the last sample, or the flight began. */
  firstSentAt = 0;
  /** Bytes ever taken for lost. */
  lost = 0;
  /** `lost` as of the last sample. */
  lostSampled = 0;
  appLimitedUntil = 0;
  /** The last sample, bytes a second, and whether the application was the limit then. */
  deliveryRate = 0;
  deliveryRateAppLimited = false;

  // Round-trip time
  readonly rtt: RttEstimate;
  /** A segment is being timed: when it went out and the sequence number that acknowledges it. */
  timing = false;
  timedAt = 0;
  timedSeq = 0;

  // Timers
  readonly deadlines: number[];
  callout: Callout | null = null;
  /** Backoff of the retransmission timer: timeouts since the last good round-trip sample (Karn). */
  rexmtShift = 0;
  /** Timeouts since SND.UNA last moved, and window probes since the peer last answered: R2 counts these. */
  rexmtTries = 0;
  persistTries = 0;
  persistShift = 0;
  keepProbes = 0;
  /** When the peer last sent anything, and when we last sent data. */
  lastReceived = 0;
  lastSent = 0;
  /** When the data that now waits for acknowledgment was first sent without progress since. */
  noProgressSince = 0;

  // Switches
  noDelay = false;
  /** Only full segments go (TCP_NOPUSH). */
  corked = false;
  /** `close()` was called: nobody reads any more. */
  fullyClosed = false;
  keepAlive: boolean;
  keepAliveOptions: KeepAliveOptions | null = null;
  userTimeout: UserTimeout | null = null;
  trafficClass = 0;
  hopLimit = 0;

  // IP
  route: Route | null = null;
  /** IP refused a segment as too long: `output` takes the new MTU. */
  mtuChanged = false;
  /** The last soft error by ICMP, as a code of Node's. */
  softError = "";

  // How it ended
  endedHow: "closed" | "reset" | "timeout" | "aborted" | null = null;
  endedError: Error | undefined = undefined;
  /** True for connections that another side opened. */
  passive = false;
  /** Challenge ACKs sent in the interval that began at `challengeSince`. */
  challengeCount = 0;
  challengeSince = 0;

  // For tcpInfo()
  openedAt = 0;
  bytesSent = 0;
  bytesReceived = 0;
  segmentsSent = 0;
  segmentsReceived = 0;
  retransmits = 0;
  retransmittedBytes = 0;
  outOfOrder = 0;
  duplicateAcks = 0;
  urgentSegments = 0;
  signatureDrops = 0;
  ceReceived = 0;
  ecnEchoes = 0;

  constructor(context: TcpContext, key: FlowKey) {
    super(FLOW_CONNECTION, key);
    const { tunables } = context;
    this.context = context;
    this.receiveBuffer = new ReceiveBuffer(context.chunks);
    this.rcvBufferSize = tunables.recvspace.value;
    this.sendHighWater = tunables.sendspace.value;
    this.rtt = new RttEstimate(tunables);
    const never = Number.POSITIVE_INFINITY;
    this.deadlines = new Array<number>(TIMERS).fill(never);
    this.keepAlive = tunables.alwaysKeepalive.value;
    this.openedAt = context.clock.coarse();
    this.lastReceived = this.openedAt;
    this.lastSent = this.openedAt;
  }
}

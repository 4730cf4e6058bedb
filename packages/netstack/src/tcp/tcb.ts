import type { ByteSink, ByteStream } from "@nfs4/bytestream";
import type { Callout } from "@nfs4/timecounter";
import type { Route } from "../ip/route.ts";
import type { Challenges } from "./challenge.ts";
import type { CongestionControl, CongestionWindow } from "./congestion.ts";
import { CLOSED, type TcpState, TIMERS } from "./constants.ts";
import type { TcpContext } from "./context.ts";
import type { AckPacing } from "./delayed-ack.ts";
import type { Ecn } from "./ecn.ts";
import type { FastOpenState } from "./fast-open-state.ts";
import { FLOW_CONNECTION, Flow, type FlowKey } from "./flow.ts";
import type { FrtoStep } from "./frto.ts";
import type { Incidents } from "./incidents.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import type { RetransmissionCause } from "./loss-events.ts";
import type { Pacing } from "./pacing.ts";
import type { PathSearch } from "./path-search.ts";
import type { Rack } from "./rack.ts";
import type { Reassembly } from "./reassembly.ts";
import { ReceiveBuffer } from "./receive-buffer.ts";
import type { ReceiveTuning } from "./receive-tuning.ts";
import type { Recovery } from "./recovery.ts";
import { RttEstimate } from "./rtt.ts";
import { SendBuffer } from "./send-buffer.ts";
import type { SendHistory } from "./send-history.ts";
import type { LossProbe } from "./tail-loss-probe.ts";
import type { TransmitLog } from "./transmit-log.ts";
import type { Undo } from "./undo.ts";
import type { UrgentMode } from "./urgent.ts";
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
 * beside this one each look after a part. What only some connections need is an object of theirs, null until it is needed: many connections only wait.
 * Sequence numbers are unsigned 32-bit integers, windows bytes, times µs of uptime.
 */
export class Tcb extends Flow implements CongestionWindow {
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
  urgent: UrgentMode | null = null;
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
  ecn: Ecn | null = null;
  fastOpen: FastOpenState | null = null;
  /** TS.Recent, when it was taken, and what is added to our clock. */
  tsRecent = 0;
  tsRecentAge = 0;
  tsOffset = 0;

  // Acknowledging
  /** An acknowledgment must go out at the end of the batch. */
  ackNow = false;
  ackPacing: AckPacing | null = null;
  outputPending = false;
  /** Out-of-order segments of this batch, each of which a peer without SACK wants to count (RFC 5681 §4.2). */
  dupAcksOwed = 0;
  challenges: Challenges | null = null;

  // Congestion and loss
  cwnd = 0;
  ssthresh: number = 0x3fffffff;
  /** To be read by way of `congestion`, which makes it. */
  congestionControl: CongestionControl | null = null;
  dupAcks = 0;
  inRecovery = false;
  /** RFC 6582 and RFC 6675: SND.MAX when loss was last found; recovery ends when it is acknowledged. */
  recover = 0;
  /** Send the first unacknowledged segment again, whatever the window says. */
  retransmitHead = false;
  afterTimeout = false;
  /** The congestion window was what held output back. */
  cwndLimited = false;
  pacing: Pacing | null = null;
  /** Why what is lost is taken to be, last. */
  retransmissionCause: RetransmissionCause = 0;
  rack: Rack | null = null;
  probe: LossProbe | null = null;
  recovery: Recovery | null = null;
  undo: Undo | null = null;
  frto: FrtoStep = 0;
  /** What is in flight; null when nothing is. */
  sent: TransmitLog | null = null;
  sendHistory: SendHistory | null = null;

  // Round-trip time
  readonly rtt: RttEstimate;
  /** Of the segment that is being timed: when it went out (−1: none is), and the sequence number that acknowledges it. */
  timedAt = -1;
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
  /** When the peer last sent anything. */
  lastReceived = 0;

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

  // For tcpInfo()
  openedAt = 0;
  bytesSent = 0;
  bytesReceived = 0;
  segmentsSent = 0;
  segmentsReceived = 0;
  incidents: Incidents | null = null;

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
  }

  /** Made when there is first something to send, by net.inet.tcp.cc.algorithm as it then is. */
  get congestion(): CongestionControl {
    this.congestionControl ??= this.context.algorithm.attach(this);
    return this.congestionControl;
  }

  // What else congestion control reads

  get delivered(): number {
    return this.sendHistory === null ? 0 : this.sendHistory.delivered;
  }

  get lost(): number {
    return this.sendHistory === null ? 0 : this.sendHistory.lost;
  }

  get retransmittedBytes(): number {
    return this.incidents === null ? 0 : this.incidents.retransmittedBytes;
  }
}

import { initialWindow } from "./congestion.ts";
import { SYN_RECEIVED, SYN_SENT, TIMER_USER } from "./constants.ts";
import type { TcpContext } from "./context.ts";
import { startTimer } from "./deadlines.ts";
import { Ecn } from "./ecn.ts";
import type { FlowKey, SignedFlowKey } from "./flow.ts";
import type { TcpListener } from "./listener.ts";
import { mssForMtu, updateMaxSegment } from "./mss.ts";
import { disableScaling } from "./negotiate.ts";
import type { SignatureKey } from "./signatures/signature-key.ts";
import type { Signer } from "./signatures/signer.ts";
import { setState } from "./state.ts";
import { Tcb } from "./tcb.ts";
import { runTimers } from "./timers.ts";
import { routeOf } from "./transmit.ts";
import { ourWindowShift } from "./window.ts";

/** A control block in the table, with what both ways of opening share. */
function makeTcb(context: TcpContext, key: FlowKey): Tcb {
  const tcb = new Tcb(context, key);
  tcb.callout = context.clock.callout(runTimers, tcb);
  context.flows.insert(tcb);
  context.connections++;
  return tcb;
}

/** Signs the connection. With TCP-AO no reset tells that the peer has started anew, so keep-alive probes find out (RFC 5925 §7.7). */
function signWith(tcb: Tcb, signer: Signer | null): void {
  tcb.signer = signer;
  if (signer?.kind === "tcp-ao") tcb.keepAlive = true;
}

/** Active OPEN (RFC 9293 §3.10.1): SYN-SENT; the SYN goes out with the batch. `leastIss` ≥ 0: the sequence number to stay beyond. */
export function openActive(
  context: TcpContext,
  key: FlowKey,
  timeoutUs: number,
  leastIss: number,
  signatureKey: SignatureKey | null,
): Tcb {
  const { tunables, initial } = context;
  const tcb = makeTcb(context, key);
  const iss = initial.sequence(key);
  tcb.iss = leastIss >= 0 && ((iss - leastIss) | 0) <= 0 ? (leastIss + 64_000) >>> 0 : iss;
  tcb.sndUna = tcb.iss;
  tcb.sndMax = tcb.iss;
  tcb.synDue = true;
  tcb.recover = tcb.iss;
  tcb.windowScaling = tunables.rfc1323.value;
  tcb.timestamps = tunables.rfc1323.value;
  tcb.sackPermitted = tunables.sack.value;
  tcb.rcvShift = ourWindowShift(tunables);
  tcb.tsOffset = initial.timestampOffset(key);
  tcb.ourMss = mssForMtu(key.family, routeOf(tcb)?.iface.mtu ?? 576);
  signWith(tcb, signatureKey?.signer(key, tcb.iss, -1, null) ?? null);
  setState(tcb, SYN_SENT);
  startTimer(tcb, TIMER_USER, timeoutUs);
  return tcb;
}

/** What a passive OPEN has agreed on with its peer by the time its handshake is all but complete. */
export interface Handshake extends SignedFlowKey {
  readonly listener: TcpListener;
  readonly iss: number;
  readonly irs: number;
  /** As the peer last told it in a SYN: not scaled. */
  readonly peerWindow: number;
  readonly peerMss: number;
  readonly ourMss: number;
  /** −1: no scaling. */
  readonly peerShift: number;
  readonly ourShift: number;
  readonly sackPermitted: boolean;
  readonly ecn: boolean;
  readonly timestamps: boolean;
  readonly tsRecent: number;
  readonly tsOffset: number;
  /** What our SYN,ACK offered. */
  readonly window: number;
  /** When the first SYN,ACK went out, µs of uptime; −1: nobody remembers. */
  readonly startedAt: number;
  /** How often it went again. */
  readonly retransmits: number;
  /** A Fast Open cookie that the first SYN,ACK brings, or null. */
  readonly fastOpenCookie: Uint8Array | null;
}

/** The end of a passive OPEN: a handshake that has been seen through but for the last step, which is taken as in SYN-RECEIVED. */
export function openPassive(context: TcpContext, entry: Handshake): Tcb {
  const tcb = makeTcb(context, entry);
  tcb.passive = true;
  tcb.owner = entry.listener;
  tcb.iss = entry.iss;
  tcb.sndUna = entry.iss;
  tcb.sndMax = (entry.iss + 1) >>> 0;
  tcb.recover = entry.iss;
  tcb.irs = entry.irs;
  signWith(tcb, entry.signer);
  tcb.rcvNxt = (entry.irs + 1) >>> 0;
  tcb.rcvAdv = (tcb.rcvNxt + entry.window) >>> 0;
  tcb.lastAckSent = tcb.rcvNxt;
  tcb.windowScaling = entry.peerShift >= 0;
  tcb.sndShift = Math.max(0, entry.peerShift);
  tcb.rcvShift = Math.max(0, entry.ourShift);
  if (!tcb.windowScaling) disableScaling(tcb);
  tcb.timestamps = entry.timestamps;
  tcb.tsOffset = entry.tsOffset;
  tcb.tsRecent = entry.tsRecent;
  tcb.tsRecentAge = context.clock.coarse();
  tcb.sackPermitted = entry.sackPermitted;
  if (entry.ecn) {
    tcb.ecn = new Ecn(entry.iss);
    context.statistics.ecnShs++;
  }
  tcb.peerMss = entry.peerMss;
  tcb.ourMss = entry.ourMss;
  tcb.sndWnd = entry.peerWindow;
  tcb.maxSndWnd = entry.peerWindow;
  tcb.sndWl1 = entry.irs;
  tcb.sndWl2 = entry.iss;
  updateMaxSegment(tcb);
  tcb.cwnd = initialWindow(tcb.maxSegment, context.tunables.initcwndSegments.value);
  if (entry.retransmits === 0) {
    tcb.timedAt = entry.startedAt;
    tcb.timedSeq = tcb.sndMax;
  } else {
    tcb.rtt.startCautiously(context.tunables);
    tcb.cwnd = tcb.maxSegment;
  }
  setState(tcb, SYN_RECEIVED);
  return tcb;
}

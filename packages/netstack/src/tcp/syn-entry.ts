import type { TcpContext } from "./context.ts";
import { asksForEcn } from "./ecn.ts";
import { FLOW_SYN, Flow, type FlowKey } from "./flow.ts";
import type { TcpListener } from "./listener.ts";
import { defaultMss, mssForMtu } from "./mss.ts";
import type { Handshake } from "./open.ts";
import type { TcpSegment } from "./segment.ts";
import { seqLe } from "./seq.ts";
import type { SignatureKey } from "./signatures/signature-key.ts";
import { ourWindowShift } from "./window.ts";

/** A connection whose handshake is under way (SYN-RECEIVED by a passive OPEN): what is needed to complete it, and no more. */
export class SynEntry extends Flow implements Handshake {
  readonly listener: TcpListener;
  readonly iss: number;
  readonly irs: number;
  /** As in the SYN: not scaled. */
  readonly peerWindow: number;
  readonly peerMss: number;
  readonly ourMss: number;
  /** −1: no scaling. */
  readonly peerShift: number;
  readonly ourShift: number;
  readonly sackPermitted: boolean;
  readonly timestamps: boolean;
  /** The peer's SYN, as it last came, asks for ECN. */
  ecn: boolean;
  tsRecent: number;
  readonly tsOffset: number;
  readonly signatureKey: SignatureKey | null;
  readonly window: number;
  /** When the first SYN,ACK went out: times the round trip if it was not sent again. µs. */
  readonly startedAt: number;
  retransmits = 0;
  fastOpenCookie: Uint8Array | null = null;
  deadline = 0;
  challengeCount = 0;
  challengeSince = 0;

  constructor(
    context: TcpContext,
    key: FlowKey,
    segment: TcpSegment,
    listener: TcpListener,
    mtu: number,
    leastIss: number,
  ) {
    super(FLOW_SYN, key);
    const { tunables, initial } = context;
    const { options } = segment;
    this.listener = listener;
    const iss = initial.sequence(key);
    // After TIME-WAIT: beyond what the old connection used (RFC 9293 §3.6.1, MAY-2 a).
    this.iss = leastIss >= 0 && seqLe(iss, leastIss) ? (leastIss + 64_000) >>> 0 : iss;
    this.irs = segment.seq;
    this.signatureKey = context.signatureKey(listener.signatureKeys, key);
    this.signer = this.signatureKey?.signer(key, this.iss, this.irs, segment) ?? null;
    this.peerWindow = segment.window;
    this.peerMss = options.mss === 0 ? defaultMss(context, key.family) : options.mss;
    this.ourMss = mssForMtu(key.family, mtu);
    const extended = tunables.rfc1323.value;
    this.peerShift = extended ? options.windowShift : -1;
    this.ourShift = this.peerShift >= 0 ? ourWindowShift(tunables) : -1;
    this.sackPermitted = tunables.sack.value && options.sackPermitted;
    this.timestamps = extended && options.hasTimestamps;
    this.ecn = tunables.ecnEnable.value !== 0 && asksForEcn(segment.flags);
    this.tsRecent = options.tsVal;
    this.tsOffset = this.timestamps ? initial.timestampOffset(key) : 0;
    this.window = Math.min(0xffff, tunables.recvspace.value);
    this.startedAt = context.clock.coarse();
  }
}

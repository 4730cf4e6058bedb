import type { Slice } from "@nfs4/bytestream";
import { SYN, TCP_HEADER, TIMER_USER } from "./constants.ts";
import { requestOutput, type TcpContext } from "./context.ts";
import { startTimer } from "./deadlines.ts";
import type { FastOpenQueue } from "./fast-open-server.ts";
import { FastOpenState } from "./fast-open-state.ts";
import type { FlowKey } from "./flow.ts";
import { defaultMss, ipHeaderLength } from "./mss.ts";
import { type Handshake, openPassive } from "./open.ts";
import type { TcpOptions } from "./options.ts";
import type { TcpSegment } from "./segment.ts";
import { queueSlices, releaseSent } from "./send-space.ts";
import type { Tcb } from "./tcb.ts";
import { acceptInOrder } from "./text.ts";
import { routeOf } from "./transmit.ts";

/** Options of a SYN at their longest: what the data of a SYN leaves room for. */
const OPTION_SPACE = 40;
/** What a SYN is never longer than, lest something on its way should stumble over it (RFC 7413 §4.1.3): Ethernet's MSS. */
const MOST_MSS = { 4: 1460, 6: 1440 } as const;

// ——— The client ———

/** Queues what is to go with the SYN, if the path is good for that, else behind the handshake. Before the SYN goes out. */
export function beginFastOpen(tcb: Tcb, slices: readonly Slice[]): void {
  const { context } = tcb;
  const { tunables, statistics } = context;
  queueSlices(tcb, slices);
  // A signature leaves no room for the option (RFC 7413 §4.2.2, client, 1a).
  if (!tunables.fastopenClient.value || tcb.signer !== null) return;
  const advice = context.fastOpenCache.advise(tcb);
  if (advice === null) {
    statistics.foPathDisabled++;
    return;
  }
  const state = new FastOpenState();
  tcb.fastOpen = state;
  state.cookie = advice.cookie;
  state.tried = true;
  if (advice.cookie.length === 0) {
    statistics.foCookieAsked++;
    return;
  }
  const { family } = tcb;
  const mss = Math.min(advice.mss === 0 ? defaultMss(context, family) : advice.mss, MOST_MSS[family]);
  const path = (routeOf(tcb)?.mtu ?? 576) - ipHeaderLength(family) - TCP_HEADER;
  state.synDataLimit = Math.max(0, Math.min(mss, path) - OPTION_SPACE);
  if (tcb.sendBuffer.queued > 0) statistics.foSent++;
}

/** The SYN,ACK has come: what it tells of the path (RFC 7413 §4.1.3, §4.2.2). `bytes`: of the SYN's data, that it acknowledges. */
export function noteFastOpenAnswer(tcb: Tcb, options: TcpOptions, bytes: number): void {
  const { fastOpen: state, context } = tcb;
  if (state === null || !state.tried) return;
  const { fastOpenCache, statistics } = context;
  const again = state.cookie === null;
  if (bytes > 0) {
    state.accepted = true;
    statistics.foAccepted++;
    fastOpenCache.worked(tcb);
  }
  if (options.fastOpenLength > 0) {
    const cookie = options.fastOpenCookie.subarray(0, options.fastOpenLength);
    fastOpenCache.learned(tcb, cookie, options.mss);
  } else if (bytes === 0 && again) {
    // It answers the SYN that went again without: presumably something drops those with the option, or with data.
    fastOpenFailed(tcb);
  } else if (bytes === 0) fastOpenCache.refused(tcb);
  state.cookie = null;
}

/**
 * The peer acknowledges our SYN, and of its data what lies before `ack`; the rest it has not taken (RFC 7413 §4.2.2), so that it is as if it had never been sent. Releases
 * slices, which runs code of others.
 */
export function synAcknowledged(tcb: Tcb, ack: number): void {
  const bytes = (ack - tcb.iss - 1) >>> 0;
  tcb.sndUna = ack;
  tcb.sndMax = ack;
  if (bytes > 0) releaseSent(tcb, bytes);
}

/** Nobody answered, or only when the SYN went without Fast Open. */
export function fastOpenFailed(tcb: Tcb): void {
  tcb.context.statistics.foBlackHole++;
  tcb.context.fastOpenCache.failed(tcb);
}

// ——— The server ———

/** What becomes of a SYN with the Fast Open option. */
export interface FastOpenVerdict {
  /** Its data is taken now. */
  readonly isGood: boolean;
  /** That the SYN,ACK is to bring, or null. */
  readonly cookie: Uint8Array | null;
}

/** RFC 7413 §4.2.2, server, steps 1 to 3. */
export function judgeFastOpen(
  context: TcpContext,
  queue: FastOpenQueue,
  key: FlowKey,
  segment: TcpSegment,
): FastOpenVerdict {
  const { statistics, fastOpenCookies, clock } = context;
  const { options } = segment;
  if (queue.isFull(clock.coarse())) {
    statistics.foOverflow++;
    return { isGood: false, cookie: null };
  }
  const check = options.fastOpenLength === 0 ? "bad" : fastOpenCookies.check(key, options);
  if (check === "bad" && options.fastOpenLength > 0) {
    statistics.foBadCookie++;
    context.stack.oddPackets.mark(segment.packet, "TCP Fast Open cookie that is wrong or too old");
  }
  if (check === "current") return { isGood: true, cookie: null };
  statistics.foCookieGiven++;
  return { isGood: check === "old", cookie: fastOpenCookies.make(key) };
}

/**
 * Opens a connection by a SYN whose cookie is good (RFC 7413 §4.2.2, server, steps 4 to 6): its user has it, and the SYN's data, before the handshake is complete,
 * and may answer. The SYN counts as acknowledged from the start; the SYN,ACK goes by itself, and again if need be.
 */
export function acceptFastOpen(
  context: TcpContext,
  handshake: Handshake,
  queue: FastOpenQueue,
  segment: TcpSegment,
): void {
  const tcb = openPassive(context, handshake);
  context.statistics.foTaken++;
  queue.pending++;
  tcb.fastOpen = new FastOpenState();
  tcb.fastOpen.queue = queue;
  tcb.fastOpen.accepted = true;
  tcb.fastOpen.cookie = handshake.fastOpenCookie;
  tcb.synDue = true;
  tcb.sndUna = tcb.sndMax;
  tcb.segmentsReceived++;
  startTimer(tcb, TIMER_USER, context.tunables.keepinit.value * 1000);
  requestOutput(tcb);
  segment.flags &= ~SYN;
  segment.seq = tcb.rcvNxt;
  segment.length = Math.min(segment.length, handshake.window);
  tcb.owner?.established(tcb);
  if (tcb.endedHow === null && segment.length > 0) acceptInOrder(tcb, segment);
}

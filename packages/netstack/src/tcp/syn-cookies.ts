import type { TcpContext } from "./context.ts";
import type { FlowKey } from "./flow.ts";
import { beginWithEnds } from "./hash-ends.ts";
import type { TcpListener } from "./listener.ts";
import { defaultMss, mssForMtu } from "./mss.ts";
import type { Handshake } from "./open.ts";
import type { TcpSegment } from "./segment.ts";
import { SipHash } from "./siphash.ts";
import { sendSynAck } from "./transmit.ts";
import { ourWindowShift } from "./window.ts";

/** A secret makes cookies for so long, and its cookies are taken as long again. */
const EPOCH_US = 15_000_000;

/** What three bits can tell of a peer's MSS: the largest that is not above it. The smallest of IP, Ethernet's with what tunnels take away, jumbo frames. */
const MSS_TABLE: readonly number[] = [216, 536, 1220, 1360, 1440, 1460, 8940, 8960];
/** What three bits can tell of its window scale; −1: none. */
const SHIFT_TABLE: readonly number[] = [-1, 0, 2, 4, 6, 7, 8, 10];

/** The cookie's low byte. */
const FLAG_PARITY = 0x01;
const FLAG_SACK = 0x02;
const SHIFT_AT = 2;
const MSS_AT = 5;

/** The low bits of our timestamp, when the peer does timestamps: its window scale in full. */
const STAMP_MASK = 0x0f;
const STAMP_UNSCALED = 0x0f;

/**
 * SYN cookies (RFC 4987 §3.6, in FreeBSD's layout): the state of a handshake travels in what the peer must send back, so that a flood of SYNs finds
 * nothing to fill. The initial sequence number is 24 bits of a keyed hash over both ends, the peer's sequence number and a byte of flags; and that byte, masked
 * by the hash's top byte. The flags index tables of MSS and window scale; with timestamps the scale is exact, in the low bits of ours.
 *
 * Two secrets by turns make the hash: the parity in the flags says which, so one hash verifies a cookie, whatever it says. They are drawn when they are first
 * wanted, from nothing that outlives the stack.
 */
export class SynCookies {
  readonly #context: TcpContext;
  readonly #secrets: [SipHash, SipHash];
  #epoch = 0;

  constructor(context: TcpContext) {
    this.#context = context;
    this.#secrets = [this.#draw(), this.#draw()];
  }

  /** Answers a SYN without keeping anything of it, but for the time at which the listener last did so. `mtu`: of the path back. */
  respond(key: FlowKey, segment: TcpSegment, listener: TcpListener, mtu: number): void {
    const context = this.#context;
    const { tunables, statistics, clock, initial } = context;
    const { options } = segment;
    this.#turn();
    const extended = tunables.rfc1323.value;
    const shift = extended ? options.windowShift : -1;
    const sack = tunables.sack.value && options.sackPermitted;
    const mss = options.mss === 0 ? defaultMss(context, key.family) : options.mss;
    const flags =
      (this.#epoch & FLAG_PARITY) |
      (sack ? FLAG_SACK : 0) |
      (floorIndex(SHIFT_TABLE, shift) << SHIFT_AT) |
      (floorIndex(MSS_TABLE, mss) << MSS_AT);
    let tsVal = -1;
    if (extended && options.hasTimestamps) {
      const now = context.timestamp(initial.timestampOffset(key));
      tsVal = stamped(now, shift < 0 ? STAMP_UNSCALED : shift);
    }
    statistics.scSendCookie++;
    listener.cookiesUntil = clock.coarse() + 2 * EPOCH_US;
    const iss = this.#cookie(key, segment.seq, flags);
    const signer = context.signer(listener.signatureKeys, key, iss, segment.seq, segment);
    sendSynAck(
      context,
      { ...key, signer },
      iss,
      (segment.seq + 1) >>> 0,
      Math.min(0xffff, tunables.recvspace.value),
      mssForMtu(key.family, mtu),
      shift >= 0 ? ourWindowShift(tunables) : -1,
      sack,
      tsVal,
      options.tsVal,
      null,
      // The flags have no room for it.
      false,
    );
  }

  /**
   * The handshake that an acknowledgment for a listener completes, or null: the cookie in it is none of ours for this peer, or too old. Whoever gets one may
   * be taken for somebody who saw our SYN,ACK.
   */
  check(key: FlowKey, segment: TcpSegment, listener: TcpListener, mtu: number): Handshake | null {
    const context = this.#context;
    const { tunables, statistics, initial } = context;
    const { options } = segment;
    this.#turn();
    const iss = (segment.ack - 1) >>> 0;
    const irs = (segment.seq - 1) >>> 0;
    const flags = (iss & 0xff) ^ (iss >>> 24);
    if (this.#cookie(key, irs, flags) !== iss) {
      statistics.scFailCookie++;
      context.stack.oddPackets.mark(segment.packet, "TCP SYN cookie that is wrong or too old");
      return null;
    }
    statistics.scRecvCookie++;
    const timestamps = options.hasTimestamps && tunables.rfc1323.value;
    let peerShift = SHIFT_TABLE[(flags >>> SHIFT_AT) & 7]!;
    if (timestamps) {
      const stamp = options.tsEcr & STAMP_MASK;
      peerShift = stamp === STAMP_UNSCALED ? -1 : stamp;
      // It says something else than when it was sent: it times no round trip.
      options.tsEcr = 0;
    }
    return {
      ...key,
      signer: context.signer(listener.signatureKeys, key, iss, irs, segment),
      listener,
      iss,
      irs,
      peerWindow: segment.window,
      peerMss: MSS_TABLE[flags >>> MSS_AT]!,
      ourMss: mssForMtu(key.family, mtu),
      peerShift,
      ourShift: peerShift >= 0 ? ourWindowShift(tunables) : -1,
      sackPermitted: (flags & FLAG_SACK) !== 0,
      ecn: false,
      timestamps,
      tsRecent: options.tsVal,
      tsOffset: timestamps ? initial.timestampOffset(key) : 0,
      window: Math.min(0xffff, tunables.recvspace.value),
      startedAt: -1,
      retransmits: 0,
      fastOpenCookie: null,
    };
  }

  #cookie(key: FlowKey, irs: number, flags: number): number {
    const secret = this.#secrets[(flags & FLAG_PARITY) as 0 | 1];
    const hash = beginWithEnds(secret, key).word(irs).word(flags).end();
    return ((hash & 0xffffff00) | (flags ^ (hash >>> 24))) >>> 0;
  }

  /** The secret of two epochs ago gives way to a new one; after a longer pause both do. */
  #turn(): void {
    const epoch = Math.floor(this.#context.clock.coarse() / EPOCH_US);
    const passed = epoch - this.#epoch;
    if (passed === 0) return;
    this.#epoch = epoch;
    this.#secrets[(epoch & 1) as 0 | 1] = this.#draw();
    if (passed > 1) this.#secrets[((epoch + 1) & 1) as 0 | 1] = this.#draw();
  }

  #draw(): SipHash {
    return new SipHash(this.#context.stack.random.fill(new Uint8Array(16)));
  }
}

/** Index of the largest entry that is not above `value`; 0 if all are. */
function floorIndex(table: readonly number[], value: number): number {
  let index = table.length - 1;
  while (index > 0 && table[index]! > value) index--;
  return index;
}

/** The latest timestamp not after `now` that ends in these bits. */
function stamped(now: number, bits: number): number {
  const at = ((now & ~STAMP_MASK) | bits) >>> 0;
  return ((at - now) | 0) > 0 ? (at - STAMP_MASK - 1) >>> 0 : at;
}

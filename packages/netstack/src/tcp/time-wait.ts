import type { Callout } from "@nfs4/timecounter";
import { challengeAllowed } from "./challenge.ts";
import { ACK, FIN, RST, SYN } from "./constants.ts";
import type { TcpContext } from "./context.ts";
import { FLOW_TIME_WAIT, Flow } from "./flow.ts";
import type { TcpSegment } from "./segment.ts";
import { seqGt, seqLt } from "./seq.ts";
import type { Tcb } from "./tcb.ts";
import { sendBare } from "./transmit.ts";
import { offeredWindow } from "./window.ts";

/** What is left of a connection for twice the maximum segment lifetime (RFC 9293 §3.6.1, MUST-13): enough to acknowledge a FIN that comes again. */
export class TimeWait extends Flow {
  readonly sndNxt: number;
  readonly rcvNxt: number;
  readonly window: number;
  readonly timestamps: boolean;
  tsRecent: number;
  readonly tsOffset: number;
  challengeCount = 0;
  challengeSince = 0;
  /** µs of uptime. */
  deadline = 0;
  /** The list, oldest first. */
  older: TimeWait | null = null;
  newer: TimeWait | null = null;

  constructor(tcb: Tcb) {
    super(FLOW_TIME_WAIT, tcb);
    this.signer = tcb.signer;
    this.sndNxt = tcb.sndMax;
    this.rcvNxt = tcb.rcvNxt;
    this.window = Math.min(0xffff, offeredWindow(tcb) >>> tcb.rcvShift);
    this.timestamps = tcb.timestamps;
    this.tsRecent = tcb.tsRecent;
    this.tsOffset = tcb.tsOffset;
  }
}

/** What a segment for a connection in TIME-WAIT leads to. */
export type TimeWaitVerdict = "done" | "new-connection";

/** The connections in TIME-WAIT of one stack: all wait equally long, so one list and one callout serve them. */
export class TimeWaitList {
  readonly #context: TcpContext;
  readonly #callout: Callout;
  #oldest: TimeWait | null = null;
  #newest: TimeWait | null = null;
  #count = 0;

  constructor(context: TcpContext) {
    this.#context = context;
    this.#callout = context.clock.callout(() => this.#expire());
  }

  get size(): number {
    return this.#count;
  }

  /** Takes the place of a connection that has just left the table. */
  add(tcb: Tcb): void {
    const { statistics, tunables, flows } = this.#context;
    statistics.twEntered++;
    while (this.#count >= tunables.maxtcptw.value && this.#oldest !== null) {
      statistics.twRecycles++;
      this.remove(this.#oldest);
    }
    if (tunables.maxtcptw.value === 0) return;
    const entry = new TimeWait(tcb);
    flows.insert(entry);
    this.#append(entry);
  }

  remove(entry: TimeWait): void {
    this.#context.flows.remove(entry);
    this.#unlink(entry);
  }

  /** A segment for one of them (RFC 9293 §3.10.7.4, RFC 6191 for SYNs, RFC 1337 for resets). */
  input(entry: TimeWait, segment: TcpSegment): TimeWaitVerdict {
    const { statistics } = this.#context;
    const { options } = segment;
    if ((segment.flags & RST) !== 0) {
      // A reset cuts TIME-WAIT short only for those who can name the exact sequence number.
      if (segment.seq === entry.rcvNxt) {
        statistics.twResets++;
        this.remove(entry);
      } else statistics.badRst++;
      return "done";
    }
    if ((segment.flags & (SYN | ACK)) === SYN && this.#mayReuse(entry, segment)) {
      statistics.twReused++;
      this.remove(entry);
      return "new-connection";
    }
    if ((segment.flags & ACK) === 0 && (segment.flags & SYN) === 0) {
      statistics.rcvBadFlags++;
      return "done";
    }
    if (entry.timestamps && options.hasTimestamps && seqLt(options.tsVal, entry.tsRecent)) statistics.pawsDrop++;
    // The last acknowledgment was lost: once more, and the wait begins anew.
    if ((segment.flags & FIN) !== 0 && ((segment.seq + segment.sequenceLength) | 0) === (entry.rcvNxt | 0)) {
      this.#unlink(entry);
      this.#append(entry);
    }
    if (segment.length > 0) {
      if (seqLt(segment.seq, entry.rcvNxt)) statistics.rcvDupPack++;
      else statistics.rcvAfterClose++;
    }
    if (segment.sequenceLength > 0 || segment.seq !== entry.rcvNxt) this.#acknowledge(entry, segment);
    return "done";
  }

  /** RFC 6191 §2: a SYN that must be younger than everything of the old connection. */
  #mayReuse(entry: TimeWait, segment: TcpSegment): boolean {
    const { options } = segment;
    if (entry.timestamps && options.hasTimestamps) {
      if (seqGt(options.tsVal, entry.tsRecent)) return true;
      return options.tsVal === entry.tsRecent && seqGt(segment.seq, entry.rcvNxt);
    }
    return seqGt(segment.seq, entry.rcvNxt);
  }

  /** Bounded where no data could be meant (acknowledgment wars, RFC 5961 §7). */
  #acknowledge(entry: TimeWait, segment: TcpSegment): void {
    const context = this.#context;
    if (segment.length === 0 && (segment.flags & FIN) === 0 && !challengeAllowed(context, entry)) return;
    context.statistics.sndAcks++;
    const tsVal = entry.timestamps ? context.timestamp(entry.tsOffset) : -1;
    sendBare(context, entry, entry.sndNxt, entry.rcvNxt, ACK, entry.window, tsVal, entry.tsRecent);
  }

  #append(entry: TimeWait): void {
    entry.deadline = this.#context.clock.coarse() + 2 * this.#context.tunables.msl.value * 1000;
    entry.older = this.#newest;
    entry.newer = null;
    if (this.#newest === null) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.#count++;
    if (!this.#callout.armed) this.#callout.schedule(entry.deadline);
  }

  #unlink(entry: TimeWait): void {
    if (entry.older === null) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = null;
    entry.newer = null;
    this.#count--;
  }

  #expire(): void {
    const now = this.#context.clock.coarse();
    while (this.#oldest !== null && this.#oldest.deadline <= now) this.remove(this.#oldest);
    if (this.#oldest !== null) this.#callout.schedule(this.#oldest.deadline);
  }

  /** Forgets all of them. */
  clear(): void {
    while (this.#oldest !== null) this.remove(this.#oldest);
    this.#callout.cancel();
  }
}

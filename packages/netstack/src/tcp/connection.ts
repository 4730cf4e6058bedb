import type { ByteSink, ByteStream, Slice, SocketAddress, StreamEnd } from "@nfs4/bytestream";
import { formatWords } from "../address.ts";
import { CLOSE_WAIT, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, TIMER_LINGER } from "./constants.ts";
import { requestOutput } from "./context.ts";
import { startTimer } from "./deadlines.ts";
import { resumeDelivery } from "./delivery.ts";
import { abortConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import { type TcpInfo, tcpInfo } from "./info.ts";
import { type KeepAliveOptions, setKeepAlive } from "./keep-alive.ts";
import { ClosedSink, finAcknowledgedFirst } from "./linger.ts";
import { LONGEST_USER_TIMEOUT } from "./options.ts";
import { queueSlices } from "./send-space.ts";
import { type KeySelection, rekey, selectKeys } from "./signatures/rekey.ts";
import type { SignatureKey } from "./signatures/signature-key.ts";
import { setState } from "./state.ts";
import type { Tcb, TcbOwner } from "./tcb.ts";
import { markUrgent, urgentPending } from "./urgent.ts";
import { advertiseUserTimeout, fixUserTimeout } from "./user-timeout.ts";

let settle: (connection: TcpConnection) => void;
let drain: (connection: TcpConnection) => void;
let linger: (connection: TcpConnection, done: boolean) => void;

/** Tells a stream what its control block has to say. */
const streamOwner: TcbOwner = {
  established(): void {},
  ended(tcb: Tcb): void {
    settle(tcb.stream as TcpConnection);
  },
  drained(tcb: Tcb): void {
    drain(tcb.stream as TcpConnection);
  },
  lingered(tcb: Tcb, done: boolean): void {
    linger(tcb.stream as TcpConnection, done);
  },
  reported(tcb: Tcb, error: Error): void {
    (tcb.stream as TcpConnection).onError?.(error);
  },
  urgent(tcb: Tcb): void {
    (tcb.stream as TcpConnection).onUrgent?.(urgentPending(tcb));
  },
};

/** An established TCP connection as a stream of bytes. */
export class TcpConnection implements ByteStream {
  onDrain: (() => void) | null = null;
  /** Told of trouble that does not end the connection: ICMP errors, a peer that has not answered R1 times. Null: not told (SHLD-20). */
  onError: ((error: Error) => void) | null = null;
  /** Told when the peer enters urgent mode, with the number of bytes up to the end of what is urgent. It comes in line (RFC 6093). */
  onUrgent: ((pending: number) => void) | null = null;
  readonly #tcb: Tcb;
  /** Made when somebody asks. */
  #localAddress: SocketAddress | null = null;
  #peerAddress: SocketAddress | null = null;
  #closed: Promise<StreamEnd> | null = null;
  #settle: ((end: StreamEnd) => void) | null = null;
  #settled = false;
  /** Calls of `close()` that wait, if there are any. */
  #lingering: ((done: boolean) => void)[] | null = null;

  static {
    settle = (connection) => connection.#ended();
    drain = (connection) => connection.onDrain?.();
    linger = (connection, done) => connection.#lingered(done);
  }

  /** Takes the control block over. */
  constructor(tcb: Tcb) {
    this.#tcb = tcb;
    tcb.stream = this;
    tcb.owner = streamOwner;
  }

  // ——— ByteStream ———

  get localAddress(): SocketAddress {
    const { l0, l1, l2, l3, localPort } = this.#tcb;
    this.#localAddress ??= this.#socketAddress(l0, l1, l2, l3, localPort);
    return this.#localAddress;
  }

  get peerAddress(): SocketAddress {
    const { r0, r1, r2, r3, remotePort } = this.#tcb;
    this.#peerAddress ??= this.#socketAddress(r0, r1, r2, r3, remotePort);
    return this.#peerAddress;
  }

  #socketAddress(w0: number, w1: number, w2: number, w3: number, port: number): SocketAddress {
    return { family: this.#tcb.family === 4 ? "IPv4" : "IPv6", address: formatWords(w0, w1, w2, w3), port };
  }

  setSink(sink: ByteSink): void {
    const tcb = this.#tcb;
    if (tcb.endedHow !== null && tcb.endedHow !== "closed") return;
    tcb.sink = sink;
    resumeDelivery(tcb);
  }

  resume(): void {
    const tcb = this.#tcb;
    if (tcb.sink !== null) resumeDelivery(tcb);
  }

  write(slices: readonly Slice[]): number {
    const tcb = this.#tcb;
    if (tcb.finQueued || tcb.endedHow !== null) {
      for (const slice of slices) slice.release?.();
      return tcb.sendBuffer.queued;
    }
    const { stack } = tcb.context;
    stack.enter();
    try {
      queueSlices(tcb, slices);
      requestOutput(tcb);
    } finally {
      stack.leave();
    }
    return tcb.sendBuffer.queued;
  }

  get queued(): number {
    return this.#tcb.sendBuffer.queued;
  }

  get highWater(): number {
    return this.#tcb.sendHighWater;
  }

  shutdown(): void {
    const tcb = this.#tcb;
    if (tcb.finQueued || tcb.endedHow !== null) return;
    this.#within(() => {
      tcb.finQueued = true;
      if (tcb.state === ESTABLISHED) setState(tcb, FIN_WAIT_1);
      else if (tcb.state === CLOSE_WAIT) setState(tcb, LAST_ACK);
      requestOutput(tcb);
    });
  }

  abort(reason?: Error): void {
    const tcb = this.#tcb;
    if (tcb.endedHow === "closed" && !this.#settled) {
      // In order as far as TCP goes, but nobody wants the rest.
      tcb.endedHow = "aborted";
      tcb.endedError = reason;
      tcb.receiveBuffer.clear();
      tcb.sink = null;
      this.#ended();
      return;
    }
    this.#within(() => abortConnection(tcb, "aborted", reason));
  }

  /**
   * Ends both directions, as close(2): what was written still goes, and what comes from now on is answered by a reset, as is at once what nobody has taken (SHLD-3).
   * Resolves, as BSD's SO_LINGER lets close(2) return, when everything and our FIN is acknowledged: true; or after `lingerMs`, or when the connection is lost: false. TCP
   * goes on by itself after `lingerMs`. 0: does not wait and does not send, but resets. Default: waits as long as it takes.
   */
  close(options: { readonly lingerMs?: number } = {}): Promise<boolean> {
    const tcb = this.#tcb;
    const { lingerMs = Number.POSITIVE_INFINITY } = options;
    if (tcb.endedHow === null && (lingerMs === 0 || tcb.receiveBuffer.ordered > 0)) {
      this.abort(lingerMs === 0 ? undefined : new TcpError("ECONNABORTED", "closed with data unread"));
    }
    if (tcb.endedHow !== null) return Promise.resolve(tcb.endedHow === "closed");
    if (!tcb.fullyClosed) {
      tcb.fullyClosed = true;
      this.setSink(new ClosedSink(tcb));
      this.shutdown();
    }
    return new Promise((resolve) => {
      this.#lingering ??= [];
      this.#lingering.push(resolve);
      if (tcb.state === FIN_WAIT_2) finAcknowledgedFirst(tcb);
      else if (lingerMs !== Number.POSITIVE_INFINITY) startTimer(tcb, TIMER_LINGER, lingerMs * 1000);
    });
  }

  get closed(): Promise<StreamEnd> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#settled) resolve(this.#end());
      else this.#settle = resolve;
    });
    return this.#closed;
  }

  // ——— TCP's own ———

  /** `write`, with everything queued so far marked as urgent. RFC 6093 advises against it (SHLD-13). */
  writeUrgent(slices: readonly Slice[]): number {
    const tcb = this.#tcb;
    if (tcb.finQueued || tcb.endedHow !== null) return this.write(slices);
    this.#within(() => {
      this.write(slices);
      markUrgent(tcb);
    });
    return tcb.sendBuffer.queued;
  }

  /** Bytes not yet taken up to the peer's urgent pointer. */
  get urgentPending(): number {
    return urgentPending(this.#tcb);
  }

  /** What is known of the connection: a copy. */
  tcpInfo(): TcpInfo {
    return tcpInfo(this.#tcb);
  }

  /** True: small segments go out at once, without Nagle's algorithm (MUST-17). */
  setNoDelay(noDelay: boolean): void {
    const tcb = this.#tcb;
    tcb.noDelay = noDelay;
    if (noDelay && tcb.endedHow === null) this.#within(() => requestOutput(tcb));
  }

  /** True: only full segments go, until it is false again or the connection is shut down (FreeBSD's TCP_NOPUSH, Linux's TCP_CORK without its 200 ms). */
  setCork(corked: boolean): void {
    const tcb = this.#tcb;
    tcb.corked = corked;
    if (!corked && tcb.endedHow === null) this.#within(() => requestOutput(tcb));
  }

  /** Keep-alive probes, off unless net.inet.tcp.always_keepalive is set (MUST-24, MUST-25). */
  setKeepAlive(on: boolean, options?: KeepAliveOptions): void {
    setKeepAlive(this.#tcb, on, options);
  }

  /** Gives the connection up when data has waited so long for its acknowledgment; 0: after net.inet.tcp.rexmit_tries (MUST-21). */
  setUserTimeout(ms: number): void {
    fixUserTimeout(this.#tcb, ms * 1000);
  }

  /**
   * Tells the peer, by an option that he may ignore, how long data should wait for its acknowledgment, and heeds what he says of it; unless `setUserTimeout` has
   * set it, the timeout is the longer of both, within net.inet.tcp.uto.low and high (RFC 5482). Throws a RangeError: not from 1 s to 32,767 minutes.
   */
  advertiseUserTimeout(ms: number): void {
    const seconds = Math.ceil(ms / 1000);
    if (!(seconds >= 1 && seconds <= LONGEST_USER_TIMEOUT)) throw new RangeError(`not a user timeout: ${ms} ms`);
    const tcb = this.#tcb;
    if (tcb.endedHow === null) this.#within(() => advertiseUserTimeout(tcb, seconds));
  }

  /** The six bits of Differentiated Services and, left alone, the two of ECN (MUST-48); from the next segment on. */
  setTrafficClass(trafficClass: number): void {
    this.#tcb.trafficClass = trafficClass & 0xfc;
  }

  /** Hands the window to another congestion control algorithm: a name of net.inet.tcp.cc.algorithm's. Throws a RangeError for any other. */
  setCongestionControl(name: string): void {
    const tcb = this.#tcb;
    const algorithm = tcb.context.algorithms.get(name);
    if (algorithm === undefined) throw new RangeError(`there is no congestion control algorithm "${name}"`);
    if (name !== tcb.congestionControl?.name) tcb.congestionControl = algorithm.attach(tcb);
  }

  /** TTL or hop limit from the next segment on; 0: the stack's default (MUST-49). */
  setHopLimit(hopLimit: number): void {
    this.#tcb.hopLimit = hopLimit & 0xff;
  }

  /** Signs with another MD5 key from the next segment on, or no longer (null). Throws a `TcpError` (EINVAL) where TCP-AO is concerned. */
  setSignatureKey(key: SignatureKey | null): void {
    const tcb = this.#tcb;
    if (tcb.endedHow === null) rekey(tcb, key);
  }

  /** With TCP-AO: the keys of the chain to sign with from now on, and to ask the peer for (RFC 5925 §7.1). Throws a `TcpError` (EINVAL) or a RangeError. */
  selectKeys(selection: KeySelection): void {
    const tcb = this.#tcb;
    if (tcb.endedHow === null) this.#within(() => selectKeys(tcb, selection));
  }

  #within(action: () => void): void {
    const { stack } = this.#tcb.context;
    stack.enter();
    try {
      action();
    } finally {
      stack.leave();
    }
  }

  /** Ended in order means: once the sink has everything, its end included. */
  #ended(): void {
    const tcb = this.#tcb;
    if (this.#settled) return;
    if (
      tcb.endedHow === "closed" &&
      tcb.finReceived &&
      !tcb.endDelivered &&
      (tcb.sink !== null || tcb.receiveBuffer.ordered > 0)
    )
      return;
    this.#settled = true;
    this.#lingered(tcb.endedHow === "closed");
    this.#settle?.(this.#end());
  }

  #lingered(done: boolean): void {
    const waiting = this.#lingering ?? [];
    this.#lingering = null;
    for (const resolve of waiting) resolve(done);
  }

  #end(): StreamEnd {
    const { endedHow, endedError } = this.#tcb;
    const how = endedHow ?? "closed";
    return endedError === undefined ? { how } : { how, error: endedError };
  }
}

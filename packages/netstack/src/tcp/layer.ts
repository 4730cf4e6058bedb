import { ConnectError, type ConnectOptions, type Connector, type Slice } from "@nfs4/bytestream";
import { Address } from "../address.ts";
import type { InboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { ControlError, TransportProtocol } from "../transport.ts";
import { MEMORY_STATE_NAMES } from "./buffer-memory.ts";
import type { TcpConnection } from "./connection.ts";
import { ACK, CLOSED, PROTOCOL_TCP, RST, SYN } from "./constants.ts";
import { requestOutput, TcpContext } from "./context.ts";
import { connectionError } from "./control-input.ts";
import { endConnection } from "./end.ts";
import { endsToOpen, type LocalEnd } from "./ends.ts";
import { TcpError } from "./errors.ts";
import { beginFastOpen } from "./fast-open.ts";
import { FLOW_CONNECTION, FLOW_SYN, FLOW_TIME_WAIT, type Flow, type FlowKey } from "./flow.ts";
import type { TcpHistograms } from "./histograms.ts";
import { incidentsOf } from "./incidents.ts";
import { type TcpInfo, tcpInfo } from "./info.ts";
import { connectionInput, finishIntoTimeWait } from "./input.ts";
import type { TcpListener } from "./listener.ts";
import { Listeners, type TcpListenOptions } from "./listeners.ts";
import { openActive, openPassive } from "./open.ts";
import { output } from "./output.ts";
import { PendingConnect } from "./pending-connect.ts";
import { TcpSegment } from "./segment.ts";
import { isSignedAsExpected } from "./signatures/inspection.ts";
import type { SignatureKey } from "./signatures/signature-key.ts";
import type { SignatureKeys } from "./signatures/signature-keys.ts";
import type { Verifier } from "./signatures/signer.ts";
import { TcpStatistics } from "./statistics.ts";
import { SynCookies } from "./syn-cookies.ts";
import type { SynEntry } from "./syn-entry.ts";
import { SynCache } from "./syncache.ts";
import type { Tcb } from "./tcb.ts";
import { type TimeWait, TimeWaitList } from "./time-wait.ts";

export interface TcpConnectOptions extends ConnectOptions, LocalEnd {
  /**
   * The first bytes to send, taken over as by `write`: with the SYN if the server has given us a cookie (RFC 7413), else behind the handshake; once more, should
   * something duplicate the SYN, so they must bear that (§6.1). Empty: asks for a cookie, for later.
   */
  readonly fastOpen?: readonly Slice[];
  /** Signs the connection. Default: as `TcpLayer.signatureKeys` say; null: not at all. */
  readonly signatureKey?: SignatureKey | null;
}

/** One connection, as `TcpLayer.connections()` lists it. */
export interface TcpConnectionSummary extends TcpInfo {
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
}

/** TCP (RFC 9293) over both families of one stack. */
export class TcpLayer implements TransportProtocol {
  readonly statistics: TcpStatistics;
  readonly #context: TcpContext;
  readonly #segment = new TcpSegment();
  readonly #synCache: SynCache;
  readonly #timeWait: TimeWaitList;
  readonly #listeners: Listeners;
  #spare: Tcb[] = [];

  /** `secret`: 32 bytes, to be kept across restarts; default: random. */
  constructor(stack: Stack, secret?: Uint8Array) {
    this.statistics = stack.statistics.register("tcp", new TcpStatistics());
    this.#context = new TcpContext(stack, this.statistics, secret);
    const cookies = new SynCookies(this.#context);
    this.#synCache = new SynCache(this.#context, cookies);
    this.#timeWait = new TimeWaitList(this.#context);
    this.#listeners = new Listeners(this.#context, this.#synCache, cookies);
    this.signatureKeys.onChange = () => this.#synCache.forgetRekeyed();
    stack.registerTransport(PROTOCOL_TCP, this);
    stack.onBatchEnd(() => this.#outputPending());
    stack.onClose(() => this.#close());
  }

  /** Who must sign, and with which keys, on connections and ports that say nothing else (as FreeBSD's setkey). */
  get signatureKeys(): SignatureKeys {
    return this.#context.signatureKeys;
  }

  // ——— Opening ———

  /** Accepts connections. Throws a `TcpError` (EADDRINUSE, EADDRNOTAVAIL) or a RangeError for what is no address or port. */
  listen(options: TcpListenOptions): TcpListener {
    return this.#listeners.listen(options);
  }

  /** Opens a connection. Rejects with a `ConnectError`. */
  async connect(
    to: { readonly address: string; readonly port: number },
    options: TcpConnectOptions = {},
  ): Promise<TcpConnection> {
    const { signal, timeoutMs, fastOpen } = options;
    const context = this.#context;
    let key: FlowKey;
    try {
      if (signal?.aborted) throw new ConnectError("ABORT_ERR", to, signal.reason);
      key = endsToOpen(context, this.#listeners, to, options);
    } catch (error) {
      for (const slice of fastOpen ?? []) slice.release?.();
      throw error;
    }
    const pending = new PendingConnect(to, signal);
    context.stack.enter();
    try {
      const old = context.flows.findKey(key);
      const leastIss = old?.kind === FLOW_TIME_WAIT ? (old as TimeWait).sndNxt : -1;
      if (old?.kind === FLOW_TIME_WAIT) this.#timeWait.remove(old as TimeWait);
      context.statistics.connAttempt++;
      const timeout = timeoutMs ?? context.tunables.keepinit.value;
      const { signatureKey = context.signatureKey(null, key) } = options;
      const tcb = openActive(context, key, timeout * 1000, leastIss, signatureKey);
      if (fastOpen !== undefined) beginFastOpen(tcb, fastOpen);
      pending.begin(tcb);
      requestOutput(tcb);
    } finally {
      context.stack.leave();
    }
    return pending.promise;
  }

  /** `connect` for whoever knows only the seam. */
  connector(defaults: TcpConnectOptions = {}): Connector {
    return { connect: (to, options) => this.connect(to, { ...defaults, ...options }) };
  }

  // ——— Looking ———

  /** Every connection, as it is now; those in TIME-WAIT and the half-open ones are counted by `timeWaitCount` and `halfOpenCount`. */
  *connections(): Generator<TcpConnectionSummary, void, undefined> {
    for (const flow of this.#context.flows) {
      if (flow.kind !== FLOW_CONNECTION) continue;
      yield {
        localAddress: Address.fromWords(flow.l0, flow.l1, flow.l2, flow.l3).toString(),
        localPort: flow.localPort,
        peerAddress: Address.fromWords(flow.r0, flow.r1, flow.r2, flow.r3).toString(),
        peerPort: flow.remotePort,
        ...tcpInfo(flow as Tcb),
      };
    }
  }

  get connectionCount(): number {
    return this.#context.connections;
  }

  get timeWaitCount(): number {
    return this.#timeWait.size;
  }

  get halfOpenCount(): number {
    return this.#synCache.size;
  }

  listeners(): Iterable<TcpListener> {
    return this.#listeners;
  }

  /** Everything in the table, for tests: connections, half-open ones, and those in TIME-WAIT. */
  flows(): Iterable<Flow> {
    return this.#context.flows;
  }

  get histograms(): TcpHistograms {
    return this.#context.histograms;
  }

  /** Bytes of memory that receive buffers hold. */
  get receiveMemory(): number {
    return this.#context.receiveMemory.used;
  }

  /** Bytes written that are not acknowledged. */
  get sendMemory(): number {
    return this.#context.sendMemory.used;
  }

  /** The shorter of the two: "normal", "pressure" or "hard". */
  get memoryState(): string {
    const { receiveMemory, sendMemory } = this.#context;
    return MEMORY_STATE_NAMES[Math.max(receiveMemory.state, sendMemory.state)]!;
  }

  // ——— From IP ———

  input(packet: InboundPacket): void {
    const context = this.#context;
    const { statistics } = context;
    const segment = this.#segment;
    statistics.rcvTotal++;
    if (packet.multicast) {
      // MUST-57.
      statistics.rcvBadAddr++;
      context.stack.oddPackets.mark(packet, "TCP to a multicast address");
      return;
    }
    const sound = segment.parse(packet, statistics);
    if (segment.oddity !== null) context.stack.oddPackets.mark(packet, segment.oddity);
    if (!sound) return;
    const flow = context.flows.find(
      packet.dst0,
      packet.dst1,
      packet.dst2,
      packet.dst3,
      segment.destinationPort,
      packet.src0,
      packet.src1,
      packet.src2,
      packet.src3,
      segment.sourcePort,
    );
    const signer = flow === null ? null : flow.signer;
    if ((flow === null || signer !== null || segment.options.signatureCount > 0) && !this.#isAuthentic(flow, segment)) {
      return;
    }
    if (flow === null) this.#listenerInput(segment, -1);
    else if (flow.kind === FLOW_CONNECTION) this.#connectionInput(flow as Tcb, segment);
    else if (flow.kind === FLOW_SYN) this.#synInput(flow as SynEntry, segment);
    else this.#timeWaitInput(flow as TimeWait, segment);
  }

  /** Whether it is signed as what it belongs to asks. For a SYN that may take over from TIME-WAIT the listener's key comes first. */
  #isAuthentic(flow: Flow | null, segment: TcpSegment): boolean {
    let verifier: Verifier | null = flow === null ? null : flow.signer;
    const opens = flow?.kind === FLOW_TIME_WAIT && (segment.flags & (SYN | ACK | RST)) === SYN;
    if (flow === null || opens) verifier = this.#listeners.keyFor(segment) ?? verifier;
    const isAuthentic = isSignedAsExpected(this.#context, verifier, segment);
    if (!isAuthentic && flow?.kind === FLOW_CONNECTION) incidentsOf(flow as Tcb).signatureDrops++;
    return isAuthentic;
  }

  controlInput(error: ControlError): void {
    if (error.quotedLength < 8) {
      this.statistics.icmpIgnored++;
      return;
    }
    const { view, quotedOffset: at } = error;
    const flow = this.#context.flows.find(
      error.l0,
      error.l1,
      error.l2,
      error.l3,
      view.getUint16(at),
      error.r0,
      error.r1,
      error.r2,
      error.r3,
      view.getUint16(at + 2),
    );
    const sequence = view.getUint32(at + 4);
    if (flow?.kind === FLOW_CONNECTION) connectionError(flow as Tcb, error, sequence);
    else if (flow?.kind === FLOW_SYN && error.kind !== "packet-too-big") {
      this.#synCache.unreachable(flow as SynEntry, sequence);
    } else this.statistics.icmpIgnored++;
  }

  #connectionInput(tcb: Tcb, segment: TcpSegment): void {
    if (connectionInput(tcb, segment) !== "time-wait") return;
    finishIntoTimeWait(tcb);
    this.#timeWait.add(tcb);
  }

  #listenerInput(segment: TcpSegment, leastIss: number): void {
    const handshake = this.#listeners.input(segment, leastIss);
    if (handshake !== null) this.#connectionInput(openPassive(this.#context, handshake), segment);
  }

  #synInput(entry: SynEntry, segment: TcpSegment): void {
    const verdict = this.#synCache.input(entry, segment);
    if (verdict === "complete") this.#connectionInput(openPassive(this.#context, entry), segment);
    else if (verdict === "listen") this.#listenerInput(segment, -1);
  }

  #timeWaitInput(entry: TimeWait, segment: TcpSegment): void {
    if (this.#timeWait.input(entry, segment) === "new-connection") this.#listenerInput(segment, entry.sndNxt);
  }

  // ——— From the stack ———

  /** Every connection that something happened to sends what it now has to send. */
  #outputPending(): void {
    const context = this.#context;
    while (context.pending.length > 0) {
      const pending = context.pending;
      context.pending = this.#spare;
      this.#spare = pending;
      for (const tcb of pending) {
        tcb.outputPending = false;
        if (tcb.state !== CLOSED) output(tcb);
      }
      pending.length = 0;
    }
  }

  #close(): void {
    for (const listener of [...this.#listeners]) void listener.close();
    for (const flow of [...this.#context.flows]) {
      if (flow.kind === FLOW_CONNECTION) {
        endConnection(flow as Tcb, "aborted", new TcpError("ECONNABORTED", "the stack was closed"));
      }
    }
    this.#synCache.removeAll(null);
    this.#timeWait.clear();
  }
}

import { ConnectError, type ConnectOptions, type Connector } from "@nfs4/bytestream";
import { Address } from "../address.ts";
import type { InboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { ControlError, TransportProtocol } from "../transport.ts";
import { CHUNK } from "./chunk-pool.ts";
import type { TcpConnection } from "./connection.ts";
import { ACK, CLOSED, FIN, PROTOCOL_TCP, RST, SYN } from "./constants.ts";
import { requestOutput, TcpContext } from "./context.ts";
import { connectionError } from "./control-input.ts";
import { endConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import { FLOW_CONNECTION, FLOW_SYN, FLOW_TIME_WAIT, type Flow, type FlowKey } from "./flow.ts";
import { type TcpInfo, tcpInfo } from "./info.ts";
import { connectionInput, finishIntoTimeWait } from "./input.ts";
import { TcpListener } from "./listener.ts";
import { openActive, openPassive } from "./open.ts";
import { output } from "./output.ts";
import { PendingConnect } from "./pending-connect.ts";
import { TcpSegment } from "./segment.ts";
import { TcpStatistics } from "./statistics.ts";
import { SynCache, type SynEntry } from "./syncache.ts";
import type { Tcb } from "./tcb.ts";
import { type TimeWait, TimeWaitList } from "./time-wait.ts";
import { sendReset } from "./transmit.ts";

export interface TcpListenOptions {
  /** One of our addresses; default: all of them. */
  readonly address?: string;
  /** 0: one is chosen. */
  readonly port: number;
  /** Connections that may wait for `accept`. Default 128. */
  readonly backlog?: number;
}

export interface TcpConnectOptions extends ConnectOptions {
  readonly localAddress?: string;
  readonly localPort?: number;
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
  readonly #listeners = new Map<number, TcpListener[]>();
  #spare: Tcb[] = [];

  constructor(stack: Stack) {
    this.statistics = stack.statistics.register("tcp", new TcpStatistics());
    this.#context = new TcpContext(stack, this.statistics);
    this.#synCache = new SynCache(this.#context);
    this.#timeWait = new TimeWaitList(this.#context);
    stack.registerTransport(PROTOCOL_TCP, this);
    stack.onBatchEnd(() => this.#outputPending());
    stack.onClose(() => this.#close());
  }

  // ——— Opening ———

  /** Accepts connections. Throws a `TcpError` (EADDRINUSE, EADDRNOTAVAIL) or a RangeError for what is no address or port. */
  listen(options: TcpListenOptions): TcpListener {
    const { ip } = this.#context.stack;
    const parsed = options.address === undefined ? null : Address.parse(options.address);
    const address = parsed?.isUnspecified ? null : parsed;
    if (address !== null && !ip.isLocal(address.w0, address.w1, address.w2, address.w3)) {
      throw new TcpError("EADDRNOTAVAIL", `${address} is not an address of this stack`);
    }
    const port = options.port === 0 ? this.#unusedPort() : checkedPort(options.port);
    const same = this.#listeners.get(port) ?? [];
    if (same.some((other) => (other.address === null ? address === null : address?.equals(other.address)))) {
      throw new TcpError("EADDRINUSE", `port ${port} has a listener already`);
    }
    const listener = new TcpListener(this, address, port, options.backlog ?? 128);
    this.#listeners.set(port, [...same, listener]);
    return listener;
  }

  /** Opens a connection. Rejects with a `ConnectError`. */
  async connect(
    to: { readonly address: string; readonly port: number },
    options: TcpConnectOptions = {},
  ): Promise<TcpConnection> {
    const { signal, timeoutMs } = options;
    if (signal?.aborted) throw new ConnectError("ABORT_ERR", to, signal.reason);
    const context = this.#context;
    const key = this.#ends(to, options);
    const pending = new PendingConnect(to, signal);
    context.stack.enter();
    try {
      const old = this.#find(key);
      const leastIss = old?.kind === FLOW_TIME_WAIT ? (old as TimeWait).sndNxt : -1;
      if (old?.kind === FLOW_TIME_WAIT) this.#timeWait.remove(old as TimeWait);
      context.statistics.connAttempt++;
      const timeout = timeoutMs ?? context.tunables.keepinit.value;
      const tcb = openActive(context, key, timeout * 1000, leastIss);
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
    return this.#context.flows.size - this.timeWaitCount - this.halfOpenCount;
  }

  get timeWaitCount(): number {
    return this.#timeWait.size;
  }

  get halfOpenCount(): number {
    return this.#synCache.size;
  }

  *listeners(): Generator<TcpListener, void, undefined> {
    for (const some of this.#listeners.values()) yield* some;
  }

  /** Everything in the table, for tests: connections, half-open ones, and those in TIME-WAIT. */
  flows(): Iterable<Flow> {
    return this.#context.flows;
  }

  /** Bytes of memory that receive buffers hold. */
  get receiveMemory(): number {
    return this.#context.chunks.inUse * CHUNK;
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
      return;
    }
    if (!segment.parse(packet, statistics)) return;
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
    if (flow === null) this.#listenInput(segment, -1);
    else if (flow.kind === FLOW_CONNECTION) this.#connectionInput(flow as Tcb, segment);
    else if (flow.kind === FLOW_SYN) this.#synInput(flow as SynEntry, segment);
    else this.#timeWaitInput(flow as TimeWait, segment);
  }

  controlInput(error: ControlError): void {
    if (error.quotedLength < 8) return;
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
    else if (flow?.kind === FLOW_SYN) this.#synCache.unreachable(flow as SynEntry, sequence);
    else this.statistics.icmpIgnored++;
  }

  #connectionInput(tcb: Tcb, segment: TcpSegment): void {
    if (connectionInput(tcb, segment) !== "time-wait") return;
    finishIntoTimeWait(tcb);
    this.#timeWait.add(tcb);
  }

  #synInput(entry: SynEntry, segment: TcpSegment): void {
    const verdict = this.#synCache.input(entry, segment);
    if (verdict === "complete") this.#connectionInput(openPassive(this.#context, entry), segment);
    else if (verdict === "listen") this.#listenInput(segment, -1);
  }

  #timeWaitInput(entry: TimeWait, segment: TcpSegment): void {
    if (this.#timeWait.input(entry, segment) === "new-connection") this.#listenInput(segment, entry.sndNxt);
  }

  /** RFC 9293 §3.10.7.1 and §3.10.7.2: no connection; perhaps a listener. */
  #listenInput(segment: TcpSegment, leastIss: number): void {
    const { statistics, tunables, stack } = this.#context;
    const { flags, packet } = segment;
    const listener = this.#listenerFor(segment);
    if (listener === null) {
      statistics.noPort++;
      if ((flags & RST) !== 0 || this.#isBlackHole(segment)) return;
      sendReset(this.#context, segment);
      return;
    }
    if ((flags & RST) !== 0) {
      statistics.badRst++;
      return;
    }
    if ((flags & ACK) !== 0) {
      statistics.badSyn++;
      sendReset(this.#context, segment);
      return;
    }
    if ((flags & SYN) === 0 || ((flags & FIN) !== 0 && tunables.dropSynfin.value)) {
      statistics.badSyn++;
      return;
    }
    const source = Address.fromWords(packet.src0, packet.src1, packet.src2, packet.src3);
    if (
      source.isMulticast ||
      source.isUnspecified ||
      stack.ip.isBroadcast(source.w0, source.w1, source.w2, source.w3)
    ) {
      // MUST-63.
      statistics.rcvBadAddr++;
      return;
    }
    if (listener.isFull) {
      statistics.listenDrop++;
      return;
    }
    const mtu = packet.iface.mtu;
    this.#synCache.add(keyOf(segment), segment, listener, mtu, leastIss);
  }

  #isBlackHole(segment: TcpSegment): boolean {
    const level = this.#context.tunables.blackhole.value;
    const { packet, flags } = segment;
    if (level === 0) return false;
    if (level < 3 && this.#context.stack.ip.isLocal(packet.src0, packet.src1, packet.src2, packet.src3)) return false;
    return level >= 2 || (flags & SYN) !== 0;
  }

  #listenerFor(segment: TcpSegment): TcpListener | null {
    const some = this.#listeners.get(segment.destinationPort);
    if (some === undefined) return null;
    const { packet } = segment;
    let any: TcpListener | null = null;
    for (const listener of some) {
      if (listener.address === null) any = listener;
      else if (listener.address.is(packet.dst0, packet.dst1, packet.dst2, packet.dst3)) return listener;
    }
    return any;
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

  /** From a listener. */
  unlisten(listener: TcpListener): void {
    this.#synCache.removeAll(listener);
    const rest = (this.#listeners.get(listener.port) ?? []).filter((other) => other !== listener);
    if (rest.length === 0) this.#listeners.delete(listener.port);
    else this.#listeners.set(listener.port, rest);
  }

  #close(): void {
    for (const listener of [...this.listeners()]) void listener.close();
    for (const flow of [...this.#context.flows]) {
      if (flow.kind === FLOW_CONNECTION) {
        endConnection(flow as Tcb, "aborted", new TcpError("ECONNABORTED", "the stack was closed"));
      }
    }
    this.#synCache.removeAll(null);
    this.#timeWait.clear();
  }

  // ——— Ends ———

  #find(key: FlowKey): Flow | null {
    return this.#context.flows.find(
      key.l0,
      key.l1,
      key.l2,
      key.l3,
      key.localPort,
      key.r0,
      key.r1,
      key.r2,
      key.r3,
      key.remotePort,
    );
  }

  /** The two ends of a connection to open. Throws a `ConnectError`. */
  #ends(to: { readonly address: string; readonly port: number }, options: TcpConnectOptions): FlowKey {
    const { ip } = this.#context.stack;
    if (!Address.isAddress(to.address)) throw new ConnectError("EINVAL", to);
    const remote = Address.parse(to.address);
    const port = checkedPort(to.port);
    const { w0, w1, w2, w3 } = remote;
    // MUST-46.
    if (remote.isMulticast || remote.isUnspecified || ip.isBroadcast(w0, w1, w2, w3)) {
      throw new ConnectError("EADDRNOTAVAIL", to);
    }
    const route = ip.route(w0, w1, w2, w3);
    if (route === null) throw new ConnectError("ENETUNREACH", to);
    // MUST-44.
    const local = options.localAddress === undefined ? ip.selectSource(route) : Address.parse(options.localAddress);
    if (local === null || local.family !== remote.family || !ip.isLocal(local.w0, local.w1, local.w2, local.w3)) {
      throw new ConnectError("EADDRNOTAVAIL", to);
    }
    const ends = {
      family: remote.family,
      l0: local.w0,
      l1: local.w1,
      l2: local.w2,
      l3: local.w3,
      localPort: 0,
      r0: w0,
      r1: w1,
      r2: w2,
      r3: w3,
      remotePort: port,
    };
    if (options.localPort !== undefined && options.localPort !== 0) {
      const key = { ...ends, localPort: checkedPort(options.localPort) };
      const old = this.#find(key);
      if (old !== null && old.kind !== FLOW_TIME_WAIT) throw new ConnectError("EADDRINUSE", to);
      return key;
    }
    const { ports, tunables } = this.#context;
    const isFree = (candidate: number): boolean =>
      !this.#listeners.has(candidate) && this.#find({ ...ends, localPort: candidate }) === null;
    const { portFirst, portLast } = tunables;
    const { l0, l1, l2, l3 } = ends;
    const chosen = ports.choose(l0, l1, l2, l3, w0, w1, w2, w3, port, portFirst.value, portLast.value, isFree);
    if (chosen < 0) throw new ConnectError("EADDRNOTAVAIL", to);
    return { ...ends, localPort: chosen };
  }

  #unusedPort(): number {
    const { ports, tunables } = this.#context;
    const isFree = (candidate: number): boolean => !this.#listeners.has(candidate);
    const chosen = ports.choose(0, 0, 0, 0, 0, 0, 0, 0, 0, tunables.portFirst.value, tunables.portLast.value, isFree);
    if (chosen < 0) throw new TcpError("EADDRINUSE", "no port is left");
    return chosen;
  }
}

function checkedPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`not a port: ${port}`);
  return port;
}

/** The ends of the segment's connection, as we see them. */
function keyOf(segment: TcpSegment): FlowKey {
  const { packet } = segment;
  return {
    family: packet.family,
    l0: packet.dst0,
    l1: packet.dst1,
    l2: packet.dst2,
    l3: packet.dst3,
    localPort: segment.destinationPort,
    r0: packet.src0,
    r1: packet.src1,
    r2: packet.src2,
    r3: packet.src3,
    remotePort: segment.sourcePort,
  };
}

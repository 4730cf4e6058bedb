import type { Clock } from "@nfs4/timecounter";
import type { Stack } from "../stack.ts";
import { Bbr } from "./bbr.ts";
import { BufferMemory } from "./buffer-memory.ts";
import { ChunkPool } from "./chunk-pool.ts";
import type { CongestionAlgorithm } from "./congestion.ts";
import { Cubic } from "./cubic.ts";
import { RateSample } from "./delivery-rate.ts";
import { FastOpenCache } from "./fast-open-cache.ts";
import { FastOpenCookies } from "./fast-open-server.ts";
import type { FlowKey } from "./flow.ts";
import { FlowTable } from "./flow-table.ts";
import { TcpHistograms } from "./histograms.ts";
import { InitialNumbers } from "./isn.ts";
import { NewReno } from "./new-reno.ts";
import { EphemeralPorts } from "./ports.ts";
import type { TcpSegment } from "./segment.ts";
import type { SignatureKey } from "./signatures/signature-key.ts";
import { SignatureKeys } from "./signatures/signature-keys.ts";
import { SignedMessage } from "./signatures/signed-message.ts";
import type { Signer } from "./signatures/signer.ts";
import type { TcpStatistics } from "./statistics.ts";
import type { Tcb } from "./tcb.ts";
import { TransmitLogPool } from "./transmit-log-pool.ts";
import { TcpTunables } from "./tunables.ts";

/** net.inet.tcp.cc.algorithm's choices, the default first. */
const ALGORITHMS = ["cubic", "newreno", "bbr"] as const;

/** What the connections of one stack share. */
export class TcpContext {
  readonly stack: Stack;
  readonly clock: Clock;
  readonly statistics: TcpStatistics;
  readonly tunables: TcpTunables;
  readonly flows: FlowTable;
  readonly logs: TransmitLogPool = new TransmitLogPool();
  /** Of the acknowledgment at hand. */
  readonly rateSample: RateSample = new RateSample();
  readonly histograms: TcpHistograms = new TcpHistograms();
  /** What receive buffers hold, and what is written and not acknowledged. */
  readonly receiveMemory: BufferMemory;
  readonly sendMemory: BufferMemory;
  readonly chunks: ChunkPool;
  readonly initial: InitialNumbers;
  readonly ports: EphemeralPorts;
  readonly fastOpenCookies: FastOpenCookies;
  readonly fastOpenCache: FastOpenCache;
  readonly algorithms: Map<string, CongestionAlgorithm> = new Map();
  /** Keys for the segments of peers, unless a listener or a connection has its own. */
  readonly signatureKeys: SignatureKeys = new SignatureKeys();
  readonly signedMessage: SignedMessage = new SignedMessage();
  /** Control blocks in the table. */
  connections = 0;
  /** Connections that `output` must see at the end of this batch. */
  pending: Tcb[] = [];
  /** Challenge ACKs left to the whole stack until `challengeUntil` (RFC 5961 §10). */
  challengeBudget = 0;
  challengeUntil = 0;

  constructor(stack: Stack, statistics: TcpStatistics, secret?: Uint8Array) {
    this.stack = stack;
    this.clock = stack.clock;
    this.statistics = statistics;
    this.tunables = new TcpTunables(stack.sysctl, ALGORITHMS);
    const { clock, random } = stack;
    const algorithms = [
      new Cubic(this.tunables, clock),
      new NewReno(this.tunables, clock),
      new Bbr(this.tunables, clock, random),
    ];
    for (const algorithm of algorithms) this.algorithms.set(algorithm.name, algorithm);
    this.receiveMemory = new BufferMemory(this.tunables.recvmemMax, statistics);
    this.sendMemory = new BufferMemory(this.tunables.sendmemMax, statistics);
    this.chunks = new ChunkPool(512, this.receiveMemory);
    this.flows = new FlowTable(stack.random.uint32());
    this.initial = new InitialNumbers(stack.clock, secret ?? stack.random.fill(new Uint8Array(32)));
    this.ports = new EphemeralPorts(stack.random, stack.clock, () => this.tunables.portQuiettime.value * 1000);
    this.fastOpenCookies = new FastOpenCookies(this);
    this.fastOpenCache = new FastOpenCache(
      stack.clock,
      () => this.tunables.fastopenCcacheLimit.value,
      () => this.tunables.fastopenPathDisableTime.value * 1e6,
    );
  }

  get algorithm(): CongestionAlgorithm {
    return this.algorithms.get(this.tunables.ccAlgorithm.value)!;
  }

  /** No room for one connection more (kern.ipc.maxsockets). */
  get isFull(): boolean {
    return this.connections >= this.tunables.maxsockets.value;
  }

  /** The key for a connection between those ends: of the listener's keys, or else of the stack's. Null: its segments are not signed. */
  signatureKey(own: SignatureKeys | null, ends: FlowKey): SignatureKey | null {
    return own?.find(ends) ?? this.signatureKeys.find(ends);
  }

  /** The signer of a connection that a listener's peer opens; null: its segments are not signed. */
  signer(own: SignatureKeys, ends: FlowKey, iss: number, irs: number, opening: TcpSegment): Signer | null {
    return this.signatureKey(own, ends)?.signer(ends, iss, irs, opening) ?? null;
  }

  /** Tells whoever looks for odd packets that the segment was dropped, and why. */
  odd(segment: TcpSegment, reason: string): void {
    this.stack.oddPackets.mark(segment.packet, reason);
  }

  /** Our timestamp clock: ms, unsigned 32 bits. */
  timestamp(offset: number): number {
    return this.timestampAt(this.clock.coarse(), offset);
  }

  /** What it said at `time`, µs of uptime. */
  timestampAt(time: number, offset: number): number {
    return (Math.floor(time / 1000) + this.initial.bootMs + offset) >>> 0;
  }
}

/** Has `output` look at the connection when this batch ends. */
export function requestOutput(tcb: Tcb): void {
  if (tcb.outputPending) return;
  tcb.outputPending = true;
  tcb.context.pending.push(tcb);
}

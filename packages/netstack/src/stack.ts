import type { Clock, RandomSource } from "@nfs4/timecounter";
import { LoopbackDriver } from "./drivers/loopback.ts";
import { type InterfaceOptions, NetworkInterface, type PacketTap } from "./interface.ts";
import { IpLayer } from "./ip/ip-layer.ts";
import { type ArpSettings, registerArpSettings } from "./link/arp.ts";
import { EthernetLink } from "./link/ethernet.ts";
import { IpLink } from "./link/ip-link.ts";
import type { LinkLayer } from "./link/link-layer.ts";
import { type NdSettings, registerNdSettings } from "./link/nd-settings.ts";
import { ignoreOddPackets, type OddPackets } from "./odd-packets.ts";
import { OutboundPool } from "./outbound-pool.ts";
import { InboundPacket, type OutboundPacket } from "./packet.ts";
import { RoutingTable } from "./routing-table.ts";
import { Statistics } from "./statistics.ts";
import { SysctlTree, type SysctlValue } from "./sysctl.ts";
import type { TransportProtocol } from "./transport.ts";

export interface StackOptions {
  /** For messages and captures. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Settings by FreeBSD's names; see `stack.sysctl.list()`. */
  readonly sysctl?: Readonly<Record<string, SysctlValue>>;
}

/**
 * One TCP/IP stack: interfaces, routes, addresses, sysctls and counters of its own. Any number run side by side.
 *
 * Whoever comes in from outside (a driver's poll, a callout, a call of an application) does so between `enter()` and `leave()`. Packets that are sent
 * meanwhile are queued, and leave in one batch per interface when the outermost `leave()` is reached.
 */
export class Stack implements AsyncDisposable {
  readonly name: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly sysctl: SysctlTree;
  readonly statistics: Statistics = new Statistics();
  readonly routes: RoutingTable;
  readonly ip: IpLayer;
  readonly arpSettings: ArpSettings;
  readonly ndSettings: NdSettings;
  /** lo0: the way of every packet to one of our own addresses. */
  readonly loopback: NetworkInterface;
  /** The one packet that is on its way up. */
  readonly inbound: InboundPacket = new InboundPacket();
  /** Told of packets that are dropped for being strange. */
  oddPackets: OddPackets = ignoreOddPackets;
  readonly #interfaces: NetworkInterface[] = [];
  readonly #taps: PacketTap[] = [];
  readonly #pool = new OutboundPool();
  readonly #batchEndHooks: (() => void)[] = [];
  readonly #closeHooks: (() => void)[] = [];
  #pending: NetworkInterface[] = [];
  #flushing: NetworkInterface[] = [];
  #depth = 0;
  #nextIndex = 1;
  #closing: Promise<void> | null = null;

  constructor(options: StackOptions) {
    this.name = options.name;
    this.clock = options.clock;
    this.random = options.random;
    this.sysctl = new SysctlTree(options.sysctl);
    this.routes = new RoutingTable(this.random.uint32());
    this.arpSettings = registerArpSettings(this);
    this.ndSettings = registerNdSettings(this);
    this.ip = new IpLayer(this);
    this.loopback = this.addInterface({ name: "lo0", driver: new LoopbackDriver() });
    this.loopback.addAddress("127.0.0.1/8");
    this.loopback.addAddress("::1/128");
  }

  get interfaces(): readonly NetworkInterface[] {
    return this.#interfaces;
  }

  interfaceByIndex(index: number): NetworkInterface | null {
    return this.#interfaces.find((iface) => iface.index === index) ?? null;
  }

  /** Throws a RangeError if the name is taken. */
  addInterface(options: InterfaceOptions): NetworkInterface {
    if (this.#interfaces.some((iface) => iface.name === options.name)) {
      throw new RangeError(`interface ${options.name} exists already`);
    }
    const iface = new NetworkInterface(this, this.#nextIndex++, options, makeLink);
    this.#interfaces.push(iface);
    for (const tap of this.#taps) iface.addTap(tap);
    this.routes.generation++;
    options.driver.start(iface, this.#pool.slab);
    return iface;
  }

  /** Shows the packets of every interface to `tap`, also of those to come. */
  addTap(tap: PacketTap): void {
    this.#taps.push(tap);
    for (const iface of this.#interfaces) iface.addTap(tap);
  }

  /** Takes the interface's addresses and routes away and closes its driver. */
  async removeInterface(iface: NetworkInterface): Promise<void> {
    const index = this.#interfaces.indexOf(iface);
    if (index < 0) return;
    this.#interfaces.splice(index, 1);
    for (const own of [...iface.addresses]) iface.removeAddress(own.address);
    for (const entry of [...this.routes]) if (entry.interface === iface) this.routes.remove(entry);
    this.routes.generation++;
    await iface.close();
  }

  registerTransport(protocol: number, transport: TransportProtocol): void {
    this.ip.registerTransport(protocol, transport);
  }

  // ——— Entry ———

  /** Whether somebody is inside. */
  get entered(): boolean {
    return this.#depth > 0;
  }

  enter(): void {
    this.#depth++;
  }

  leave(): void {
    if (this.#depth > 1) {
      this.#depth--;
      return;
    }
    try {
      for (const hook of this.#batchEndHooks) hook();
      this.#flushAll();
    } finally {
      this.#depth = 0;
    }
  }

  /** Runs `hook` each time the outermost entry is about to end, before the packets leave. */
  onBatchEnd(hook: () => void): void {
    this.#batchEndHooks.push(hook);
  }

  /** Runs `hook` when the stack is closed, before its interfaces are. */
  onClose(hook: () => void): void {
    this.#closeHooks.push(hook);
  }

  // ——— Packets ———

  /** A packet to fill and give to `ip.output`, or back with `releaseOutbound`. */
  acquireOutbound(): OutboundPacket {
    let packet = this.#pool.acquire();
    if (packet === null) {
      this.#flushAll();
      packet = this.#pool.acquire();
      if (packet === null) throw new Error("every outbound packet is held by somebody: one was not given to ip.output");
    }
    return packet;
  }

  releaseOutbound(packet: OutboundPacket): void {
    this.#pool.release(packet);
  }

  /** Packets that transports hold or interfaces have queued; 0 between entries. */
  get outstandingPackets(): number {
    return this.#pool.outstanding;
  }

  /** Called by an interface when its queue is no longer empty. */
  pendingFlush(iface: NetworkInterface): void {
    this.#pending.push(iface);
    if (this.#depth === 0) this.#flushAll();
  }

  #flushAll(): void {
    while (this.#pending.length > 0) {
      const flushing = this.#pending;
      this.#pending = this.#flushing;
      this.#flushing = flushing;
      for (const iface of flushing) iface.flush();
      flushing.length = 0;
    }
  }

  // ——— End ———

  /** Closes transports and interfaces. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.enter();
    try {
      for (const hook of this.#closeHooks) hook();
    } finally {
      this.leave();
    }
    this.ip.close();
    for (const iface of [...this.#interfaces].reverse()) await this.removeInterface(iface);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function makeLink(iface: NetworkInterface): LinkLayer {
  return iface.capabilities.medium === "ethernet" ? new EthernetLink(iface) : new IpLink(iface);
}

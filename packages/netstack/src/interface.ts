import { Address, Prefix } from "./address.ts";
import type { Driver, DriverCapabilities, DriverEvents, ReceiveBatch } from "./driver.ts";
import { InterfaceAddress } from "./interface-address.ts";
import { InterfaceStatistics } from "./interface-statistics.ts";
import { IPV4_MINIMUM_MTU, IPV6_MINIMUM_MTU, LINK_DOWN, OUTPUT_OK, type OutputResult } from "./ip/protocol.ts";
import type { LinkLayer } from "./link/link-layer.ts";
import { linkLocalAddress } from "./link/nd-settings.ts";
import type { ChecksumState, OutboundPacket } from "./packet.ts";
import type { Stack } from "./stack.ts";

/** Packets queued per interface before they are handed to the driver; also how many a poll may give. */
const BATCH = 32;
/** After so many batches the stack lets the event loop turn. */
const BATCHES_PER_TURN = 8;

/** Sees every packet of an interface, link header first: for captures and tests. */
export interface PacketTap {
  /** The bytes are lent for the call. `checksum` and `segmentSize` as in `ReceiveBatch`. */
  received(
    iface: NetworkInterface,
    slab: Uint8Array,
    offset: number,
    length: number,
    checksum: ChecksumState,
    segmentSize: number,
  ): void;
  /** Headers and slices are lent for the call. `checksumOffset ≥ 0`: the checksum is left to the device. */
  transmitted(iface: NetworkInterface, packet: OutboundPacket): void;
}

export interface InterfaceOptions {
  readonly name: string;
  readonly driver: Driver;
  /** At most the driver's. */
  readonly mtu?: number;
  /** For `ethernet`: overrides the driver's; if neither says, a random local one is taken. */
  readonly macAddress?: Uint8Array;
}

/** A driver attached to a stack, with its addresses, link layer and send queue. */
export class NetworkInterface implements DriverEvents {
  readonly stack: Stack;
  readonly name: string;
  /** From 1; the zone of link-scoped addresses. */
  readonly index: number;
  readonly driver: Driver;
  readonly capabilities: DriverCapabilities;
  readonly mtu: number;
  /** Six bytes, or null on a medium without. */
  readonly macAddress: Uint8Array | null;
  readonly link: LinkLayer;
  readonly addresses: InterfaceAddress[] = [];
  readonly statistics: InterfaceStatistics = new InterfaceStatistics();
  /** Called when another host uses one of our addresses; its `state` says whether we gave it up. */
  onAddressConflict: ((address: InterfaceAddress) => void) | null = null;
  readonly #queue: OutboundPacket[] = [];
  #taps: PacketTap[] = [];
  #adminUp = true;
  #closed = false;
  #pollQueued = false;
  #polling = false;
  readonly #pollTask = (): void => {
    this.#pollQueued = false;
    this.#poll();
  };

  constructor(
    stack: Stack,
    index: number,
    options: InterfaceOptions,
    makeLink: (iface: NetworkInterface) => LinkLayer,
  ) {
    const { driver } = options;
    this.stack = stack;
    this.name = options.name;
    this.index = index;
    this.driver = driver;
    this.capabilities = driver.capabilities;
    this.mtu = Math.min(options.mtu ?? driver.capabilities.mtu, driver.capabilities.mtu);
    if (!(this.mtu >= IPV4_MINIMUM_MTU)) throw new RangeError(`an MTU of ${this.mtu} is too small for IP`);
    this.macAddress =
      driver.capabilities.medium === "ethernet"
        ? (options.macAddress ?? driver.capabilities.macAddress ?? randomMac(stack))
        : null;
    this.link = makeLink(this);
  }

  get up(): boolean {
    return this.#adminUp && !this.#closed && this.driver.linkUp;
  }

  /** Administratively up or down. */
  setUp(up: boolean): void {
    this.#adminUp = up;
    this.stack.routes.generation++;
  }

  // ——— Addresses ———

  /**
   * Adds an address with its subnet ("10.0.0.1/24", "fd00::1/64"), and the routes to the subnet and to the address itself. Throws a RangeError if
   * the stack has the address already, if it cannot be an interface's, or if IPv6 cannot go over so small an MTU.
   */
  addAddress(prefix: Prefix | string): InterfaceAddress {
    const given = typeof prefix === "string" ? Prefix.parse(prefix) : prefix;
    const own = new InterfaceAddress(this, this.#inScope(given));
    const { address } = own;
    if (address.isMulticast || address.isUnspecified)
      throw new RangeError(`${address} cannot be an interface's address`);
    if (address.family === 6 && this.mtu < IPV6_MINIMUM_MTU)
      throw new RangeError(`IPv6 needs an MTU of ${IPV6_MINIMUM_MTU} (RFC 8200 §5), ${this.name} has ${this.mtu}`);
    const { stack } = this;
    if (stack.ip.hasAddress(address.w0, address.w1, address.w2, address.w3)) {
      throw new RangeError(`${address} is an address of this stack already`);
    }
    this.addresses.push(own);
    const host = new Prefix(address, address.family === 4 ? 32 : 128);
    own.routes.push(stack.routes.add({ destination: host, interface: this, kind: "local" }));
    if (own.prefix.length < host.length) this.#addSubnetRoute(own);
    stack.ip.addLocal(own);
    stack.enter();
    this.link.claim(own);
    stack.leave();
    this.#addLinkLocal(own);
    return own;
  }

  /** Removes an address and its routes. Returns false if the interface does not have it. */
  removeAddress(address: Address | string): boolean {
    const wanted = typeof address === "string" ? Address.parse(address) : address;
    const index = this.addresses.findIndex((own) => own.address.equals(wanted));
    const own = this.addresses[index];
    if (own === undefined) return false;
    this.addresses.splice(index, 1);
    this.link.release(own);
    for (const entry of own.routes) this.stack.routes.remove(entry);
    // Another address of the same subnet keeps it reachable.
    const heir = this.addresses.find((other) => other.prefix.network.equals(own.prefix.network));
    if (heir !== undefined) this.#addSubnetRoute(heir);
    this.stack.ip.removeLocal(own);
    return true;
  }

  /** The subnet is on the link, unless a route says so already. */
  #addSubnetRoute(own: InterfaceAddress): void {
    const subnet = own.prefix.network;
    for (const entry of this.stack.routes) {
      if (entry.interface === this && entry.gateway === null && entry.destination.equals(subnet)) return;
    }
    own.routes.push(this.stack.routes.add({ destination: subnet, interface: this }));
  }

  /** RFC 4291 §2.8: every IPv6 interface has one; those without a MAC address get theirs by hand. */
  #addLinkLocal(added: InterfaceAddress): void {
    if (added.address.family === 4 || this.macAddress === null || !this.stack.ndSettings.autoLinkLocal.value) return;
    if (this.addresses.some((own) => own.address.family === 6 && own.address.isLinkLocal)) return;
    this.addAddress(new Prefix(linkLocalAddress(this.macAddress), 64));
  }

  /** Link-local addresses get the index of this interface as their zone. */
  #inScope(prefix: Prefix): Prefix {
    const { address } = prefix;
    if (address.family === 4 || !address.isLinkLocal) return prefix;
    const w0 = ((address.w0 & 0xffff0000) | this.index) >>> 0;
    return new Prefix(Address.fromWords(w0, address.w1, address.w2, address.w3), prefix.length);
  }

  // ——— Sending ———

  /** Queues a finished packet (owns it). It leaves at the end of the stack entry, or when a batch is full. */
  enqueue(packet: OutboundPacket): OutputResult {
    if (!this.up) {
      this.statistics.oqDrops++;
      this.stack.releaseOutbound(packet);
      return LINK_DOWN;
    }
    if (this.#queue.push(packet) === 1) this.stack.pendingFlush(this);
    else if (this.#queue.length >= BATCH) this.flush();
    return OUTPUT_OK;
  }

  /** Hands what is queued to the driver. */
  flush(): void {
    const queue = this.#queue;
    const count = queue.length;
    if (count === 0) return;
    const { statistics, stack } = this;
    for (const tap of this.#taps) for (let i = 0; i < count; i++) tap.transmitted(this, queue[i] as OutboundPacket);
    this.driver.transmit(queue, count);
    for (let i = 0; i < count; i++) {
      const packet = queue[i] as OutboundPacket;
      statistics.oPackets++;
      statistics.oBytes += packet.headerLength + packet.payloadLength;
      stack.releaseOutbound(packet);
    }
    queue.length = 0;
  }

  addTap(tap: PacketTap): void {
    this.#taps = [...this.#taps, tap];
  }

  removeTap(tap: PacketTap): void {
    this.#taps = this.#taps.filter((other) => other !== tap);
  }

  // ——— Receiving ———

  /** From the driver. */
  ready(): void {
    if (this.stack.entered || this.#polling) this.#pollLater();
    else this.#poll();
  }

  /** From the driver. */
  linkChanged(up: boolean): void {
    const { stack } = this;
    stack.routes.generation++;
    stack.enter();
    this.link.linkChanged(up);
    stack.leave();
  }

  #pollLater(): void {
    if (this.#pollQueued) return;
    this.#pollQueued = true;
    this.stack.clock.defer(this.#pollTask);
  }

  #poll(): void {
    this.#polling = true;
    try {
      this.#pollBatches();
    } finally {
      this.#polling = false;
    }
  }

  #pollBatches(): void {
    const { driver, stack } = this;
    for (let batch = 0; batch < BATCHES_PER_TURN; batch++) {
      if (this.#closed) return;
      stack.enter();
      let count = 0;
      try {
        count = driver.poll(BATCH);
        this.#input(driver.batch, count);
      } finally {
        stack.leave();
      }
      if (count < BATCH) {
        if (!this.#closed) driver.wake();
        return;
      }
    }
    this.#pollLater();
  }

  #input(batch: ReceiveBatch, count: number): void {
    const packet = this.stack.inbound;
    const { statistics } = this;
    const { offsets, lengths, checksums, segmentSizes } = batch;
    for (let i = 0; i < count; i++) {
      const offset = offsets[i] as number;
      const length = lengths[i] as number;
      statistics.iPackets++;
      statistics.iBytes += length;
      packet.iface = this;
      packet.slab = batch.slab;
      packet.view = batch.view;
      packet.ipOffset = offset;
      packet.end = offset + length;
      packet.checksum = checksums[i] as ChecksumState;
      packet.segmentSize = segmentSizes[i] as number;
      for (const tap of this.#taps) tap.received(this, batch.slab, offset, length, packet.checksum, packet.segmentSize);
      if (!this.#adminUp) statistics.iqDrops++;
      else this.link.input(packet);
    }
  }

  /** Closes link layer and driver. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.link.close();
    for (const packet of this.#queue.splice(0)) this.stack.releaseOutbound(packet);
    await this.driver.close();
  }
}

/** A locally administered unicast address. */
function randomMac(stack: Stack): Uint8Array {
  const mac = stack.random.fill(new Uint8Array(6));
  mac[0] = ((mac[0] as number) & 0xfc) | 0x02;
  return mac;
}

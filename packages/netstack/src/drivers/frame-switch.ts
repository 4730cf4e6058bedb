import type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "../driver.ts";
import type { OutboundPacket } from "../packet.ts";
import { emptyDriverStatistics } from "./driver-statistics.ts";
import { PortDriver } from "./port-driver.ts";

/** Addresses remembered at most. */
const MAX_ADDRESSES = 4096;
const NOBODY: ReceiveBatch = {
  slab: new Uint8Array(0),
  view: new DataView(new ArrayBuffer(0)),
  offsets: new Int32Array(0),
  lengths: new Int32Array(0),
  checksums: [],
  segmentSizes: [],
};

export interface FrameSwitchOptions {
  readonly name: string;
  readonly mtu?: number;
  /** Default: the stack chooses one. */
  readonly macAddress?: Uint8Array;
  readonly keepAlive?: boolean;
}

/** One machine at the switch. */
interface Port {
  readonly driver: PortDriver;
  ready: boolean;
}

/**
 * An Ethernet switch of sockets with the stack at one of its ports: virtual machines come and go (each a socket that carries frames), and reach the
 * stack and each other. To the stack it is one Ethernet device without offloads, whose link is always up.
 */
export class FrameSwitch implements Driver {
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  readonly linkUp = true;
  readonly statistics: DriverStatistics = emptyDriverStatistics();
  readonly #options: FrameSwitchOptions;
  readonly #ports: Port[] = [];
  /** Which port each MAC address was last seen at. */
  readonly #addresses = new Map<number, Port>();
  #events: DriverEvents | null = null;
  #headerSlab: Uint8Array | null = null;
  #batch: ReceiveBatch = NOBODY;
  #wanted = true;
  #closed = false;
  readonly #onClose: (() => void)[] = [];

  constructor(options: FrameSwitchOptions) {
    this.#options = options;
    this.name = options.name;
    this.capabilities = {
      medium: "ethernet",
      mtu: options.mtu ?? 1500,
      macAddress: options.macAddress ?? null,
      transmitChecksum: false,
      segmentation4: 0,
      segmentation6: 0,
    };
  }

  /** How many machines are connected. */
  get ports(): number {
    return this.#ports.length;
  }

  get batch(): ReceiveBatch {
    return this.#batch;
  }

  /** Runs with the switch: a listener that gives it ports, say. */
  onClose(hook: () => void): void {
    this.#onClose.push(hook);
  }

  /** Plugs a socket in (non-blocking; owned): `message` for UML, `stream` for QEMU. It is unplugged when its peer hangs up. */
  addPort(fd: number, kind: "message" | "stream"): void {
    const driver = new PortDriver({
      name: `${this.name}:${this.#ports.length}`,
      fd,
      kind,
      virtio: false,
      capabilities: this.capabilities,
      keepAlive: this.#options.keepAlive ?? true,
    });
    const port: Port = { driver, ready: false };
    this.#ports.push(port);
    if (this.#headerSlab !== null) this.#startPort(port, this.#headerSlab);
  }

  start(events: DriverEvents, headerSlab: Uint8Array): void {
    this.#events = events;
    this.#headerSlab = headerSlab;
    for (const port of this.#ports) this.#startPort(port, headerSlab);
  }

  poll(budget: number): number {
    this.statistics.polls++;
    // A copy: ports may be unplugged meanwhile.
    for (const port of [...this.#ports]) {
      if (!port.ready) continue;
      const received = port.driver.poll(budget);
      if (received < budget) {
        port.ready = false;
        port.driver.wake();
      }
      if (received === 0) continue;
      this.#batch = port.driver;
      this.#forward(port, received);
      this.statistics.packetsReceived += received;
      // Fairness: others first, next time.
      this.#ports.push(...this.#ports.splice(0, this.#ports.indexOf(port) + 1));
      if (received === budget) this.statistics.pollsExhausted++;
      return received;
    }
    return 0;
  }

  wake(): void {
    this.#wanted = true;
    this.#announce();
  }

  transmit(packets: readonly OutboundPacket[], count: number): void {
    const one: OutboundPacket[] = [];
    for (let i = 0; i < count; i++) {
      const packet = packets[i] as OutboundPacket;
      one[0] = packet;
      const at = packet.headerOffset;
      const isGroup = ((packet.slab[at] as number) & 1) === 1;
      const known = isGroup ? undefined : this.#addresses.get(macAt(packet.view, at));
      if (known !== undefined) this.#send(known, one);
      else for (const port of [...this.#ports]) this.#send(port, one);
      if (this.#ports.length === 0) this.statistics.transmitDrops++;
      else this.statistics.packetsSent++;
      this.statistics.bytesSent += packet.headerLength + packet.payloadLength;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#events = null;
    for (const hook of this.#onClose) hook();
    for (const port of this.#ports.splice(0)) await port.driver.close();
    this.#addresses.clear();
  }

  #startPort(port: Port, headerSlab: Uint8Array): void {
    port.driver.start(
      {
        ready: () => {
          port.ready = true;
          this.#announce();
        },
        linkChanged: () => this.#unplug(port),
      },
      headerSlab,
    );
  }

  #announce(): void {
    if (!this.#wanted || this.#events === null || !this.#ports.some((port) => port.ready)) return;
    this.#wanted = false;
    this.#events.ready();
  }

  #unplug(port: Port): void {
    const index = this.#ports.indexOf(port);
    if (index < 0) return;
    this.#ports.splice(index, 1);
    for (const [mac, owner] of this.#addresses) if (owner === port) this.#addresses.delete(mac);
    void port.driver.close();
  }

  /** Frames that a machine's socket would not take are counted here too. */
  #send(port: Port, one: readonly OutboundPacket[]): void {
    const before = port.driver.statistics.transmitDrops;
    port.driver.transmit(one, 1);
    this.statistics.transmitDrops += port.driver.statistics.transmitDrops - before;
  }

  /** Learns where the frames came from, and sends on what is for other ports. The stack sorts out what is not for it. */
  #forward(from: Port, count: number): void {
    const { slab, view, offsets, lengths } = from.driver;
    for (let i = 0; i < count; i++) {
      const at = offsets[i] as number;
      const length = lengths[i] as number;
      this.statistics.bytesReceived += length;
      if (length < 14) continue;
      const source = macAt(view, at + 6);
      if (
        ((slab[at + 6] as number) & 1) === 0 &&
        (this.#addresses.has(source) || this.#addresses.size < MAX_ADDRESSES)
      ) {
        this.#addresses.set(source, from);
      }
      if (this.#ports.length < 2) continue;
      const isGroup = ((slab[at] as number) & 1) === 1;
      const to = isGroup ? undefined : this.#addresses.get(macAt(view, at));
      if (isGroup) {
        for (const port of this.#ports) if (port !== from) port.driver.sendFrame(slab, at, length);
      } else if (to !== undefined && to !== from) {
        to.driver.sendFrame(slab, at, length);
      }
    }
  }
}

/** A MAC address as a number below 2^48. */
function macAt(view: DataView, offset: number): number {
  return view.getUint16(offset) * 0x1_0000_0000 + view.getUint32(offset + 2);
}

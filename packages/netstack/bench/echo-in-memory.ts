/**
 * What the stack itself costs per packet: echo requests that lie ready in memory, answers that go nowhere. Run:
 *   node --conditions=source --import tsx packages/netstack/bench/echo-in-memory.ts
 */
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { createStack } from "../src/create-stack.ts";
import type { Driver, DriverCapabilities, DriverEvents, DriverStatistics, ReceiveBatch } from "../src/driver.ts";
import { emptyDriverStatistics } from "../src/drivers/driver-statistics.ts";
import type { OutboundPacket } from "../src/packet.ts";
import { concat, ethernet, icmp, icmp6, ipv4, ipv6Checksummed, ramp } from "../test/ip/packets.ts";

const BATCH = 32;

/** Gives the same batch again and again. */
class Treadmill implements Driver, ReceiveBatch {
  readonly name = "treadmill";
  readonly linkUp = true;
  readonly statistics: DriverStatistics = emptyDriverStatistics();
  readonly capabilities: DriverCapabilities;
  readonly slab: Uint8Array;
  readonly view: DataView;
  readonly offsets: Int32Array = new Int32Array(BATCH);
  readonly lengths: Int32Array = new Int32Array(BATCH);
  readonly checksums: Uint8Array = new Uint8Array(BATCH);
  readonly segmentSizes: Int32Array = new Int32Array(BATCH);
  remaining = 0;
  sent = 0;
  events: DriverEvents | null = null;

  constructor(packet: Uint8Array, medium: "ip" | "ethernet") {
    this.capabilities = {
      medium,
      mtu: 1500,
      macAddress: medium === "ethernet" ? Uint8Array.of(2, 0, 0, 0, 0, 1) : null,
      transmitChecksum: true,
      segmentation4: 65535,
      segmentation6: 65535,
    };
    const stride = (packet.length + 31) & ~15;
    this.slab = concat(...Array.from({ length: BATCH }, () => concat(packet, new Uint8Array(stride - packet.length))));
    this.view = new DataView(this.slab.buffer);
    for (let i = 0; i < BATCH; i++) {
      this.offsets[i] = i * stride;
      this.lengths[i] = packet.length;
    }
  }

  get batch(): ReceiveBatch {
    return this;
  }

  start(events: DriverEvents): void {
    this.events = events;
  }

  poll(budget: number): number {
    const count = Math.min(budget, BATCH, this.remaining);
    this.remaining -= count;
    return count;
  }

  wake(): void {}

  transmit(_packets: readonly OutboundPacket[], count: number): void {
    this.sent += count;
  }

  async close(): Promise<void> {}
}

const PACKETS = 2_000_000;

for (const [name, medium, packet] of [
  ["IPv4 echo, 56 bytes", "ip", ipv4({ from: "10.0.0.2", to: "10.0.0.1", protocol: 1 }, icmp(8, 0, 1, ramp(56)))],
  [
    "IPv4 echo, 56 bytes, Ethernet",
    "ethernet",
    ethernet(
      "02:00:00:00:00:01",
      "02:00:00:00:00:02",
      0x0800,
      ipv4({ from: "10.0.0.2", to: "10.0.0.1", protocol: 1 }, icmp(8, 0, 1, ramp(56))),
    ),
  ],
  [
    "IPv6 echo, 56 bytes",
    "ip",
    ipv6Checksummed({ from: "fd00::2", to: "fd00::1", next: 58 }, icmp6(128, 0, 1, ramp(56))),
  ],
  ["IPv4 echo, 1472 bytes", "ip", ipv4({ from: "10.0.0.2", to: "10.0.0.1", protocol: 1 }, icmp(8, 0, 1, ramp(1472)))],
] as const) {
  const clock = new VirtualClock();
  const sysctl = { "net.inet.icmp.icmplim": 0, "net.inet6.icmp6.icmp6lim": 0, "net.inet6.ip6.dad_count": 0 };
  const stack = createStack({ name: "bench", clock, random: new SeededRandom(1), sysctl });
  const driver = new Treadmill(packet, medium);
  const iface = stack.addInterface({ name: "net0", driver });
  iface.addAddress("10.0.0.1/24");
  iface.addAddress("fd00::1/64");
  if (medium === "ethernet") {
    const arp = ethernet(
      "ff:ff:ff:ff:ff:ff",
      "02:00:00:00:00:02",
      0x0806,
      concat(
        Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2),
        new Uint8Array(6),
        Uint8Array.of(10, 0, 0, 1),
      ),
    );
    driver.slab.set(arp.subarray(0, driver.lengths[0]));
    driver.remaining = 1;
    driver.events?.ready();
    driver.slab.set(packet);
  }
  for (const round of ["warm", "measured"]) {
    driver.sent = 0;
    const before = process.memoryUsage().heapUsed;
    const start = process.hrtime.bigint();
    for (let done = 0; done < PACKETS; done += BATCH * 7) {
      driver.remaining = BATCH * 7;
      driver.events?.ready();
    }
    const ns = Number(process.hrtime.bigint() - start) / PACKETS;
    const grown = (process.memoryUsage().heapUsed - before) / PACKETS;
    if (round === "measured")
      console.log(
        `${name}: ${ns.toFixed(0)} ns, ${(1e6 / ns).toFixed(0)} k packets/s, ${driver.sent} answered, heap ${grown.toFixed(2)} B/packet`,
      );
  }
}

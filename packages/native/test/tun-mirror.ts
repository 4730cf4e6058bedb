// Run in a network namespace of its own (by tun.test.ts): makes a device and mirrors the host's UDP datagrams on it, that is, sends each back
// with addresses and ports swapped, which changes neither checksum nor virtio header. Reports what it saw as JSON on standard output.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import {
  configureInterface,
  listAddresses,
  listRoutes,
  openTun,
  PacketPort,
  READABLE,
  RECEIVE_MORE,
  TUN_OFFLOAD_ALL,
} from "../src/index.ts";

const mode = process.argv[2] === "tap" ? "tap" : "tun";
const VIRTIO = 10;
const IP = VIRTIO + (mode === "tap" ? 14 : 0);
const ALIGNMENT = mode === "tap" ? 8 : 6;
const OUR_MAC = [2, 0, 0, 0, 0, 9];

const device = openTun({ mode, vnetHeader: true, offload: TUN_OFFLOAD_ALL, exclusive: true });
configureInterface(device.name, {
  addresses: [
    { address: Uint8Array.of(10, 77, 0, 1), prefixLength: 24 },
    { address: Uint8Array.from([0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), prefixLength: 64 },
  ],
  routes: [{ destination: Uint8Array.of(10, 78, 0, 0), prefixLength: 16, gateway: Uint8Array.of(10, 77, 0, 2) }],
  mtu: 1500,
  queueLength: 1000,
  up: true,
});

const slab = new Uint8Array(1 << 20);
const packets = new Int32Array(64);
const headers = new Uint8Array(256);
const descriptors = new Int32Array(64);
const strays: string[] = [];
let misaligned = 0;
let wakeUps = 0;

const port = new PacketPort({
  fd: device.fd,
  kind: "device",
  slab,
  packets,
  headers,
  descriptors,
  alignment: ALIGNMENT,
  maxPacket: 65_600,
  onReady: drain,
});
port.arm(READABLE);

function drain(): void {
  wakeUps++;
  for (;;) {
    const result = port.receive(16);
    if (result < 0) throw new Error(`receive: ${result}`);
    const count = result & (RECEIVE_MORE - 1);
    for (let i = 0; i < count; i++) answer(packets[2 * i]!, packets[2 * i + 1]!);
    if ((result & RECEIVE_MORE) === 0) break;
  }
  port.arm(READABLE);
}

function answer(offset: number, length: number): void {
  if (offset % 16 !== ALIGNMENT) misaligned++;
  const packet = slab.subarray(offset, offset + length);
  if (mode === "tap" && packet[VIRTIO + 12] === 8 && packet[VIRTIO + 13] === 6) {
    answerArp(packet);
    return;
  }
  const version6 = packet[IP]! >> 4 === 6;
  const udp = IP + (version6 ? 40 : 20);
  if (packet[IP + (version6 ? 6 : 9)] !== 17) {
    const listenerReport = version6 && packet[IP + 6] === 0; // the host joins multicast groups, that cannot be switched off
    if (!listenerReport) strays.push(Buffer.from(packet.subarray(IP, IP + 60)).toString("hex"));
    return;
  }
  headers.set(packet.subarray(0, udp + 8));
  exchangeFields(IP + (version6 ? 8 : 12), version6 ? 16 : 4);
  exchangeFields(udp, 2);
  if (mode === "tap") swapEthernet(packet);
  // The payload goes from where it lies, in two pieces.
  const head = udp + 8;
  const half = (length - head) >> 1;
  descriptors.set([0, head, 2, 0, offset + head, half, 0, offset + head + half, length - head - half], 3);
  send(3, [slab]);
}

function exchangeFields(at: number, size: number): void {
  const first = headers.slice(at, at + size);
  headers.copyWithin(at, at + size, at + 2 * size);
  headers.set(first, at + size);
}

function swapEthernet(packet: Uint8Array): void {
  headers.set(packet.subarray(VIRTIO + 6, VIRTIO + 12), VIRTIO);
  headers.set(OUR_MAC, VIRTIO + 6);
}

function answerArp(packet: Uint8Array): void {
  const arp = VIRTIO + 14;
  headers.set(packet);
  swapEthernet(packet);
  headers[arp + 7] = 2;
  headers.set(OUR_MAC, arp + 8);
  headers.set(packet.subarray(arp + 24, arp + 28), arp + 14);
  headers.set(packet.subarray(arp + 8, arp + 18), arp + 18);
  descriptors.set([0, packet.length, 0], 3);
  send(3, []);
}

function send(start: number, slices: readonly Uint8Array[]): void {
  const sent = port.send(start, 1, slices);
  if (sent !== 1) throw new Error(`send: ${sent}`);
}

async function mirrored(socket: Socket, address: string, count: number, size: number): Promise<number> {
  let same = 0;
  for (let i = 0; i < count; i++) {
    const payload = new Uint8Array(size).fill(i);
    const back = once(socket, "message");
    socket.send(payload, 4242, address);
    const [message] = (await back) as [Uint8Array];
    if (Buffer.compare(message, payload) === 0) same++;
  }
  socket.close();
  return same;
}

const same4 = await mirrored(createSocket("udp4"), "10.77.0.2", 50, 1000);
const routed = await mirrored(createSocket("udp4"), "10.78.1.2", 5, 10);
const same6 = mode === "tun" ? await mirrored(createSocket("udp6"), "fd77::2", 50, 1400) : 0;
const statistics = port.statistics();
const addresses = listAddresses().map(({ address, prefixLength }) => `${[...address].join(".")}/${prefixLength}`);
const routes = listRoutes().map(({ destination, prefixLength }) => `${[...destination].join(".")}/${prefixLength}`);
port.close();

process.stdout.write(
  JSON.stringify({
    name: device.name,
    offload: device.offload,
    same4,
    routed,
    same6,
    misaligned,
    wakeUps,
    strays,
    statistics,
    addresses,
    routes,
    afterClose: port.receive(1),
  }),
);

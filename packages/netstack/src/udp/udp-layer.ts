import { Address } from "../address.ts";
import { ICMP_UNREACH, UNREACH_PORT } from "../ip/icmp-constants.ts";
import { ICMP6_UNREACH, UNREACH6_PORT } from "../ip/icmp6-constants.ts";
import { transportChecksumGood } from "../ip/outbound-checksum.ts";
import { BAD_ADDRESS, NO_ROUTE, PROTOCOL_UDP, TOO_BIG } from "../ip/protocol.ts";
import { CHECKSUM_UNKNOWN, type InboundPacket } from "../packet.ts";
import type { Stack } from "../stack.ts";
import type { UdpStatistics } from "../statistics.ts";
import type { Sysctl } from "../sysctl.ts";
import type { ControlError, TransportProtocol } from "../transport.ts";
import { UdpSocket, type UdpSocketHandlers } from "./udp-socket.ts";

const HEADER = 8;
const CHECKSUM_FIELD = 6;
const LONGEST = 65535 - HEADER;
/** RFC 6335 §6. */
const FIRST_DYNAMIC = 49152;
const DYNAMIC = 65536 - FIRST_DYNAMIC;

export interface UdpBindOptions extends UdpSocketHandlers {
  /** One of our addresses; default: any. */
  readonly address?: Address | string;
  /** Default: a free one, not to be guessed (RFC 6056). */
  readonly port?: number;
  /** Whether broadcasts may be sent. */
  readonly broadcast?: boolean;
}

/** UDP (RFC 768), for what needs a datagram now and then. */
export class UdpLayer implements TransportProtocol {
  readonly #stack: Stack;
  readonly #statistics: UdpStatistics;
  readonly #blackhole: Sysctl<boolean>;
  readonly #sockets = new Map<number, UdpSocket[]>();

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#statistics = stack.statistics.udp;
    this.#blackhole = stack.sysctl.boolean("net.inet.udp.blackhole", false, {
      description: "Do not send port unreachables for refused connects",
    });
    stack.registerTransport(PROTOCOL_UDP, this);
  }

  /** Throws a RangeError if the port is taken, or the address is not ours. */
  bind(options: UdpBindOptions): UdpSocket {
    const { address: given = null } = options;
    const address = typeof given === "string" ? Address.parse(given) : given;
    if (address !== null && !this.#stack.ip.isLocal(address.w0, address.w1, address.w2, address.w3)) {
      throw new RangeError(`${address} is not an address of this stack`);
    }
    const port = options.port ?? this.#freePort();
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError(`not a port: ${port}`);
    const others = this.#sockets.get(port) ?? [];
    if (others.some((other) => isSameAddress(other.address, address)))
      throw new RangeError(`UDP port ${port} is taken`);
    const socket = new UdpSocket(this, address, port, options.broadcast ?? false, options);
    this.#sockets.set(port, [...others, socket]);
    return socket;
  }

  /** Called by the socket. */
  unbind(socket: UdpSocket): void {
    const left = (this.#sockets.get(socket.port) ?? []).filter((other) => other !== socket);
    if (left.length === 0) this.#sockets.delete(socket.port);
    else this.#sockets.set(socket.port, left);
  }

  // ——— In ———

  input(packet: InboundPacket): void {
    const statistics = this.#statistics;
    const { view, transportOffset: at } = packet;
    const available = packet.end - at;
    if (available < HEADER) {
      statistics.hdrOps++;
      this.#odd(packet, "UDP header cut off");
      return;
    }
    const length = view.getUint16(at + 4);
    if (length < HEADER || length > available) {
      statistics.badLen++;
      this.#odd(packet, "UDP length impossible");
      return;
    }
    packet.end = at + length;
    const hasNoChecksum = view.getUint16(at + CHECKSUM_FIELD) === 0 && packet.checksum === CHECKSUM_UNKNOWN;
    if (hasNoChecksum && packet.family === 4) {
      statistics.noSum++;
    } else if (hasNoChecksum || !transportChecksumGood(packet)) {
      statistics.badSum++;
      this.#odd(packet, "UDP checksum wrong");
      return;
    }
    const port = view.getUint16(at + 2);
    const to = Address.fromWords(packet.dst0, packet.dst1, packet.dst2, packet.dst3);
    const socket = this.#find(port, to);
    if (socket === null) {
      this.#nobody(packet);
      return;
    }
    statistics.iPackets++;
    const from = Address.fromWords(packet.src0, packet.src1, packet.src2, packet.src3);
    const bytes = packet.slab.subarray(at + HEADER, packet.end);
    socket.handlers.message({ bytes, from, fromPort: view.getUint16(at), to });
  }

  #odd(packet: InboundPacket, reason: string): void {
    this.#stack.oddPackets.mark(packet, reason);
  }

  /** RFC 1122 §4.1.3.1. */
  #nobody(packet: InboundPacket): void {
    if (packet.multicast) {
      this.#statistics.noPortBcast++;
      return;
    }
    this.#statistics.noPort++;
    if (this.#blackhole.value) return;
    const { ip } = this.#stack;
    if (packet.family === 4) ip.icmp.sendError(packet, ICMP_UNREACH, UNREACH_PORT);
    else ip.icmp6.sendError(packet, ICMP6_UNREACH, UNREACH6_PORT);
  }

  controlInput(error: ControlError): void {
    const { view, quotedOffset: at } = error;
    const local = Address.fromWords(error.l0, error.l1, error.l2, error.l3);
    const socket = this.#find(view.getUint16(at), local);
    if (socket === null) return;
    const { r0, r1, r2, r3 } = error;
    if (error.kind === "packet-too-big") this.#stack.ip.updatePathMtu(r0, r1, r2, r3, error.mtu);
    socket.handlers.error?.(error.kind, Address.fromWords(r0, r1, r2, r3), view.getUint16(at + 2));
  }

  /** The socket bound to the very address, else to any. */
  #find(port: number, address: Address): UdpSocket | null {
    let found: UdpSocket | null = null;
    for (const socket of this.#sockets.get(port) ?? []) {
      if (socket.address === null) found ??= socket;
      else if (socket.address.equals(address)) return socket;
    }
    return found;
  }

  // ——— Out ———

  /** Called by the socket. */
  send(socket: UdpSocket, bytes: Uint8Array, to: Address | string, port: number): number {
    const { ip } = this.#stack;
    const { w0, w1, w2, w3, family } = typeof to === "string" ? Address.parse(to) : to;
    if (bytes.length > LONGEST) return TOO_BIG;
    const route = ip.route(w0, w1, w2, w3);
    if (route === null) return NO_ROUTE;
    const source = socket.address ?? ip.selectSource(route);
    if (source === null || source.family !== family || (route.broadcast && !socket.broadcast)) return BAD_ADDRESS;
    this.#stack.enter();
    const packet = this.#stack.acquireOutbound();
    const { view, transportOffset: at } = packet;
    packet.family = family;
    packet.protocol = PROTOCOL_UDP;
    packet.dontFragment = false;
    packet.checksumOffset = CHECKSUM_FIELD;
    packet.src0 = source.w0;
    packet.src1 = source.w1;
    packet.src2 = source.w2;
    packet.src3 = source.w3;
    packet.dst0 = w0;
    packet.dst1 = w1;
    packet.dst2 = w2;
    packet.dst3 = w3;
    view.setUint16(at, socket.port);
    view.setUint16(at + 2, port);
    view.setUint16(at + 4, HEADER + bytes.length);
    packet.transportLength = HEADER;
    if (bytes.length > 0) packet.addSlice(bytes, 0, bytes.length);
    this.#statistics.oPackets++;
    const result = ip.output(packet, route);
    this.#stack.leave();
    return result;
  }

  #freePort(): number {
    const start = this.#stack.random.uint32() % DYNAMIC;
    for (let i = 0; i < DYNAMIC; i++) {
      const port = FIRST_DYNAMIC + ((start + i) % DYNAMIC);
      if (!this.#sockets.has(port)) return port;
    }
    throw new RangeError("every dynamic UDP port is taken");
  }
}

function isSameAddress(a: Address | null, b: Address | null): boolean {
  return a === null ? b === null : b !== null && a.equals(b);
}

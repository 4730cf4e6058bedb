import { ConnectError } from "@nfs4/bytestream";
import { Address } from "../address.ts";
import type { TcpContext } from "./context.ts";
import { FLOW_TIME_WAIT, type FlowKey } from "./flow.ts";
import type { Listeners } from "./listeners.ts";
import type { TcpSegment } from "./segment.ts";

export interface LocalEnd {
  readonly localAddress?: string;
  readonly localPort?: number;
}

/** Throws a RangeError unless it is a port. */
export function checkedPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`not a port: ${port}`);
  return port;
}

/** The ends of the segment's connection, as we see them. */
export function endsOfSegment(segment: TcpSegment): FlowKey {
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

/**
 * The ends of a connection that is to be opened: our address as the user or IP says (MUST-43, MUST-44), our port as the user says or as RFC 6056
 * has it. Throws a `ConnectError`: EINVAL, EADDRNOTAVAIL (MUST-46 among others), ENOBUFS, ENETUNREACH,
 * EADDRINUSE.
 */
export function endsToOpen(
  context: TcpContext,
  listeners: Listeners,
  to: { readonly address: string; readonly port: number },
  from: LocalEnd,
): FlowKey {
  const { ip } = context.stack;
  if (!Address.isAddress(to.address)) throw new ConnectError("EINVAL", to);
  const remote = Address.parse(to.address);
  const remotePort = checkedPort(to.port);
  const { w0, w1, w2, w3 } = remote;
  if (remote.isMulticast || remote.isUnspecified || ip.isBroadcast(w0, w1, w2, w3)) {
    throw new ConnectError("EADDRNOTAVAIL", to);
  }
  if (context.isFull) throw new ConnectError("ENOBUFS", to);
  const route = ip.route(w0, w1, w2, w3);
  if (route === null) throw new ConnectError("ENETUNREACH", to);
  const local = from.localAddress === undefined ? ip.selectSource(route) : Address.parse(from.localAddress);
  if (local === null || local.family !== remote.family || !ip.isLocal(local.w0, local.w1, local.w2, local.w3)) {
    throw new ConnectError("EADDRNOTAVAIL", to);
  }
  const key = {
    family: remote.family,
    l0: local.w0,
    l1: local.w1,
    l2: local.w2,
    l3: local.w3,
    localPort: from.localPort ?? 0,
    r0: w0,
    r1: w1,
    r2: w2,
    r3: w3,
    remotePort,
  };
  if (key.localPort === 0) {
    key.localPort = unusedPort(context, key, (port) => !listeners.has(port));
    if (key.localPort < 0) throw new ConnectError("EADDRNOTAVAIL", to);
  } else {
    checkedPort(key.localPort);
    const old = context.flows.findKey(key);
    if (old !== null && old.kind !== FLOW_TIME_WAIT) throw new ConnectError("EADDRINUSE", to);
  }
  return key;
}

/** An ephemeral port that leads to no flow with the other ends of `key`, or −1. */
export function unusedPort(context: TcpContext, key: FlowKey, mayBe: (port: number) => boolean): number {
  const { ports, tunables, flows, statistics } = context;
  const { l0, l1, l2, l3, r0, r1, r2, r3, remotePort } = key;
  const isFree = (port: number): boolean =>
    mayBe(port) && flows.find(l0, l1, l2, l3, port, r0, r1, r2, r3, remotePort) === null;
  const port = ports.choose(tunables.portFirst.value, tunables.portLast.value, isFree);
  statistics.portEarly = ports.early;
  return port;
}

import { TCP_HEADER, TIMESTAMP_OPTION } from "./constants.ts";
import type { TcpContext } from "./context.ts";
import { wholeWords } from "./options.ts";
import type { Tcb } from "./tcb.ts";
import { routeOf } from "./transmit.ts";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
/** A jumbogram's MSS (RFC 2675) is not for us. */
const LARGEST = 65_535;

export function ipHeaderLength(family: 4 | 6): number {
  return family === 4 ? IPV4_HEADER : IPV6_HEADER;
}

/** The MSS to announce on an interface of that MTU (MUST-67): the largest that it can receive, IP and TCP headers without options taken off. */
export function mssForMtu(family: 4 | 6, mtu: number): number {
  return Math.min(LARGEST, Math.max(0, mtu - ipHeaderLength(family) - TCP_HEADER));
}

/** What a peer that sends no MSS option must be taken to receive (MUST-15). */
export function defaultMss(context: TcpContext, family: 4 | 6): number {
  const { mssdflt, v6mssdflt } = context.tunables;
  return family === 4 ? mssdflt.value : v6mssdflt.value;
}

/** What the peer and the path as IP knows it would take, TCP options included. */
export function largestMss(tcb: Tcb): number {
  const mtu = routeOf(tcb)?.mtu ?? 0;
  const path = mtu === 0 ? tcb.peerMss : mssForMtu(tcb.family, mtu);
  return Math.max(Math.min(tcb.peerMss, path), Math.min(tcb.context.tunables.minmss.value, path));
}

/** Works out the effective send MSS (RFC 9293 §3.7.1, MUST-16) from the peer's MSS, the path MTU and the options in every segment. */
export function updateMaxSegment(tcb: Tcb): void {
  tcb.sendMss = largestMss(tcb);
  if (tcb.mssLimit > 0) tcb.sendMss = Math.min(tcb.sendMss, tcb.mssLimit);
  const signature = tcb.signer === null ? 0 : wholeWords(tcb.signer.optionLength);
  tcb.maxSegment = Math.max(1, tcb.sendMss - (tcb.timestamps ? TIMESTAMP_OPTION : 0) - signature);
}

import { NO_ROUTE, OUTPUT_OK, type OutputResult, TOO_BIG } from "../ip/protocol.ts";
import type { Route } from "../ip/route.ts";
import type { OutboundPacket } from "../packet.ts";
import {
  ACK,
  CWR,
  ECE,
  FIN,
  PROTOCOL_TCP,
  PSH,
  RST,
  SYN,
  TCP_HEADER,
  TIMER_DELACK,
  TIMESTAMP_OPTION,
  USER_TIMEOUT_OPTION,
} from "./constants.ts";
import type { TcpContext } from "./context.ts";
import { stopTimer } from "./deadlines.ts";
import { ECT_0, isEcnCapable } from "./ecn.ts";
import type { FlowKey, SignedFlowKey } from "./flow.ts";
import {
  finishOptions,
  sackOverhead,
  wholeWords,
  writeFastOpen,
  writeSack,
  writeSynOptions,
  writeTimestamps,
  writeUserTimeout,
} from "./options.ts";
import { noteTimestampSent } from "./receive-tuning.ts";
import type { TcpSegment } from "./segment.ts";
import type { Signer } from "./signatures/signer.ts";
import type { Tcb } from "./tcb.ts";
import { urgentPointer, writeUrgent } from "./urgent.ts";
import { advertiseWindow } from "./window.ts";

/** Bytes of options that a header holds, and the payload that options leave room for. */
const OPTION_SPACE = 40;
const LEAST_PAYLOAD = 8;

/** The connection's route, looked up again when the table has changed. */
export function routeOf(tcb: Tcb): Route | null {
  const { stack } = tcb.context;
  if (tcb.route === null || tcb.route.generation !== stack.routes.generation) {
    tcb.route = stack.ip.route(tcb.r0, tcb.r1, tcb.r2, tcb.r3);
  }
  return tcb.route;
}

/**
 * Sends one segment of a connection: `length` bytes that begin `distance` behind SND.UNA in the send buffer, at sequence number `seq`.
 * `segmentSize` not 0: a super-segment. Returns the bytes of payload that went (a packet takes only so many slices), or −1: IP refused.
 */
export function transmit(
  tcb: Tcb,
  seq: number,
  flags: number,
  distance: number,
  length: number,
  segmentSize: number,
): number {
  const { context } = tcb;
  const { stack, statistics } = context;
  const packet = stack.acquireOutbound();
  const { view, transportOffset: at } = packet;
  address(packet, tcb);
  packet.trafficClass = tcb.trafficClass;
  packet.hopLimit = tcb.hopLimit;
  const optionsLength = writeOptions(tcb, view, at + TCP_HEADER, flags);
  let payload = 0;
  if (length > 0) {
    payload = tcb.sendBuffer.gather(packet, distance, length);
    if (payload < length) {
      flags &= ~(FIN | PSH);
      // A super-segment but for the last one is cut where a segment ends; what was gathered beyond goes next time.
      if (segmentSize !== 0 && payload > segmentSize) payload = trim(packet, payload - (payload % segmentSize));
    }
    if (segmentSize !== 0 && payload > segmentSize) packet.segmentSize = segmentSize;
  }
  const hasAck = (flags & ACK) !== 0;
  const { ecn } = tcb;
  if (ecn !== null && (flags & (SYN | RST)) === 0) {
    if (ecn.echo && hasAck) flags |= ECE;
    if (isEcnCapable(tcb, seq, payload)) {
      packet.trafficClass |= ECT_0;
      if (ecn.reduced) flags |= CWR;
    }
  }
  writeHeader(
    packet,
    tcb.localPort,
    tcb.remotePort,
    seq,
    hasAck ? tcb.rcvNxt : 0,
    flags,
    TCP_HEADER + optionsLength,
    // The window of a SYN is never scaled (RFC 7323 §2.2).
    (flags & RST) !== 0 ? 0 : advertiseWindow(tcb, (flags & SYN) !== 0 ? 0 : tcb.rcvShift),
  );
  if (tcb.urgent !== null && (flags & (SYN | RST)) === 0) {
    const pointer = urgentPointer(tcb, tcb.urgent, seq);
    if (pointer > 0) {
      writeUrgent(view, at, pointer);
      statistics.sndUrg++;
    }
  }
  if (tcb.signer !== null && !signed(context, tcb.signer, packet)) return -1;
  const superSegment = packet.segmentSize !== 0;
  const result = stack.ip.output(packet, routeOf(tcb));
  statistics.sndTotal++;
  if (result !== OUTPUT_OK) {
    statistics.sndFail++;
    refused(tcb, result);
    return -1;
  }
  tcb.segmentsSent++;
  if (tellsUserTimeout(tcb) && (flags & SYN) === 0) tcb.userTimeout!.due = false;
  if (superSegment) statistics.sndTso++;
  if (ecn !== null && (flags & (CWR | SYN)) === CWR) ecn.reduced = false;
  if (hasAck) {
    tcb.lastAckSent = tcb.rcvNxt;
    tcb.ackNow = false;
    stopTimer(tcb, TIMER_DELACK);
  }
  return payload;
}

function refused(tcb: Tcb, result: OutputResult): void {
  if (result === NO_ROUTE) tcb.softError = "EHOSTUNREACH";
  else if (result === TOO_BIG) tcb.mtuChanged = true;
  // No buffers, or the link is down: the retransmission timer tries again.
}

/** Signs a packet that is otherwise finished. False: that cannot be; the packet is gone, and counted. */
function signed(context: TcpContext, signer: Signer, packet: OutboundPacket): boolean {
  if (signer.sign(packet, context.signedMessage)) return true;
  context.statistics.sigErrBuildSig++;
  context.stack.releaseOutbound(packet);
  return false;
}

/** Answers a segment that belongs to no connection with a reset that its sender will accept (RFC 9293 §3.10.7.1). */
export function sendReset(context: TcpContext, segment: TcpSegment, signer: Signer | null): void {
  const { packet } = segment;
  const seq = segment.hasAck ? segment.ack : 0;
  const ack = segment.hasAck ? 0 : (segment.seq + segment.sequenceLength) >>> 0;
  const flags = segment.hasAck ? RST : RST | ACK;
  const out = context.stack.acquireOutbound();
  out.family = packet.family;
  out.src0 = packet.dst0;
  out.src1 = packet.dst1;
  out.src2 = packet.dst2;
  out.src3 = packet.dst3;
  out.dst0 = packet.src0;
  out.dst1 = packet.src1;
  out.dst2 = packet.src2;
  out.dst3 = packet.src3;
  const options = finishOptions(out.view, out.transportOffset + TCP_HEADER, 0, signatureLength(signer));
  writeHeader(out, segment.destinationPort, segment.sourcePort, seq, ack, flags, TCP_HEADER + options, 0);
  if (signer !== null && !signed(context, signer, out)) return;
  context.statistics.sndCtrl++;
  context.statistics.sndRst++;
  outputBare(context, out);
}

/** Sends a segment without payload for a flow that has no control block. `tsVal` −1: without timestamps. */
export function sendBare(
  context: TcpContext,
  key: SignedFlowKey,
  seq: number,
  ack: number,
  flags: number,
  window: number,
  tsVal: number,
  tsEcr: number,
): OutputResult {
  const out = context.stack.acquireOutbound();
  address(out, key);
  const { view, transportOffset } = out;
  const at = transportOffset + TCP_HEADER;
  const timestamps = tsVal < 0 ? 0 : writeTimestamps(view, at, tsVal, tsEcr);
  const options = finishOptions(view, at, timestamps, signatureLength(key.signer));
  writeHeader(out, key.localPort, key.remotePort, seq, ack, flags, TCP_HEADER + options, window);
  if (key.signer !== null && !signed(context, key.signer, out)) return OUTPUT_OK;
  return outputBare(context, out);
}

/** Sends a SYN,ACK for a connection that is not one yet. `ecn`: with ECE, for the peer has asked for ECN. */
export function sendSynAck(
  context: TcpContext,
  key: SignedFlowKey,
  seq: number,
  ack: number,
  window: number,
  mss: number,
  windowShift: number,
  sackPermitted: boolean,
  tsVal: number,
  tsEcr: number,
  cookie: Uint8Array | null,
  ecn: boolean,
): OutputResult {
  const out = context.stack.acquireOutbound();
  address(out, key);
  const at = out.transportOffset + TCP_HEADER;
  let length = writeSynOptions(out.view, at, mss, windowShift, sackPermitted, tsVal, tsEcr);
  if (cookie !== null) length += writeFastOpen(out.view, at + length, cookie);
  const options = finishOptions(out.view, at, length, signatureLength(key.signer));
  writeHeader(
    out,
    key.localPort,
    key.remotePort,
    seq,
    ack,
    ecn ? SYN | ACK | ECE : SYN | ACK,
    TCP_HEADER + options,
    window,
  );
  if (key.signer !== null && !signed(context, key.signer, out)) return OUTPUT_OK;
  context.statistics.sndCtrl++;
  return outputBare(context, out);
}

function outputBare(context: TcpContext, out: OutboundPacket): OutputResult {
  context.statistics.sndTotal++;
  const result = context.stack.ip.output(out, null);
  if (result !== OUTPUT_OK) context.statistics.sndFail++;
  return result;
}

function address(packet: OutboundPacket, key: FlowKey): void {
  packet.family = key.family;
  packet.src0 = key.l0;
  packet.src1 = key.l1;
  packet.src2 = key.l2;
  packet.src3 = key.l3;
  packet.dst0 = key.r0;
  packet.dst1 = key.r1;
  packet.dst2 = key.r2;
  packet.dst3 = key.r3;
}

function writeHeader(
  packet: OutboundPacket,
  sourcePort: number,
  destinationPort: number,
  seq: number,
  ack: number,
  flags: number,
  headerLength: number,
  window: number,
): void {
  const { view, transportOffset: at } = packet;
  view.setUint16(at, sourcePort);
  view.setUint16(at + 2, destinationPort);
  view.setUint32(at + 4, seq);
  view.setUint32(at + 8, ack);
  view.setUint16(at + 12, (headerLength << 10) | flags);
  view.setUint16(at + 14, window);
  view.setUint32(at + 16, 0);
  packet.protocol = PROTOCOL_TCP;
  packet.transportLength = headerLength;
  packet.checksumOffset = 16;
  packet.dontFragment = true;
}

/** The options of one of the connection's segments, with room for the signature at their end; returns their length. */
function writeOptions(tcb: Tcb, view: DataView, at: number, flags: number): number {
  const { context } = tcb;
  const signature = signatureLength(tcb.signer);
  let length = 0;
  if ((flags & SYN) !== 0) {
    const answering = (flags & ACK) !== 0;
    const tsVal = tcb.timestamps ? context.timestamp(tcb.tsOffset) : -1;
    length = writeSynOptions(
      view,
      at,
      tcb.ourMss,
      tcb.windowScaling ? tcb.rcvShift : -1,
      tcb.sackPermitted,
      tsVal,
      answering ? tcb.tsRecent : 0,
    );
    const cookie = tcb.fastOpen === null ? null : tcb.fastOpen.cookie;
    if (cookie !== null) length += writeFastOpen(view, at + length, cookie);
    return finishOptions(view, at, length, signature);
  }
  if (tcb.timestamps) {
    const tsVal = context.timestamp(tcb.tsOffset);
    noteTimestampSent(tcb, tsVal);
    length = writeTimestamps(view, at, tsVal, tcb.tsRecent);
  }
  if (tellsUserTimeout(tcb)) length += writeUserTimeout(view, at + length, tcb.userTimeout!.advertised);
  const blocks = (flags & RST) === 0 ? sackBlocks(tcb, length) : 0;
  if (blocks > 0) {
    const reassembly = tcb.reassembly!;
    if (reassembly.hasDuplicate) context.statistics.dsackSent++;
    reassembly.selectBlocks(blocks);
    context.statistics.sackSendBlocks += blocks;
    length += writeSack(view, at + length, reassembly.blockStarts, reassembly.blockEnds, blocks, signature);
  }
  return finishOptions(view, at, length, signature);
}

function tellsUserTimeout({ userTimeout }: Tcb): boolean {
  return userTimeout?.due === true;
}

function signatureLength(signer: Signer | null): number {
  return signer === null ? 0 : signer.optionLength;
}

/** How many SACK blocks a segment carries behind `before` bytes of other options: what the option space holds beside a signature, and a tiny MSS leaves. */
function sackBlocks(tcb: Tcb, before: number): number {
  const { reassembly } = tcb;
  if (reassembly === null || reassembly.blocks === 0 || !tcb.sackPermitted) return 0;
  const room = Math.min(OPTION_SPACE, tcb.sendMss - LEAST_PAYLOAD) - before - sackOverhead(signatureLength(tcb.signer));
  return Math.max(0, Math.min(reassembly.blocks, room >> 3));
}

/** Length of the options that a data segment would now carry. */
export function optionsLength(tcb: Tcb): number {
  const before = (tcb.timestamps ? TIMESTAMP_OPTION : 0) + (tellsUserTimeout(tcb) ? USER_TIMEOUT_OPTION : 0);
  const blocks = sackBlocks(tcb, before);
  const signature = signatureLength(tcb.signer);
  return before + (blocks === 0 ? wholeWords(signature) : sackOverhead(signature) + 8 * blocks);
}

/** Cuts the payload of a packet down to `length` bytes. */
function trim(packet: OutboundPacket, length: number): number {
  let over = packet.payloadLength - length;
  while (over > 0) {
    const last = packet.sliceCount - 1;
    const take = Math.min(over, packet.sliceLengths[last]!);
    packet.sliceLengths[last]! -= take;
    if (packet.sliceLengths[last] === 0) {
      packet.slices[last] = EMPTY;
      packet.sliceCount--;
    }
    over -= take;
  }
  packet.payloadLength = length;
  return length;
}

const EMPTY: Uint8Array = new Uint8Array(0);

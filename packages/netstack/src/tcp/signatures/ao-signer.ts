import type { OutboundPacket } from "../../packet.ts";
import { ACK, OPTION_AO, RST, SYN, TCP_HEADER } from "../constants.ts";
import type { FlowKey } from "../flow.ts";
import type { TcpSegment } from "../segment.ts";
import type { Mac } from "./ao-algorithms.ts";
import type { KeyChain } from "./key-chain.ts";
import type { MasterKey } from "./master-key.ts";
import { SequenceExtension } from "./sequence-extension.ts";
import type { SignedMessage } from "./signed-message.ts";
import {
  SIGNATURE_BAD,
  SIGNATURE_GOOD,
  SIGNATURE_KEY_UNKNOWN,
  type SignatureInfo,
  type SignatureVerdict,
  type Signer,
} from "./signer.ts";

const MAC_LENGTH = 12;
/** Kind, length, KeyID, RNextKeyID. */
const OPTION_HEADER = 4;
const OPTION_LENGTH = OPTION_HEADER + MAC_LENGTH;

/** The MACs that one key comes to on one connection (RFC 5925 §3.2), but for those of SYNs, which are made when they are wanted. */
interface TrafficMacs {
  send: Mac | null;
  receive: Mac | null;
}

/** TCP-AO on one connection: its traffic keys, which key is in use, and the sequence number extensions (RFC 5925 §4). */
export class AoSigner implements Signer {
  readonly kind = "tcp-ao";
  readonly optionKind: number = OPTION_AO;
  readonly optionLength: number = OPTION_LENGTH;
  readonly #chain: KeyChain;
  readonly #ends: FlowKey;
  readonly #iss: number;
  /** −1: not known yet. */
  #irs: number;
  /** What we sign with, and what we ask the peer to sign with. */
  #current: MasterKey | null;
  #rnext: MasterKey | null;
  readonly #sent: SequenceExtension;
  #received: SequenceExtension | null;
  readonly #macs: Map<MasterKey, TrafficMacs> = new Map();
  #generation: number;
  /** Of the last genuine segment; −1: none yet. */
  #receivedKeyId = -1;
  #receivedRnextId = -1;

  /** `opening`: the peer's segment that the connection begins with, whose keys are taken; null: it begins with the preferred one. */
  constructor(chain: KeyChain, ends: FlowKey, iss: number, irs: number, opening: TcpSegment | null) {
    this.#chain = chain;
    this.#ends = ends;
    this.#iss = iss;
    this.#irs = irs;
    this.#sent = new SequenceExtension(iss);
    this.#received = irs < 0 ? null : new SequenceExtension(irs);
    this.#generation = chain.generation;
    this.#rnext = opening === null ? chain.preferred : chain.byRecvId(keyIdOf(opening));
    this.#current = opening === null ? chain.preferred : (chain.bySendId(rnextIdOf(opening)) ?? this.#rnext);
  }

  /** RFC 5925 §7.4. */
  sign(packet: OutboundPacket, message: SignedMessage): boolean {
    const { view, slab, transportOffset } = packet;
    this.#followChain();
    const key = this.#current;
    const flags = view.getUint8(transportOffset + 13);
    const opens = (flags & (SYN | ACK)) === SYN;
    if (key === null || (this.#irs < 0 && !opens)) return false;
    const mac = opens ? key.sendMac(this.#ends, this.#iss, 0) : this.#sendMac(key);
    const seq = view.getUint32(transportOffset + 4);
    const at = transportOffset + packet.transportLength - OPTION_LENGTH;
    view.setUint16(at, (OPTION_AO << 8) | OPTION_LENGTH);
    view.setUint8(at + 2, key.sendId);
    view.setUint8(at + 3, (this.#rnext ?? key).recvId);
    message.begin();
    message.addWord(this.#sent.of(seq));
    message.addPseudoHeader(packet);
    const header = key.includeOptions ? packet.transportLength : TCP_HEADER;
    message.addHeader(slab, transportOffset, header);
    if (!key.includeOptions) message.add(slab, at, OPTION_LENGTH);
    message.clear(message.length - MAC_LENGTH, MAC_LENGTH);
    message.addPayload(packet);
    slab.set(mac(message.bytes).subarray(0, MAC_LENGTH), at + OPTION_HEADER);
    // A reset's number is what somebody else asked for.
    if ((flags & RST) === 0) this.#sent.note(seq);
    return true;
  }

  /** RFC 5925 §7.5. Takes as long wherever the first difference is. */
  verify(segment: TcpSegment, message: SignedMessage): SignatureVerdict {
    const { packet, options, seq, flags } = segment;
    const { slab, transportOffset } = packet;
    this.#followChain();
    if (options.signatureLength !== OPTION_LENGTH) return SIGNATURE_BAD;
    const key = this.#chain.byRecvId(keyIdOf(segment));
    if (key === null) return SIGNATURE_KEY_UNKNOWN;
    const mac = this.#macFor(key, segment);
    if (mac === null) return SIGNATURE_BAD;
    // A SYN begins the peer's numbers: whatever it is, its extension is 0.
    const extension = (flags & SYN) !== 0 || this.#received === null ? 0 : this.#received.of(seq);
    message.begin();
    message.addWord(extension);
    message.addInboundPseudoHeader(packet);
    const headerAt = message.length;
    const at = options.signatureOffset;
    let macAt = headerAt + TCP_HEADER + OPTION_HEADER;
    if (key.includeOptions) {
      message.addHeader(slab, transportOffset, segment.payloadOffset - transportOffset);
      macAt = headerAt + at - transportOffset + OPTION_HEADER;
    } else {
      message.addHeader(slab, transportOffset, TCP_HEADER);
      message.add(slab, at, OPTION_LENGTH);
    }
    message.clear(macAt, MAC_LENGTH);
    message.add(slab, segment.payloadOffset, segment.length);
    const wanted = mac(message.bytes);
    let difference = 0;
    for (let i = 0; i < MAC_LENGTH; i++) difference |= slab[at + OPTION_HEADER + i]! ^ wanted[i]!;
    if (difference !== 0) return SIGNATURE_BAD;
    this.#genuine(segment);
    return SIGNATURE_GOOD;
  }

  synchronize(irs: number): void {
    if (this.#irs >= 0) return;
    this.#irs = irs;
    this.#received = new SequenceExtension(irs);
  }

  /** The keys to sign with and to ask for, by their ids (§7.1). Throws a RangeError, and changes nothing, if one is not in the chain. */
  select(currentSendId: number | undefined, rnextRecvId: number | undefined): void {
    const current = currentSendId === undefined ? this.#current : this.#chain.bySendId(currentSendId);
    const rnext = rnextRecvId === undefined ? this.#rnext : this.#chain.byRecvId(rnextRecvId);
    if (current === null || rnext === null) throw new RangeError("the chain has no key with that id");
    this.#current = current;
    this.#rnext = rnext;
  }

  info(): SignatureInfo {
    this.#followChain();
    return {
      kind: "tcp-ao",
      algorithm: this.#current?.algorithm ?? "",
      keyId: this.#current?.sendId ?? -1,
      rnextKeyId: this.#rnext?.recvId ?? -1,
      receivedKeyId: this.#receivedKeyId,
      receivedRnextKeyId: this.#receivedRnextId,
    };
  }

  /** The MAC that the segment's signature must be; null: it cannot be known yet. */
  #macFor(key: MasterKey, segment: TcpSegment): Mac | null {
    const { flags, seq } = segment;
    if ((flags & (SYN | ACK)) === SYN) return key.receiveMac(this.#ends, seq, 0);
    if (this.#irs >= 0) return this.#receiveMac(key);
    return (flags & SYN) === 0 ? null : key.receiveMac(this.#ends, seq, this.#iss);
  }

  #genuine(segment: TcpSegment): void {
    if ((segment.flags & (SYN | RST)) === 0) this.#received?.note(segment.seq);
    this.#receivedKeyId = keyIdOf(segment);
    this.#receivedRnextId = rnextIdOf(segment);
    if (this.#receivedRnextId === this.#current?.sendId) return;
    this.#current = this.#chain.bySendId(this.#receivedRnextId) ?? this.#current;
  }

  /** Keys that have left the chain are no longer used. */
  #followChain(): void {
    const chain = this.#chain;
    if (this.#generation === chain.generation) return;
    this.#generation = chain.generation;
    this.#macs.clear();
    if (this.#rnext !== null && !chain.has(this.#rnext)) this.#rnext = chain.preferred;
    if (this.#current !== null && !chain.has(this.#current)) this.#current = chain.preferred;
  }

  #sendMac(key: MasterKey): Mac {
    const macs = this.#macsOf(key);
    macs.send ??= key.sendMac(this.#ends, this.#iss, this.#irs);
    return macs.send;
  }

  #receiveMac(key: MasterKey): Mac {
    const macs = this.#macsOf(key);
    macs.receive ??= key.receiveMac(this.#ends, this.#irs, this.#iss);
    return macs.receive;
  }

  #macsOf(key: MasterKey): TrafficMacs {
    let macs = this.#macs.get(key);
    if (macs === undefined) {
      macs = { send: null, receive: null };
      this.#macs.set(key, macs);
    }
    return macs;
  }
}

function keyIdOf(segment: TcpSegment): number {
  return segment.packet.view.getUint8(segment.options.signatureOffset + 2);
}

function rnextIdOf(segment: TcpSegment): number {
  return segment.packet.view.getUint8(segment.options.signatureOffset + 3);
}

import type { ByteStream } from "@nfs4/bytestream";
import type { Callout, Clock } from "@nfs4/timecounter";

const HEADER = 19;
const LARGEST = 4096;
const OPEN = 1;
const UPDATE = 2;
const NOTIFICATION = 3;
const KEEPALIVE = 4;

/** The states of RFC 4271 §8.2.2 that come once there is a connection. */
export type BgpState = "OpenSent" | "OpenConfirm" | "Established" | "Idle";

export interface BgpIdentity {
  /** A two-byte number. */
  readonly autonomousSystem: number;
  /** Four bytes as an IPv4 address. */
  readonly identifier: string;
  /** Seconds. */
  readonly holdTime: number;
}

/** As much of BGP-4 (RFC 4271) as it takes to reach Established over a stream, to stay there, to hear of routes and to announce one. */
export class BgpSpeaker {
  state: BgpState = "OpenSent";
  keepalives = 0;
  updates = 0;
  /** Why the session ended: from a NOTIFICATION, or our own. */
  reason = "";
  onState: ((state: BgpState) => void) | null = null;
  onKeepalive: (() => void) | null = null;
  readonly #stream: ByteStream;
  readonly #identity: BgpIdentity;
  readonly #clock: Clock;
  readonly #hold: Callout;
  readonly #keepalive: Callout;
  #holdTime: number;
  #received = Buffer.alloc(0);

  /** Sends its OPEN at once. */
  constructor(stream: ByteStream, identity: BgpIdentity, clock: Clock) {
    this.#stream = stream;
    this.#identity = identity;
    this.#clock = clock;
    this.#holdTime = identity.holdTime;
    this.#hold = clock.callout(() => this.#end("hold timer expired"));
    this.#keepalive = clock.callout(() => this.#sendKeepalive());
    stream.setSink({
      data: (slab, offset, length) => {
        this.#take(Buffer.from(slab.subarray(offset, offset + length)));
        return length;
      },
      end: () => this.#end("the peer closed"),
    });
    void stream.closed.then(({ how }) => this.#end(how));
    this.#send(OPEN, this.#open());
  }

  /** An UPDATE (§4.3) for one IPv4 network: ORIGIN IGP, AS_PATH of our own number, NEXT_HOP. */
  announce(network: string, prefixLength: number, nextHop: string): void {
    const { autonomousSystem: as } = this.#identity;
    const attributes = [0x40, 1, 1, 0, 0x40, 2, 4, 2, 1, as >>> 8, as & 255, 0x40, 3, 4, ...octets(nextHop)];
    const prefix = [prefixLength, ...octets(network).slice(0, Math.ceil(prefixLength / 8))];
    this.#send(UPDATE, Buffer.from([0, 0, 0, attributes.length, ...attributes, ...prefix]));
  }

  /** §4.2, with the multiprotocol capability (RFC 4760 §8) for unicast of both families. */
  #open(): Buffer {
    const { autonomousSystem: as, identifier, holdTime } = this.#identity;
    const capabilities = [1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1];
    const parameters = [2, capabilities.length, ...capabilities];
    return Buffer.from([4, as >>> 8, as & 255, 0, holdTime, ...octets(identifier), parameters.length, ...parameters]);
  }

  #send(type: number, body: Buffer = Buffer.alloc(0)): void {
    const message = Buffer.alloc(HEADER + body.length, 0xff);
    message.writeUInt16BE(message.length, 16);
    message.writeUInt8(type, 18);
    body.copy(message, HEADER);
    this.#stream.write([{ bytes: message }]);
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= HEADER && this.state !== "Idle") {
      const length = this.#received.readUInt16BE(16);
      if (length < HEADER || length > LARGEST) {
        this.#end(`a message of ${length} bytes`);
        return;
      }
      if (this.#received.length < length) return;
      const type = this.#received.readUInt8(18);
      const body = this.#received.subarray(HEADER, length);
      this.#received = this.#received.subarray(length);
      const wrong = this.#accept(type, body);
      if (wrong !== null) this.#end(wrong);
      else this.#hold.schedule(this.#clock.coarse() + this.#holdTime * 1e6);
    }
  }

  /** Takes a message; gives why the session must end, or null. */
  #accept(type: number, body: Buffer): string | null {
    if (type === NOTIFICATION) return `NOTIFICATION ${body.readUInt8(0)}/${body.readUInt8(1)}`;
    if (this.state === "OpenSent" && type === OPEN) {
      this.#holdTime = Math.min(this.#identity.holdTime, body.readUInt16BE(3));
      this.#sendKeepalive();
      this.#enter("OpenConfirm");
    } else if (this.state === "OpenConfirm" && type === KEEPALIVE) {
      this.#enter("Established");
    } else if (this.state === "Established" && type === KEEPALIVE) {
      this.keepalives++;
      this.onKeepalive?.();
    } else if (this.state === "Established" && type === UPDATE) {
      this.updates++;
    } else {
      return `a message of type ${type} in ${this.state}`;
    }
    return null;
  }

  #sendKeepalive(): void {
    this.#send(KEEPALIVE);
    this.#keepalive.schedule(this.#clock.coarse() + (this.#holdTime * 1e6) / 3);
  }

  #enter(state: BgpState): void {
    this.state = state;
    this.onState?.(state);
  }

  #end(reason: string): void {
    if (this.state === "Idle") return;
    this.reason = reason;
    this.#hold.cancel();
    this.#keepalive.cancel();
    this.#enter("Idle");
    this.#stream.abort();
  }
}

function octets(address: string): number[] {
  return address.split(".").map(Number);
}

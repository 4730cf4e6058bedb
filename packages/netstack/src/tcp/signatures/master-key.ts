import type { FlowKey } from "../flow.ts";
import { type AoAlgorithm, type Mac, macOf, trafficKey } from "./ao-algorithms.ts";
import { secretBytes } from "./secret.ts";
import { SignedMessage } from "./signed-message.ts";

const CONTEXT_ROOM = 44;

export interface MasterKeyOptions {
  /** The ids (0 to 255) that segments which this key signs carry: ours, and the peer's. */
  readonly sendId: number;
  readonly recvId: number;
  /** 1 to 80 bytes, or text that is that in UTF-8; it is copied. */
  readonly secret: string | Uint8Array;
  /** Default: hmac-sha-1-96 (RFC 5926 §3.1.1.3). */
  readonly algorithm?: AoAlgorithm;
  /** Whether the other TCP options are signed too. Default true. */
  readonly includeOptions?: boolean;
}

/** A Master Key Tuple (RFC 5925 §3.1) but for the connections that it is for, which `SignatureKeys` says. Immutable; the secret cannot be read back. */
export class MasterKey {
  readonly sendId: number;
  readonly recvId: number;
  readonly algorithm: AoAlgorithm;
  readonly includeOptions: boolean;
  readonly #secret: Uint8Array;

  /** Throws a RangeError for an id or a secret that cannot be. */
  constructor(options: MasterKeyOptions) {
    const { sendId, recvId, secret, algorithm = "hmac-sha-1-96", includeOptions = true } = options;
    for (const id of [sendId, recvId]) {
      if (!Number.isInteger(id) || id < 0 || id > 255) throw new RangeError(`a key id is 0 to 255, not ${id}`);
    }
    this.sendId = sendId;
    this.recvId = recvId;
    this.algorithm = algorithm;
    this.includeOptions = includeOptions;
    this.#secret = secretBytes(secret);
  }

  /** The MAC of what we send on a connection (RFC 5925 §5.2); `irs` 0 for a SYN. */
  sendMac(ends: FlowKey, iss: number, irs: number): Mac {
    const context = new SignedMessage(CONTEXT_ROOM);
    context.addAddress(ends.l0, ends.l1, ends.l2, ends.l3);
    context.addAddress(ends.r0, ends.r1, ends.r2, ends.r3);
    return this.#mac(context, ends.localPort, ends.remotePort, iss, irs);
  }

  /** The MAC of what the peer sends; `iss` 0 for a SYN. */
  receiveMac(ends: FlowKey, irs: number, iss: number): Mac {
    const context = new SignedMessage(CONTEXT_ROOM);
    context.addAddress(ends.r0, ends.r1, ends.r2, ends.r3);
    context.addAddress(ends.l0, ends.l1, ends.l2, ends.l3);
    return this.#mac(context, ends.remotePort, ends.localPort, irs, iss);
  }

  #mac(context: SignedMessage, sourcePort: number, port: number, sourceNumber: number, number: number): Mac {
    context.addWord(((sourcePort << 16) | port) >>> 0);
    context.addWord(sourceNumber);
    context.addWord(number);
    return macOf(this.algorithm, trafficKey(this.algorithm, this.#secret, context.bytes));
  }
}

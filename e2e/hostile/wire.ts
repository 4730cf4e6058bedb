/**
 * Bytes as an attacker makes them: ONC RPC and NFSv4 by hand, with no codec of this project, so that what is wrong there cannot be wrong here in the same way.
 */

/** XDR in the making. Fields that say how much follows are remembered, for they are what an attacker lies about. */
export class Wire {
  #bytes: Uint8Array = new Uint8Array(64);
  #length = 0;
  /** Offsets of all length and count fields written so far. */
  readonly lengths: number[] = [];

  get length(): number {
    return this.#length;
  }

  /** A copy. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  u32(...values: number[]): this {
    for (const value of values) this.raw([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
    return this;
  }

  /** A hyper below 2^53. */
  u64(value: number): this {
    return this.u32(Math.floor(value / 2 ** 32), value % 2 ** 32);
  }

  raw(bytes: ArrayLike<number>): this {
    const end = this.#length + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = end;
    return this;
  }

  /** A length or count. */
  count(value: number): this {
    this.lengths.push(this.#length);
    return this.u32(value);
  }

  /** Variable-length opaque data or a string, padded. */
  opaque(content: string | Uint8Array): this {
    const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
    this.count(bytes.length).raw(bytes);
    return this.raw(new Uint8Array(-bytes.length & 3));
  }

  /** A bitmap4. */
  bitmap(...bits: number[]): this {
    const words: number[] = [];
    for (const bit of bits) {
      while (words.length <= bit >>> 5) words.push(0);
      words[bit >>> 5] = ((words[bit >>> 5] ?? 0) | (1 << (bit & 31))) >>> 0;
    }
    return this.count(words.length).u32(...words);
  }

  /** Another one's bytes, its lengths included. */
  append(other: Wire): this {
    const at = this.#length;
    for (const offset of other.lengths) this.lengths.push(at + offset);
    return this.raw(other.bytes());
  }
}

export const NFS_PROGRAM = 100_003;
const NFS_VERSION = 4;
export const COMPOUND = 1;
export const NULL = 0;

let lastXid = 0;

export interface CallOptions {
  readonly xid?: number;
  readonly messageType?: number;
  readonly rpcVersion?: number;
  readonly program?: number;
  readonly version?: number;
  readonly procedure?: number;
  /** Flavor and body. Default AUTH_SYS of root. */
  readonly credential?: readonly [flavor: number, body: Uint8Array];
  readonly verifier?: readonly [flavor: number, body: Uint8Array];
}

/** AUTH_SYS (RFC 5531, appendix A): stamp, machine name, uid, gid, groups. */
export function authSys(machine = "evil", uid = 0, groups: readonly number[] = []): Uint8Array {
  return new Wire()
    .u32(0)
    .opaque(machine)
    .u32(uid, 0)
    .count(groups.length)
    .u32(...groups)
    .bytes();
}

const ROOT = authSys();
const NOBODY = new Uint8Array(0);

/** A call without its record mark. */
export function message(args: Uint8Array, options: CallOptions = {}): Uint8Array {
  const [credentialFlavor, credential] = options.credential ?? [1, ROOT];
  const [verifierFlavor, verifier] = options.verifier ?? [0, NOBODY];
  return new Wire()
    .u32(options.xid ?? ++lastXid, options.messageType ?? 0, options.rpcVersion ?? 2)
    .u32(options.program ?? NFS_PROGRAM, options.version ?? NFS_VERSION, options.procedure ?? COMPOUND)
    .u32(credentialFlavor)
    .opaque(credential)
    .u32(verifierFlavor)
    .opaque(verifier)
    .raw(args)
    .bytes();
}

/** A record mark (RFC 5531 §11). */
export function mark(length: number, last = true): Uint8Array {
  return new Wire().u32((last ? 0x8000_0000 : 0) + length).bytes();
}

/** A message as one record of one fragment. */
export function record(content: Uint8Array): Uint8Array {
  return Buffer.concat([mark(content.length), content]);
}

/** A call, ready to be sent. */
export function call(args: Uint8Array, options?: CallOptions): Uint8Array {
  return record(message(args, options));
}

export function nullCall(options?: CallOptions): Uint8Array {
  return call(NOBODY, { ...options, procedure: NULL });
}

/** The arguments of a COMPOUND of operations that are ready-made. `count` may lie. */
export function compound(minorVersion: number, operations: readonly Wire[], count = operations.length): Wire {
  const wire = new Wire().opaque("").u32(minorVersion).count(count);
  for (const operation of operations) wire.append(operation);
  return wire;
}

/** What came back for a call. */
export interface Reply {
  readonly xid: number;
  /** As in RFC 5531 §9, in words. */
  readonly outcome:
    | "SUCCESS"
    | "PROG_UNAVAIL"
    | "PROG_MISMATCH"
    | "PROC_UNAVAIL"
    | "GARBAGE_ARGS"
    | "SYSTEM_ERR"
    | "RPC_MISMATCH"
    | "AUTH_ERROR";
  /** Two versions after a mismatch, the auth_stat after AUTH_ERROR. */
  readonly details: readonly number[];
  /** The results. */
  readonly body: DataView;
}

const ACCEPTED = ["SUCCESS", "PROG_UNAVAIL", "PROG_MISMATCH", "PROC_UNAVAIL", "GARBAGE_ARGS", "SYSTEM_ERR"] as const;

/** Reads a reply; throws if it is none. */
export function parseReply(bytes: Uint8Array): Reply {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (index: number): number => view.getUint32(4 * index);
  const rest = (words: number): DataView =>
    new DataView(bytes.buffer, bytes.byteOffset + 4 * words, bytes.length - 4 * words);
  const xid = word(0);
  if (word(1) !== 1) throw new Error(`message type ${word(1)} is no reply`);
  if (word(2) === 1) {
    if (word(3) === 0) return { xid, outcome: "RPC_MISMATCH", details: [word(4), word(5)], body: rest(6) };
    if (word(3) === 1) return { xid, outcome: "AUTH_ERROR", details: [word(4)], body: rest(5) };
    throw new Error(`reject_stat ${word(3)}`);
  }
  if (word(2) !== 0) throw new Error(`reply_stat ${word(2)}`);
  if (word(3) !== 0 || word(4) !== 0) throw new Error("the verifier of a reply is not AUTH_NONE");
  const outcome = ACCEPTED[word(5)];
  if (outcome === undefined) throw new Error(`accept_stat ${word(5)}`);
  const mismatch = outcome === "PROG_MISMATCH";
  return { xid, outcome, details: mismatch ? [word(6), word(7)] : [], body: rest(mismatch ? 8 : 6) };
}

/** The frame of COMPOUND4res: its status, how many operations have a result, and where those begin. */
export interface CompoundResult {
  readonly status: number;
  readonly results: number;
  /** From the first result's operation number on. */
  readonly body: DataView;
}

export function parseCompound({ body }: Reply): CompoundResult {
  const status = body.getUint32(0);
  const tag = body.getUint32(4);
  const after = 8 + ((tag + 3) & ~3);
  return {
    status,
    results: body.getUint32(after),
    body: new DataView(body.buffer, body.byteOffset + after + 4, body.byteLength - after - 4),
  };
}

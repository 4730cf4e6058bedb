/** Builds a COMPOUND operation by operation, much as one reads a capture, and sends it. */
import {
  ANONYMOUS_STATEID,
  type Bitmap,
  beginCompoundCall,
  bitmapOf,
  type Fattr4Values,
  type fattr4,
  makeFattr4,
  OPERATIONS,
  type OperationName,
  type OperationTypes,
  type stateid4,
} from "@nfs4/protocol";
import { type Uint64Pair, XdrWriter } from "@xdr-ts/xdr";
import { names, utf8 } from "./bytes.ts";
import type { Reply } from "./reply.ts";
import type { User, Wire } from "./wire.ts";

export type Name = string | Uint8Array;

/** A COMPOUND that knows how it is sent: `Session` puts a SEQUENCE in front. */
export interface Sender {
  readonly minor: number;
  readonly wire: Wire;
  readonly user: User;
  /** Sends what `encode` gives (with the operations in front that the sender adds). */
  transmit(compound: Compound): Promise<Reply>;
}

export const NO_CLIENT: Uint64Pair = { hi: 0, lo: 0 };
export const UNSTABLE = 0;
export const DATA_SYNC = 1;
export const FILE_SYNC = 2;

export class Compound {
  readonly sender: Sender;
  tag: Uint8Array = new Uint8Array(0);
  user: User;
  xid: number | undefined;
  minor: number;
  readonly #operations: Uint8Array[] = [];

  constructor(sender: Sender) {
    this.sender = sender;
    this.user = sender.user;
    this.minor = sender.minor;
  }

  get count(): number {
    return this.#operations.length;
  }

  /** Any operation of the protocol. */
  op<N extends OperationName>(name: N, args: OperationTypes[N][0]): this {
    const operation = OPERATIONS[name];
    const writer = new XdrWriter();
    writer.uint32(operation.number);
    operation.encodeArguments(writer, args);
    this.#operations.push(writer.bytes().slice());
    return this;
  }

  /** An operation number and whatever bytes follow it. */
  raw(number: number, bytes: Uint8Array = new Uint8Array(0)): this {
    const writer = new XdrWriter();
    writer.uint32(number);
    writer.opaqueFixed(bytes, bytes.length);
    this.#operations.push(writer.bytes().slice());
    return this;
  }

  /** The encoded request, `first` in front. */
  encode(first: readonly Uint8Array[] = [], claimed?: number): Uint8Array {
    const writer = new XdrWriter();
    const count = beginCompoundCall(writer, this.tag, this.minor);
    writer.patchUint32(count, claimed ?? first.length + this.#operations.length);
    for (const bytes of [...first, ...this.#operations]) writer.opaqueFixed(bytes, bytes.length);
    return writer.bytes().slice();
  }

  as(user: User): this {
    this.user = user;
    return this;
  }

  withXid(xid: number): this {
    this.xid = xid;
    return this;
  }

  /** Sends it without letting time run. */
  start(): Promise<Reply> {
    return this.sender.transmit(this);
  }

  /** Sends it and lets time run until the answer is there. */
  send(): Promise<Reply> {
    return this.sender.wire.world.run(this.start());
  }

  // What tests use most, in the order of RFC 8881 §18.

  access(bits: number): this {
    return this.op("ACCESS", { access: bits });
  }

  close(stateid: stateid4, seqid = 0): this {
    return this.op("CLOSE", { seqid, open_stateid: stateid });
  }

  commit(offset = 0, count = 0): this {
    return this.op("COMMIT", { offset, count });
  }

  create(objtype: OperationTypes["CREATE"][0]["objtype"], name: Name, attributes: Fattr4Values | fattr4 = {}): this {
    return this.op("CREATE", { objtype, objname: names(name), createattrs: fattr4Of(attributes) });
  }

  mkdir(name: Name, mode = 0o755): this {
    return this.create({ type: 2 }, name, { mode });
  }

  getattr(...numbers: number[]): this {
    return this.op("GETATTR", { attr_request: bitmapOf(...numbers) });
  }

  getfh(): this {
    return this.op("GETFH", undefined);
  }

  link(name: Name): this {
    return this.op("LINK", { newname: names(name) });
  }

  lookup(...path: Name[]): this {
    for (const name of path) this.op("LOOKUP", { objname: names(name) });
    return this;
  }

  lookupp(): this {
    return this.op("LOOKUPP", undefined);
  }

  putfh(handle: Uint8Array): this {
    return this.op("PUTFH", { object: handle });
  }

  putroot(): this {
    return this.op("PUTROOTFH", undefined);
  }

  read(stateid: stateid4, offset: number, count: number): this {
    return this.op("READ", { stateid, offset, count });
  }

  readdir({ cookie = 0n, dircount = 0, maxcount = 65_536, mask = [] as Bitmap, verf = new Uint8Array(8) } = {}): this {
    return this.op("READDIR", { cookie, cookieverf: verf, dircount, maxcount, attr_request: [...mask] });
  }

  readlink(): this {
    return this.op("READLINK", undefined);
  }

  remove(name: Name): this {
    return this.op("REMOVE", { target: names(name) });
  }

  rename(from: Name, to: Name): this {
    return this.op("RENAME", { oldname: names(from), newname: names(to) });
  }

  restorefh(): this {
    return this.op("RESTOREFH", undefined);
  }

  savefh(): this {
    return this.op("SAVEFH", undefined);
  }

  setattr(attributes: Fattr4Values | fattr4, stateid: stateid4 = ANONYMOUS_STATEID): this {
    return this.op("SETATTR", { stateid, obj_attributes: fattr4Of(attributes) });
  }

  write(stateid: stateid4, offset: number, data: Uint8Array | string, stable: 0 | 1 | 2 = FILE_SYNC): this {
    return this.op("WRITE", { stateid, offset, stable, data: typeof data === "string" ? utf8(data) : data });
  }
}

export function fattr4Of(attributes: Fattr4Values | fattr4): fattr4 {
  return "attrmask" in attributes ? attributes : makeFattr4(attributes);
}

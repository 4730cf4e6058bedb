/** Operations made by hand, each ready to be put into a COMPOUND. */
import { Attribute, Op } from "./numbers.ts";
import { Wire } from "./wire.ts";

const ZEROS = new Uint8Array(16);

/** The anonymous stateid. */
const anonymous = (wire: Wire): Wire => wire.raw(ZEROS);

export const putrootfh = (): Wire => new Wire().u32(Op.PUTROOTFH);
export const getfh = (): Wire => new Wire().u32(Op.GETFH);
export const savefh = (): Wire => new Wire().u32(Op.SAVEFH);
export const putfh = (handle: Uint8Array): Wire => new Wire().u32(Op.PUTFH).opaque(handle);
export const lookup = (name: string): Wire => new Wire().u32(Op.LOOKUP).opaque(name);
export const remove = (name: string): Wire => new Wire().u32(Op.REMOVE).opaque(name);
export const secinfo = (name: string): Wire => new Wire().u32(Op.SECINFO).opaque(name);
export const link = (name: string): Wire => new Wire().u32(Op.LINK).opaque(name);
export const rename = (from: string, to: string): Wire => new Wire().u32(Op.RENAME).opaque(from).opaque(to);
export const getattr = (...attributes: number[]): Wire => new Wire().u32(Op.GETATTR).bitmap(...attributes);
export const read = (offset: number, count: number): Wire => anonymous(new Wire().u32(Op.READ)).u64(offset).u32(count);

export const write = (offset: number, data: Uint8Array): Wire =>
  anonymous(new Wire().u32(Op.WRITE)).u64(offset).u32(0).opaque(data);

export const readdir = (maxcount: number, ...attributes: number[]): Wire =>
  new Wire()
    .u32(Op.READDIR)
    .u64(0)
    .raw(ZEROS.subarray(8))
    .u32(maxcount, maxcount)
    .bitmap(...attributes);

/** A fattr4 of attributes that the caller has written. */
export const fattr = (values: Wire, ...attributes: number[]): Wire => {
  const wire = new Wire().bitmap(...attributes);
  const at = wire.length + 4;
  wire.count(values.length).raw(values.bytes());
  for (const offset of values.lengths) wire.lengths.push(at + offset);
  return wire;
};

export const setattr = (attributes: Wire): Wire => anonymous(new Wire().u32(Op.SETATTR)).append(attributes);
export const verify = (attributes: Wire): Wire => new Wire().u32(Op.VERIFY).append(attributes);
export const nverify = (attributes: Wire): Wire => new Wire().u32(Op.NVERIFY).append(attributes);

/** The one attribute that everybody sets. */
export const mode = (value: number): Wire => fattr(new Wire().u32(value), Attribute.MODE);

export const modeAndOwner = (): Wire => fattr(new Wire().u32(0o644).opaque("1000"), Attribute.MODE, Attribute.OWNER);

/** CREATE of a symbolic link, whose target is one more length to lie about. */
export const symlink = (name: string, target: string): Wire =>
  new Wire().u32(Op.CREATE, 5).opaque(target).opaque(name).append(modeAndOwner());

/** OPEN of a name in the current directory; with `attributes`, an UNCHECKED create. */
export const open = (
  name: string,
  { clientid = [0, 0], owner = "owner", seqid = 0, access = 3, attributes }: OpenFields = {},
): Wire => {
  const wire = new Wire().u32(Op.OPEN, seqid, access, 0, ...clientid).opaque(owner);
  if (attributes) wire.u32(1, 0).append(attributes);
  else wire.u32(0);
  return wire.u32(0).opaque(name);
};

interface OpenFields {
  readonly clientid?: readonly number[];
  readonly owner?: string;
  readonly seqid?: number;
  readonly access?: number;
  readonly attributes?: Wire;
}

/** LOCK by a new owner, on a stateid that is none. */
export const lock = (owner: string): Wire =>
  anonymous(new Wire().u32(Op.LOCK, 2, 0).u64(0).u64(10).u32(1, 0))
    .u32(0, 0, 0)
    .opaque(owner);

export const releaseLockowner = (owner: string): Wire => new Wire().u32(Op.RELEASE_LOCKOWNER, 0, 0).opaque(owner);

export const setclientid = (id: string, universalAddress = "10.99.0.9.0.1"): Wire =>
  new Wire().u32(Op.SETCLIENTID, 1, 2).opaque(id).u32(0x4000_0000).opaque("tcp").opaque(universalAddress).u32(7);

export const setclientidConfirm = (clientid: readonly number[], verifier: readonly number[]): Wire =>
  new Wire().u32(Op.SETCLIENTID_CONFIRM, ...clientid, ...verifier);

export const renew = (): Wire => new Wire().u32(Op.RENEW, 1, 2);

export const exchangeId = (owner: string, verifier = 1, implementation = "evil"): Wire =>
  new Wire()
    .u32(Op.EXCHANGE_ID, 0, verifier)
    .opaque(owner)
    .u32(0, 0)
    .count(1)
    .opaque("example.org")
    .opaque(implementation)
    .u32(0, 0, 0);

/** EXCHANGE_ID with all that SP4_SSV can have in it. */
export const exchangeIdSsv = (): Wire =>
  new Wire()
    .u32(Op.EXCHANGE_ID, 0, 1)
    .opaque("ssv")
    .u32(0, 2)
    .bitmap(Op.GETATTR)
    .bitmap(Op.RENAME)
    .count(1)
    .opaque("oid")
    .count(1)
    .opaque("oid")
    .u32(1, 1)
    .count(0);

const channel = (slots: number): Wire => new Wire().u32(0, 1 << 20, 1 << 20, 1 << 16, 64, slots).count(0);

export const createSession = (clientid: readonly number[], sequence = 1, slots = 8): Wire =>
  new Wire()
    .u32(Op.CREATE_SESSION, ...clientid, sequence, 0)
    .append(channel(slots))
    .append(channel(1))
    .u32(0x4000_0000)
    .count(1)
    .u32(1, 0)
    .opaque("callback")
    .u32(0, 0)
    .count(2)
    .u32(4, 5);

export const sequence = (session: Uint8Array, seqid: number, slot = 0, keep = false): Wire =>
  new Wire()
    .u32(Op.SEQUENCE)
    .raw(session)
    .u32(seqid, slot, slot, keep ? 1 : 0);

export const testStateid = (): Wire => new Wire().u32(Op.TEST_STATEID).count(2).raw(ZEROS).raw(ZEROS);
export const backchannelCtl = (): Wire => new Wire().u32(Op.BACKCHANNEL_CTL, 1).count(1).u32(0);
export const setSsv = (): Wire => new Wire().u32(Op.SET_SSV).opaque("ssv").opaque("digest");

import { XdrError, XdrReader, XdrWriter } from "@xdr-ts/xdr";
import { ATTRIBUTES, type Attribute, type Fattr4Values } from "./attribute-table.ts";
import { type Bitmap, bitmapOf, bitsOf, nextBit } from "./bitmap.ts";
import type { fattr4 } from "./generated/basic.ts";
import { NFS4ERR_ATTRNOTSUPP, NFS4ERR_BADXDR } from "./generated/status.ts";

/** What is done for one set of attributes, worked out once. */
interface Plan {
  readonly mask: Bitmap;
  readonly attributes: readonly Attribute[];
}

/** Clients choose the sets, so the number of plans kept is bounded. */
const MAX_PLANS = 256;
const plans = new Map<number, Plan[]>();
let planCount = 0;
let lastPlan: Plan = { mask: [], attributes: [] };

/**
 * Writes a fattr4 (RFC 8881 §3.3.7) of those attributes of `mask` for which `values` has a value; attributes beyond the table and
 * missing values are left out of the mask that is written. Nothing is allocated for a set that was seen before.
 */
export function encodeFattr4(writer: XdrWriter, mask: Bitmap, values: Fattr4Values): void {
  const { attributes, mask: planned } = planFor(mask);
  writer.uint32(planned.length);
  const maskAt = writer.position;
  for (let i = 0; i < planned.length; i++) writer.uint32(planned[i]!);
  const lengthAt = writer.reserve(4);
  const start = writer.position;
  let wordIndex = -1;
  let missing = 0;
  for (let i = 0; i < attributes.length; i++) {
    const { number, codec, get } = attributes[i]!;
    const value = get(values);
    if (value !== undefined) {
      codec.encode(writer, value as never);
      continue;
    }
    if (number >>> 5 !== wordIndex) {
      if (missing !== 0) writer.patchUint32(maskAt + 4 * wordIndex, (planned[wordIndex]! & ~missing) >>> 0);
      wordIndex = number >>> 5;
      missing = 0;
    }
    missing |= 1 << (number & 31);
  }
  if (missing !== 0) writer.patchUint32(maskAt + 4 * wordIndex, (planned[wordIndex]! & ~missing) >>> 0);
  writer.patchUint32(lengthAt, writer.position - start);
}

/** A fattr4 of all that `values` has, owned by the caller: for SETATTR, CREATE, OPEN and VERIFY. */
export function makeFattr4(values: Fattr4Values): fattr4 {
  const present = ATTRIBUTES.filter(({ name }) => values[name] !== undefined);
  const writer = new XdrWriter({ chunkSize: 512 });
  for (const { name, codec } of present) codec.encode(writer, values[name] as never);
  return { attrmask: bitmapOf(...present.map(({ number }) => number)), attr_vals: writer.bytes() };
}

/** What a fattr4 says, or why it cannot be understood. */
export type DecodedFattr4 =
  | { readonly ok: true; readonly values: Fattr4Values }
  /** `attribute` is not in the table, or not among those that the caller knows. Nothing behind it can be read. */
  | { readonly ok: false; readonly status: typeof NFS4ERR_ATTRNOTSUPP; readonly attribute: number }
  | { readonly ok: false; readonly status: typeof NFS4ERR_BADXDR; readonly error: XdrError };

/** Keeps hold of the last message, so that the values of many entries of one READDIR are read without a new view for each. */
const scratch = new XdrReader();

/**
 * Reads the values of a fattr4; opaque ones are views. An attribute that is not in `supported` (default: the whole table) is
 * reported, the lowest first, before anything is read. Values that are cut short, malformed or followed by more bytes are BADXDR
 * (RFC 8881 §15.1.1.1).
 */
export function decodeFattr4({ attrmask, attr_vals }: fattr4, supported?: Bitmap): DecodedFattr4 {
  for (let number = nextBit(attrmask); number !== -1; number = nextBit(attrmask, number + 1)) {
    const known = number < ATTRIBUTES.length;
    if (!known || (supported !== undefined && !isIn(supported, number))) {
      return { ok: false, status: NFS4ERR_ATTRNOTSUPP, attribute: number };
    }
  }
  const { attributes } = planFor(attrmask);
  const values: Record<string, unknown> = {};
  scratch.reset(attr_vals);
  try {
    for (const { name, codec } of attributes) values[name] = codec.decode(scratch);
    scratch.expectEnd();
  } catch (error) {
    if (!(error instanceof XdrError)) throw error;
    return { ok: false, status: NFS4ERR_BADXDR, error };
  }
  return { ok: true, values: values as Fattr4Values };
}

function isIn(bitmap: Bitmap, number: number): boolean {
  return ((bitmap[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0;
}

function planFor(mask: Bitmap): Plan {
  if (matches(lastPlan, mask)) return lastPlan;
  const key = (mask[0] ?? 0) ^ Math.imul(mask[1] ?? 0, 0x9e3779b1) ^ Math.imul(mask[2] ?? 0, 0x85ebca6b);
  const bucket = plans.get(key);
  if (bucket !== undefined) {
    for (let i = 0; i < bucket.length; i++) {
      if (matches(bucket[i]!, mask)) {
        lastPlan = bucket[i]!;
        return lastPlan;
      }
    }
  }
  return addPlan(key, mask);
}

const WORDS = Math.ceil(ATTRIBUTES.length / 32);
const KNOWN: Bitmap = bitmapOf(...ATTRIBUTES.map(({ number }) => number));

/** Whether the plan is for this mask, of which only the words of the table count. */
function matches({ mask: planned }: Plan, mask: Bitmap): boolean {
  for (let i = 0; i < WORDS; i++) if ((planned[i] ?? 0) !== ((mask[i] ?? 0) & KNOWN[i]!) >>> 0) return false;
  return true;
}

function addPlan(key: number, mask: Bitmap): Plan {
  if (planCount === MAX_PLANS) {
    plans.clear();
    planCount = 0;
  }
  const numbers = bitsOf(mask).filter((number) => number < ATTRIBUTES.length);
  lastPlan = { mask: bitmapOf(...numbers), attributes: numbers.map((number) => ATTRIBUTES[number]!) };
  const bucket = plans.get(key);
  if (bucket === undefined) plans.set(key, [lastPlan]);
  else bucket.push(lastPlan);
  planCount += 1;
  return lastPlan;
}

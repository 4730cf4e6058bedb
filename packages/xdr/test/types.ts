/** Never run: what TypeScript must accept and refuse of the generated types. Checked by generated-code.test.ts. */
import type { XdrCodec } from "../src/index.ts";
import {
  BLUE,
  codec_result,
  type color,
  type directory,
  type flavored,
  KINDS_PROGRAM_KINDS_V1,
  type lock,
  type maybe,
  type modes,
  type options,
  type painted,
  RED,
  type result,
  STATUS_BAD,
  STATUS_OK,
  type status,
} from "./generated/kinds.ts";

export function narrows(r: result, l: lock, f: flavored, m: maybe): unknown[] {
  const found: unknown[] = [];
  if (r.status === STATUS_OK) found.push(r.object.length);
  else if (r.status === STATUS_BAD) found.push(r.detail.toFixed());
  switch (r.status) {
    case STATUS_OK:
      found.push(r.object);
      break;
    case 1:
    case 10000:
      found.push(r.detail);
      break;
    default:
      // @ts-expect-error the default arm has no field
      found.push(r.detail);
  }
  found.push(l.exclusive ? l.owner.length : l.holders.toFixed());
  if (f.info !== undefined) found.push(f.info.length);
  if (f.body !== undefined) found.push(f.body.length);
  if (m.present) found.push(m.value.toFixed());
  return found;
}

export const good: result[] = [
  { status: STATUS_OK, object: new Uint8Array(1) },
  { status: STATUS_BAD, detail: 1 },
];
// @ts-expect-error the arm of STATUS_OK has another field
export const wrongField: result = { status: STATUS_OK, detail: 1 };
// @ts-expect-error the arm of STATUS_OK needs its field
export const noField: result = { status: STATUS_OK };
// @ts-expect-error 7 is not a color
export const notAColor: color = 7;
export const blue: color = BLUE;
export const red: painted = { c: RED, strength: 1 };
// @ts-expect-error no case is left over for the default
export const unreachable: painted = { c: RED, unreachable: "" };

/** An open enum takes any number that is not a literal. */
export function open(value: number): status {
  return value;
}

export function shapes(
  m: modes,
  d: directory,
  o: options,
): [bigint, number, Uint8Array, number, string, number | null] {
  const entry = d.entries[0]!;
  // @ts-expect-error the pointer to the next is not a field
  entry.nextentry;
  return [m.plain, m.by_typedef.hi, m.raw, m.signed_num, entry.name, o.twice === null ? null : o.twice[0]];
}

export const codec: XdrCodec<result> = codec_result;
export const lookup: XdrCodec<result> = KINDS_PROGRAM_KINDS_V1.procedures.KINDSPROC_LOOKUP.result;
export const nothing: XdrCodec<void> = KINDS_PROGRAM_KINDS_V1.procedures.KINDSPROC_NULL.argument;
export const version: 1 = KINDS_PROGRAM_KINDS_V1.version;

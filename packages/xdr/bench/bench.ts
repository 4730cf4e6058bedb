/**
 * Reading and writing beside js-xdr, in one process: `npm run bench -w packages/xdr`. The two take turns; the ratio is the median of the
 * rounds' ratios, so that a slow moment of the machine strikes both. Both must write the same bytes.
 */
import { type XdrCodec, XdrReader, XdrWriter } from "../src/index.ts";
import * as ours from "./generated/compound.ts";
import { JsAttributesList, JsCompound, JsListing, toJsAttributesList, toJsCompound, toJsListing } from "./js-xdr.ts";

const ROUNDS = 100;
const ROUND_NS = 4e6;

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7);
}

const sequence: ours.operation = {
  op: ours.OP_SEQUENCE,
  sequence: { sessionid: bytes(16), sequenceid: 77, slotid: 3, highest_slotid: 9, cachethis: false },
};
const putfh: ours.operation = { op: ours.OP_PUTFH, object: bytes(36) };
const getattr: ours.operation = { op: ours.OP_GETATTR, attributes: [0x0010_011a, 0x00b0_a23a] };
const write: ours.operation = {
  op: ours.OP_WRITE,
  write: { stateid_: { seqid: 1, other: bytes(12) }, offset: 2 ** 40, stable: 0, data: bytes(8192) },
};

const listing: ours.listing = {
  verifier: bytes(8),
  entries: Array.from({ length: 64 }, (_, i) => ({
    cookie: { hi: 1, lo: i },
    name: bytes(18),
    mask: [0x0010_011a, 0x00b0_a23a],
    attributes: bytes(116),
  })),
  eof: false,
};

const attributes: ours.attributes_list = {
  files: Array.from({ length: 16 }, (_, i) => ({
    kind: ours.OP_GETATTR,
    change: { hi: 0x1234, lo: i },
    size: 4096 * i,
    fileid: { hi: 0, lo: 1000 + i },
    mode: 0o100644,
    numlinks: 1,
    owner: 1000,
    owner_group: 1000,
    major: 0,
    minor: 0,
    space_used: 8192,
    accessed: { seconds: 1_700_000_000, nseconds: 123_456_789 },
    metadata: { seconds: 1_700_000_000, nseconds: 123_456_789 },
    modified: { seconds: 1_700_000_000, nseconds: 123_456_789 },
    mounted_here: false,
  })),
};

interface Contest {
  readonly name: string;
  readonly us: () => unknown;
  readonly them: () => unknown;
}

const writer = new XdrWriter({ chunkSize: 1 << 16 });

function contests<T>(
  name: string,
  codec: XdrCodec<T>,
  value: T,
  js: { toXDR(): Uint8Array },
  jsType: { fromXDR(bytes: Uint8Array): unknown },
): Contest[] {
  const { encode, decode } = codec;
  const message = Uint8Array.from(js.toXDR());
  // A reader lives as long as the buffer that messages arrive in, as it does in packages/rpc.
  const reader = new XdrReader(message);
  const buffer = Buffer.from(message);
  function usWriting(): number {
    writer.reset({ reuse: true });
    encode(writer, value);
    return writer.position;
  }
  function usReading(): T {
    reader.reset(message);
    return decode(reader);
  }
  usWriting();
  if (Buffer.compare(writer.bytes(), message) !== 0) throw new Error(`${name}: the two do not write the same bytes`);
  return [
    { name: `write ${name}`, us: usWriting, them: () => js.toXDR() },
    { name: `read ${name}`, us: usReading, them: () => jsType.fromXDR(buffer) },
  ];
}

/** Nanoseconds per call. */
function measure(run: () => unknown): number {
  const start = process.hrtime.bigint();
  for (let calls = 10; ; calls += 10) {
    for (let i = 0; i < 10; i++) run();
    const elapsed = Number(process.hrtime.bigint() - start);
    if (elapsed >= ROUND_NS) return elapsed / calls;
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

const small: ours.compound = { tag: "", minorversion: 1, operations: [sequence, putfh, getattr] };
const large: ours.compound = { tag: "", minorversion: 1, operations: [sequence, putfh, write, getattr] };
const all = [
  ...contests("SEQUENCE, PUTFH, GETATTR", ours.codec_compound, small, toJsCompound(small), JsCompound),
  ...contests("SEQUENCE, PUTFH, WRITE 8 KiB, GETATTR", ours.codec_compound, large, toJsCompound(large), JsCompound),
  ...contests(
    "attributes of 16 files",
    ours.codec_attributes_list,
    attributes,
    toJsAttributesList(attributes),
    JsAttributesList,
  ),
  ...contests("directory of 64 entries", ours.codec_listing, listing, toJsListing(listing), JsListing),
];

console.log(`Node ${process.version}, ns per message (best round) and ratio (median of ${ROUNDS} rounds)\n`);
console.log(`${"".padEnd(44)}${"ours".padStart(8)}${"js-xdr".padStart(10)}${"ratio".padStart(8)}`);
const ratios: number[] = [];
for (const { name, us, them } of all) {
  const rounds = Array.from({ length: ROUNDS }, () => ({ us: measure(us), them: measure(them) }));
  const ratio = median(rounds.map((round) => round.them / round.us));
  ratios.push(ratio);
  const best = (who: "us" | "them"): string => Math.min(...rounds.map((round) => round[who])).toFixed(0);
  console.log(
    `${name.padEnd(44)}${best("us").padStart(8)}${best("them").padStart(10)}${`${ratio.toFixed(1)}×`.padStart(8)}`,
  );
}
const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
console.log(`${"geometric mean".padEnd(62)}${`${mean.toFixed(1)}×`.padStart(8)}`);

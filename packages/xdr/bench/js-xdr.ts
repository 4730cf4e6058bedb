/** The messages of compound.x for js-xdr, which takes no .x files. */
import { createRequire } from "node:module";
import type { attributes_list, compound, listing, operation } from "./generated/compound.ts";

/** As far as it is used here; js-xdr has no types of its own. */
interface JsXdrType {
  new (...args: unknown[]): JsXdrValue;
  fromXDR(bytes: Uint8Array): JsXdrValue;
}
interface JsXdrValue {
  toXDR(): Uint8Array;
}
type Definitions = Record<string, (...args: unknown[]) => unknown>;

const jsXdr = createRequire(import.meta.url)("js-xdr") as {
  config(
    define: (xdr: Definitions) => void,
  ): Record<string, JsXdrType & Record<string, (...args: unknown[]) => unknown>>;
};

const types = jsXdr.config((xdr) => {
  const x = new Proxy(xdr, { get: (target, name: string) => target[name]!.bind(target) }) as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const {
    uint,
    bool,
    uhyper,
    hyper: hyperType,
    opaque,
    varOpaque,
    string,
    varArray,
    lookup,
  } = x as Record<string, (...args: unknown[]) => unknown>;
  const unlimited = 0xffff_ffff;
  x["enum"]!("Opcode", { opGetattr: 9, opPutfh: 22, opReaddir: 26, opWrite: 38, opSequence: 53 });
  x["struct"]!("Stateid", [
    ["seqid", uint!()],
    ["other", opaque!(12)],
  ]);
  x["struct"]!("SequenceArgs", [
    ["sessionid", opaque!(16)],
    ["sequenceid", uint!()],
    ["slotid", uint!()],
    ["highestSlotid", uint!()],
    ["cachethis", bool!()],
  ]);
  x["struct"]!("WriteArgs", [
    ["stateid", lookup!("Stateid")],
    ["offset", uhyper!()],
    ["stable", uint!()],
    ["data", varOpaque!(unlimited)],
  ]);
  x["union"]!("Operation", {
    switchOn: lookup!("Opcode"),
    switchName: "op",
    switches: [
      ["opSequence", "sequence"],
      ["opPutfh", "object"],
      ["opGetattr", "attributes"],
      ["opWrite", "writing"],
    ],
    arms: {
      sequence: lookup!("SequenceArgs"),
      object: varOpaque!(128),
      attributes: varArray!(uint!(), unlimited),
      // An arm called "write" would hide js-xdr's own method.
      writing: lookup!("WriteArgs"),
    },
  });
  x["struct"]!("Compound", [
    ["tag", string!(unlimited)],
    ["minorversion", uint!()],
    ["operations", varArray!(lookup!("Operation"), unlimited)],
  ]);
  x["struct"]!("Entry", [
    ["cookie", uhyper!()],
    ["name", varOpaque!(255)],
    ["mask", varArray!(uint!(), unlimited)],
    ["attributes", varOpaque!(unlimited)],
  ]);
  x["struct"]!("Listing", [
    ["verifier", opaque!(8)],
    ["entries", varArray!(lookup!("Entry"), unlimited)],
    ["eof", bool!()],
  ]);
  x["struct"]!("Time", [
    ["seconds", hyperType!()],
    ["nseconds", uint!()],
  ]);
  x["struct"]!("Attributes", [
    ["kind", lookup!("Opcode")],
    ["change", uhyper!()],
    ["size", uhyper!()],
    ["fileid", uhyper!()],
    ["mode", uint!()],
    ["numlinks", uint!()],
    ["owner", uint!()],
    ["ownerGroup", uint!()],
    ["major", uint!()],
    ["minor", uint!()],
    ["spaceUsed", uhyper!()],
    ["accessed", lookup!("Time")],
    ["metadata", lookup!("Time")],
    ["modified", lookup!("Time")],
    ["mountedHere", bool!()],
  ]);
  x["struct"]!("AttributesList", [["files", varArray!(lookup!("Attributes"), unlimited)]]);
});

export const JsCompound: JsXdrType = types["Compound"]!;
export const JsListing: JsXdrType = types["Listing"]!;
export const JsAttributesList: JsXdrType = types["AttributesList"]!;

/** The same value in js-xdr's classes. */
export function toJsCompound(value: compound): JsXdrValue {
  const { Compound, Operation } = types;
  const operations = value.operations.map((operation) => {
    const [arm, argument] = jsArm(operation);
    return Operation![arm]!(argument);
  });
  return new Compound!({ tag: value.tag, minorversion: value.minorversion, operations });
}

function jsArm(operation: operation): [name: string, argument: unknown] {
  const { SequenceArgs, WriteArgs, Stateid } = types;
  switch (operation.op) {
    case 53: {
      const { highest_slotid: highestSlotid, ...rest } = operation.sequence;
      return ["opSequence", new SequenceArgs!({ ...rest, sessionid: Buffer.from(rest.sessionid), highestSlotid })];
    }
    case 22:
      return ["opPutfh", Buffer.from(operation.object)];
    case 9:
      return ["opGetattr", operation.attributes];
    case 38: {
      const { stateid_, offset, stable, data } = operation.write;
      const stateid = new Stateid!({ seqid: stateid_.seqid, other: Buffer.from(stateid_.other) });
      return ["opWrite", new WriteArgs!({ stateid, offset: hyper(BigInt(offset)), stable, data: Buffer.from(data) })];
    }
    default:
      throw new Error("the benchmark has no such operation");
  }
}

export function toJsListing(value: listing): JsXdrValue {
  const { Listing, Entry } = types;
  const entries = value.entries.map(({ cookie, name, mask, attributes }) => {
    const cookieValue = hyper((BigInt(cookie.hi) << 32n) | BigInt(cookie.lo));
    return new Entry!({ cookie: cookieValue, name: Buffer.from(name), mask, attributes: Buffer.from(attributes) });
  });
  return new Listing!({ verifier: Buffer.from(value.verifier), entries, eof: value.eof });
}

export function toJsAttributesList({ files }: attributes_list): JsXdrValue {
  const { AttributesList, Attributes, Time, Opcode } = types;
  const time = ({ seconds, nseconds }: { seconds: number; nseconds: number }): JsXdrValue =>
    new Time!({ seconds: signedHyper(BigInt(seconds)), nseconds });
  const list = files.map((file) => {
    const { owner_group: ownerGroup, mounted_here: mountedHere, ...rest } = file;
    return new Attributes!({
      ...rest,
      ownerGroup,
      mountedHere,
      kind: Opcode!["opGetattr"]!(),
      change: hyper((BigInt(file.change.hi) << 32n) | BigInt(file.change.lo)),
      size: hyper(BigInt(file.size)),
      fileid: hyper((BigInt(file.fileid.hi) << 32n) | BigInt(file.fileid.lo)),
      spaceUsed: hyper(BigInt(file.space_used)),
      accessed: time(file.accessed),
      metadata: time(file.metadata),
      modified: time(file.modified),
    });
  });
  return new AttributesList!({ files: list });
}

type Integer = new (value: bigint) => unknown;
const { UnsignedHyper, Hyper } = createRequire(import.meta.url)("js-xdr") as { UnsignedHyper: Integer; Hyper: Integer };

function hyper(value: bigint): unknown {
  return new UnsignedHyper(value);
}

function signedHyper(value: bigint): unknown {
  return new Hyper(value);
}

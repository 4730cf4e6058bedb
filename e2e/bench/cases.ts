/** What the load generator does, and how it knows that it was done. */
import {
  ACCESS4_READ,
  type Bitmap,
  bitmapOf,
  CLAIM_NULL,
  decode_GETFH4resok,
  decode_OPEN4resok,
  FATTR4_CHANGE,
  FATTR4_FILEHANDLE,
  FATTR4_FILEID,
  FATTR4_FSID,
  FATTR4_MODE,
  FATTR4_MOUNTED_ON_FILEID,
  FATTR4_NUMLINKS,
  FATTR4_OWNER,
  FATTR4_OWNER_GROUP,
  FATTR4_RDATTR_ERROR,
  FATTR4_SIZE,
  FATTR4_SPACE_USED,
  FATTR4_TIME_ACCESS,
  FATTR4_TIME_METADATA,
  FATTR4_TIME_MODIFY,
  FATTR4_TYPE,
  OPEN4_NOCREATE,
  OPEN4_SHARE_ACCESS_BOTH,
  OPEN4_SHARE_ACCESS_READ,
  OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
  OPEN4_SHARE_DENY_NONE,
  type stateid4,
  UNSTABLE4,
} from "@nfs4/protocol";
import { UINT64_ZERO, type XdrReader } from "@xdr-ts/xdr";
import { BLOCK_BYTES, ENTRIES, FILE_BYTES, firstWordOfSink, MANY, nameOfEntry, SINK, SOURCE } from "./files.ts";
import { expectResult, type NfsSession, type Operations, type Slot } from "./session.ts";

export interface Site {
  readonly session: NfsSession;
  /** Names from the root to the served directory. */
  readonly path: readonly string[];
  /** The same directory on this machine. */
  readonly directory: string;
}

/** A case on one server, ready to run. */
export interface Work {
  /** What a slot does again and again. Rejects if anything of the answer is not as it must be. */
  once(slot: Slot): Promise<void>;
  /** After each run. Throws if what was to be changed is not. */
  check?(): void;
  finish?(): Promise<void>;
}

export interface Case {
  /** With the depth. */
  readonly name: string;
  /** Calls under way at once. */
  readonly depth: number;
  /** What one time counts for in the rate. */
  readonly amount: number;
  readonly unit: "calls" | "bytes" | "entries";
  prepare(site: Site): Promise<Work>;
}

/** What Linux asks for when somebody looks at a file. */
const STAT = [
  ...[FATTR4_TYPE, FATTR4_CHANGE, FATTR4_SIZE, FATTR4_FSID, FATTR4_FILEID, FATTR4_MODE, FATTR4_NUMLINKS, FATTR4_OWNER],
  ...[FATTR4_OWNER_GROUP, FATTR4_SPACE_USED, FATTR4_TIME_ACCESS, FATTR4_TIME_METADATA, FATTR4_TIME_MODIFY],
  FATTR4_MOUNTED_ON_FILEID,
] as const;
const STAT_MASK = bitmapOf(...STAT);
/** And when it lists a directory. */
const LIST_MASK = bitmapOf(...STAT, FATTR4_RDATTR_ERROR, FATTR4_FILEHANDLE);
/** Servers leave RDATTR_ERROR out or write it; all else must be there. */
const LIST_MUST = bitmapOf(...STAT, FATTR4_FILEHANDLE);
const PIECE_BYTES = 1 << 20;
const LIST_BYTES = 1 << 18;
const NO_VERIFIER = new Uint8Array(8);

export const CASES: readonly Case[] = [
  ...[1, 32].map((depth) => calls("NULL", depth, nothing)),
  ...[1, 16].map((depth) => calls("GETATTR", depth, attributes)),
  ...[1, 16].map((depth) => calls("OPEN+CLOSE", depth, openAndClose)),
  { name: `READDIR, ${ENTRIES} entries`, depth: 1, amount: ENTRIES, unit: "entries", prepare: listing },
  calls("READ 4 KiB", 32, (site) => reading(site, BLOCK_BYTES)),
  bulk("READ 1 MiB", 8, (site) => reading(site, PIECE_BYTES)),
  calls("WRITE 4 KiB", 32, (site) => writing(site, BLOCK_BYTES)),
  bulk("WRITE 1 MiB", 8, (site) => writing(site, PIECE_BYTES)),
];

export const MOST_SLOTS: number = Math.max(...CASES.map(({ depth }) => depth));

function calls(name: string, depth: number, prepare: Case["prepare"]): Case {
  return { name: `${name}, depth ${depth}`, depth, amount: 1, unit: "calls", prepare };
}

function bulk(name: string, depth: number, prepare: Case["prepare"]): Case {
  return { name: `${name}, depth ${depth}`, depth, amount: PIECE_BYTES, unit: "bytes", prepare };
}

async function nothing({ session }: Site): Promise<Work> {
  return { once: () => session.null() };
}

async function attributes(site: Site): Promise<Work> {
  const object = await handleOf(site, MANY, nameOfEntry(0));
  const ask = (operations: Operations): void => {
    operations.add("PUTFH", { object }).add("GETATTR", { attr_request: [...STAT_MASK] });
  };
  const answer = (reader: XdrReader): void => {
    expectResult(reader, "PUTFH");
    expectResult(reader, "GETATTR");
    expectAttributes(reader, STAT_MASK);
  };
  return { once: (slot) => slot.call(ask, answer) };
}

async function openAndClose(site: Site): Promise<Work> {
  const directory = await handleOf(site, MANY);
  const next = site.session.slots.map(({ index }) => index);
  return {
    async once(slot) {
      // Each slot has files of its own.
      const entry = next[slot.index]!;
      next[slot.index] = (entry + site.session.slots.length) % ENTRIES;
      const { object, stateid } = await open(slot, directory, nameOfEntry(entry), OPEN4_SHARE_ACCESS_READ);
      await close(slot, object, stateid);
    },
  };
}

async function listing(site: Site): Promise<Work> {
  const object = await handleOf(site, MANY);
  return {
    async once(slot) {
      let cookie = 0n;
      let cookieverf: Uint8Array = NO_VERIFIER;
      let count = 0;
      let complete = false;
      while (!complete) {
        await slot.call(
          (operations) =>
            operations.add("PUTFH", { object }).add("READDIR", {
              cookie,
              cookieverf,
              dircount: LIST_BYTES,
              maxcount: LIST_BYTES,
              attr_request: [...LIST_MASK],
            }),
          (reader) => {
            expectResult(reader, "PUTFH");
            expectResult(reader, "READDIR");
            cookieverf = reader.opaqueFixed(8).slice();
            while (reader.bool()) {
              cookie = reader.uint64();
              reader.opaque();
              expectAttributes(reader, LIST_MUST);
              count++;
            }
            complete = reader.bool();
          },
        );
      }
      if (count !== ENTRIES) throw new Error(`READDIR gave ${count} entries`);
    },
  };
}

/** Blocks in any order, large pieces one after the other. */
function offsets(length: number): () => number {
  const pieces = FILE_BYTES / length;
  let last = 0;
  return length === BLOCK_BYTES
    ? () => Math.floor(Math.random() * pieces) * length
    : () => {
        last = (last + 1) % pieces;
        return last * length;
      };
}

async function reading(site: Site, count: number): Promise<Work> {
  const file = await openAlone(site, SOURCE);
  const nextOffset = offsets(count);
  return {
    once: (slot) => {
      const offset = nextOffset();
      return slot.call(
        (operations) => operations.add("PUTFH", file).add("READ", { stateid: file.stateid, offset, count }),
        (reader) => {
          expectResult(reader, "PUTFH");
          expectResult(reader, "READ");
          // Whether it is the end of the file.
          reader.bool();
          const data = reader.opaque();
          if (data.length !== count) throw new Error(`READ gave ${data.length} bytes of ${count}`);
          for (const at of [0, count - BLOCK_BYTES]) {
            const found = wordAt(data, at);
            if (found !== (offset + at) / BLOCK_BYTES) throw new Error(`READ at ${offset + at} gave block ${found}`);
          }
        },
      );
    },
    finish: () => file.close(),
  };
}

let stamps = 0;

async function writing(site: Site, length: number): Promise<Work> {
  const file = await openAlone(site, SINK);
  const nextOffset = offsets(length);
  // Nobody else has written this into the file.
  const stamp = ++stamps;
  const data = new Uint8Array(length).fill(0xa5);
  new DataView(data.buffer).setUint32(0, stamp);
  const written = new Set<number>();
  return {
    once: async (slot) => {
      const offset = nextOffset();
      await slot.call(
        (operations) =>
          operations.add("PUTFH", file).add("WRITE", { stateid: file.stateid, offset, stable: UNSTABLE4, data }),
        (reader) => {
          expectResult(reader, "PUTFH");
          expectResult(reader, "WRITE");
          const count = reader.uint32();
          if (count !== length) throw new Error(`WRITE took ${count} bytes of ${length}`);
        },
      );
      written.add(offset / BLOCK_BYTES);
    },
    check() {
      for (const block of [...written].slice(-256)) {
        if (firstWordOfSink(site.directory, block) !== stamp) throw new Error(`block ${block} is not what was written`);
      }
      written.clear();
    },
    finish: () => file.close(),
  };
}

interface OpenFile {
  readonly object: Uint8Array;
  readonly stateid: stateid4;
}

async function openAlone(site: Site, name: string): Promise<OpenFile & { close(): Promise<void> }> {
  const slot = site.session.slots[0]!;
  const directory = await handleOf(site);
  const { object, stateid } = await open(slot, directory, name, OPEN4_SHARE_ACCESS_BOTH);
  return { object, stateid, close: () => close(slot, object, stateid) };
}

/** As Linux does it: the file's handle, what the user may do and its attributes come along. */
function open(slot: Slot, directory: Uint8Array, name: string, access: number): Promise<OpenFile> {
  return slot.call(
    (operations) =>
      operations
        .add("PUTFH", { object: directory })
        .add("OPEN", {
          seqid: 0,
          share_access: access | OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
          share_deny: OPEN4_SHARE_DENY_NONE,
          owner: { clientid: UINT64_ZERO, owner: Uint8Array.of(slot.index) },
          openhow: { opentype: OPEN4_NOCREATE },
          claim: { claim: CLAIM_NULL, file: new TextEncoder().encode(name) },
        })
        .add("GETFH", undefined)
        .add("ACCESS", { access: ACCESS4_READ })
        .add("GETATTR", { attr_request: [...STAT_MASK] }),
    (reader) => {
      expectResult(reader, "PUTFH");
      expectResult(reader, "OPEN");
      const { seqid, other } = decode_OPEN4resok(reader).stateid;
      expectResult(reader, "GETFH");
      const object = decode_GETFH4resok(reader).object.slice();
      expectResult(reader, "ACCESS");
      reader.skip(8);
      expectResult(reader, "GETATTR");
      expectAttributes(reader, STAT_MASK);
      return { object, stateid: { seqid, other: other.slice() } };
    },
    { cache: true },
  );
}

function close(slot: Slot, object: Uint8Array, stateid: stateid4): Promise<void> {
  return slot.call(
    (operations) => operations.add("PUTFH", { object }).add("CLOSE", { seqid: 0, open_stateid: stateid }),
    (reader) => {
      expectResult(reader, "PUTFH");
      expectResult(reader, "CLOSE");
    },
    { cache: true },
  );
}

/** The handle of something under the served directory. */
function handleOf({ session, path }: Site, ...names: string[]): Promise<Uint8Array> {
  const all = [...path, ...names];
  return session.slots[0]!.call(
    (operations) => {
      operations.add("PUTROOTFH", undefined);
      for (const name of all) operations.add("LOOKUP", { objname: new TextEncoder().encode(name) });
      operations.add("GETFH", undefined);
    },
    (reader) => {
      expectResult(reader, "PUTROOTFH");
      for (const _ of all) expectResult(reader, "LOOKUP");
      expectResult(reader, "GETFH");
      return decode_GETFH4resok(reader).object.slice();
    },
  );
}

/** Skips a fattr4 that has all of `mask`. */
function expectAttributes(reader: XdrReader, mask: Bitmap): void {
  const words = reader.arrayLength(8, 4);
  for (let i = 0; i < words; i++) {
    const wanted = mask[i] ?? 0;
    if ((reader.uint32() & wanted) >>> 0 !== wanted) throw new Error("attributes are missing");
  }
  if (words < mask.length) throw new Error("attributes are missing");
  reader.opaque();
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** READDIR: names by getdents64(2), each with its node and its attributes. */
import { DirentReader } from "@nfs4/native";
import { decodeName } from "@nfs4/protocol";
import { whenReady } from "../chain.ts";
import { isErrno } from "../errno.ts";
import type { Awaitable, DirectoryEntry, DirectoryPage, Result } from "../types.ts";
import { ATTRIBUTES_MASK, word64 } from "./attributes.ts";
import { errnoOf } from "./errors.ts";
import type { LocalNode } from "./local-node.ts";
import type { Found, Place } from "./node-keys.ts";
import type { Volume } from "./volume.ts";

const MAX_BUFFER = 64 * 1024;
/** A name of 8 bytes takes 32. */
const ENTRY_BYTES = 48;
/** Room for the longest entry. */
const MIN_BUFFER = 1024;
const DOT = 46;

/**
 * A cookie is the kernel's own offset (d_off). NFS has 0 to 2 for itself, so these are moved to the top, next to the 2^63 − 1 with which file systems end
 * a directory; no hash or position of one falls there.
 */
const RESERVED = 3n;
const MOVED = 0x7fff_ffff_ffff_fffcn;

export function cookieOf(offset: bigint): bigint {
  return offset < RESERVED ? offset + MOVED : offset;
}

export function offsetOf(cookie: bigint): bigint {
  return cookie >= MOVED && cookie < MOVED + RESERVED ? cookie - MOVED : cookie;
}

interface Name {
  readonly bytes: Uint8Array;
  readonly cookie: bigint;
}

/**
 * @param place With a descriptor that can be read.
 * @param describe Whether nodes and attributes may be given: the caller may search the directory.
 */
export function readPage(
  volume: Volume,
  place: Place,
  cookie: bigint,
  limit: number,
  describe: boolean,
): Awaitable<Result<DirectoryPage<LocalNode>>> {
  return whenReady(
    readNames(volume, place.fd, offsetOf(cookie), limit),
    (names): Awaitable<Result<DirectoryPage<LocalNode>>> => {
      if (isErrno(names)) return names;
      const end = names.length <= limit;
      if (!end) names.length = limit;
      const entries: DirectoryEntry<LocalNode>[] = [];
      const described = names.map(({ bytes, cookie: at }) => {
        const name = decodeName(bytes);
        if (!describe) return { name, cookie: at };
        return entryOf(volume, place, name, bytes, at);
      });
      const finish = (all: readonly (DirectoryEntry<LocalNode> | null)[]): DirectoryPage<LocalNode> => {
        for (const entry of all) if (entry) entries.push(entry);
        return { entries, end };
      };
      return described.some((one) => one instanceof Promise)
        ? Promise.all(described).then(finish)
        : finish(described as (DirectoryEntry<LocalNode> | null)[]);
    },
  );
}

/** The names behind an offset: one more than `limit` if there are so many. */
function readNames(volume: Volume, fd: number, offset: bigint, limit: number): Awaitable<Result<Name[]>> {
  const buffer = new Uint8Array(Math.min(MAX_BUFFER, Math.max(MIN_BUFFER, (limit + 3) * ENTRY_BYTES)));
  const names: Name[] = [];
  const go = (high: number, low: number): Awaitable<Result<Name[]>> =>
    whenReady(volume.metadata.getdents(fd, high, low, buffer), (length): Awaitable<Result<Name[]>> => {
      if (length < 0) return errnoOf(length);
      if (length === 0) return names;
      const reader = new DirentReader(buffer, length);
      while (names.length <= limit && reader.next()) {
        if (isDots(buffer, reader.nameStart, reader.nameEnd)) continue;
        names.push({ bytes: reader.name().slice(), cookie: cookieOf(word64(reader.cookieHigh, reader.cookieLow)) });
      }
      return names.length > limit ? names : go(reader.cookieHigh, reader.cookieLow);
    });
  return go(Number(offset >> 32n), Number(offset & 0xffff_ffffn));
}

function isDots(buffer: Uint8Array, start: number, end: number): boolean {
  return buffer[start] === DOT && (end - start === 1 || (end - start === 2 && buffer[start + 1] === DOT));
}

/** Null for an entry that has gone meanwhile, or that another mount hides. */
function entryOf(
  volume: Volume,
  place: Place,
  name: string,
  bytes: Uint8Array,
  cookie: bigint,
): Awaitable<DirectoryEntry<LocalNode> | null> {
  return whenReady(
    volume.keys.ofEntry(place, { text: name, name: bytes }, null),
    (found): Awaitable<DirectoryEntry<LocalNode> | null> => {
      if (found === "ENOENT") return null;
      if (isErrno(found)) return { name, cookie };
      return describe(volume, place, name, bytes, cookie, found);
    },
  );
}

function describe(
  volume: Volume,
  place: Place,
  name: string,
  bytes: Uint8Array,
  cookie: bigint,
  found: Found,
): Awaitable<DirectoryEntry<LocalNode>> {
  const node = volume.nodes.node(found);
  // A descriptor is surely of the node; by name it could be another's by now.
  const statx =
    node.fd >= 0
      ? volume.metadata.statx(node.fd, null, 0, ATTRIBUTES_MASK)
      : volume.metadata.statx(place.fd, bytes, 0, ATTRIBUTES_MASK);
  return whenReady(statx, (its) =>
    typeof its === "number" || its.nlink === 0
      ? { name, cookie, node }
      : { name, cookie, node, attributes: volume.attributes(node, its) },
  );
}

/**
 * Stateids (RFC 8881 §8.2, RFC 7530 §9.1.4): how state is named on the wire, and the table that finds it again.
 *
 * The twelve bytes of `other` are boot epoch (4), head (1), generation (3) and index (4), big-endian, so that a data server or another head can
 * judge one, and finding state is one array access.
 */
import { NFS4ERR_BAD_STATEID, NFS4ERR_STALE_STATEID, type stateid4 } from "@nfs4/protocol";

export const OTHER_SIZE = 12;

/** What everything that a stateid names has in common. */
export interface StateEntry {
  readonly kind: "open" | "lock" | "delegation";
  /** Grows with each change of the state; wraps past 2^32 − 1 to 1, never 0 (RFC 8881 §8.2.2). */
  seqid: number;
  /** The twelve bytes; set by the table. */
  other: Uint8Array;
  /** True once revoked: kept until FREE_STATEID tells the client's assent (RFC 8881 §8.4.2.3). */
  revoked: boolean;
}

export function nextSeqid(seqid: number): number {
  return seqid === 0xffff_ffff ? 1 : seqid + 1;
}

export type SpecialStateid = "anonymous" | "read-bypass" | "current" | "invalid";

/** Which special stateid this is (RFC 8881 §8.2.3), or null if it names state. */
export function specialStateid(stateid: stateid4): SpecialStateid | null {
  const first = stateid.other[0];
  if (first !== 0 && first !== 0xff) return null;
  for (let i = 1; i < OTHER_SIZE; i++) if (stateid.other[i] !== first) return null;
  if (first === 0xff) return stateid.seqid === 0xffff_ffff ? "read-bypass" : null;
  switch (stateid.seqid) {
    case 0:
      return "anonymous";
    case 1:
      return "current";
    case 0xffff_ffff:
      return "invalid";
    default:
      return null;
  }
}

export class StateTable<Entry extends StateEntry> {
  readonly #epoch: number;
  readonly #head: number;
  readonly #entries: (Entry | null)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  #size = 0;

  /** `epoch`: grows with each boot of the server. `head`: which of several servers on one state directory, 0 … 255. */
  constructor(epoch: number, head = 0) {
    this.#epoch = epoch >>> 0;
    this.#head = head & 0xff;
  }

  get size(): number {
    return this.#size;
  }

  /** Gives the entry its `other`. */
  add(entry: Entry): void {
    const index = this.#free.pop() ?? this.#entries.length;
    const generation = ((this.#generations[index] ?? 0) + 1) & 0xff_ffff;
    this.#entries[index] = entry;
    this.#generations[index] = generation;
    this.#size++;
    const other = new Uint8Array(OTHER_SIZE);
    const view = new DataView(other.buffer);
    view.setUint32(0, this.#epoch);
    view.setUint32(4, ((this.#head << 24) | generation) >>> 0);
    view.setUint32(8, index);
    entry.other = other;
  }

  /** The entry that `other` names, or the status that tells why there is none. */
  find(other: Uint8Array): Entry | typeof NFS4ERR_BAD_STATEID | typeof NFS4ERR_STALE_STATEID {
    const epoch = word(other, 0);
    if (epoch !== this.#epoch) {
      // An epoch of the past was given by an earlier boot; one of the future is made up.
      return ((this.#epoch - epoch) | 0) > 0 ? NFS4ERR_STALE_STATEID : NFS4ERR_BAD_STATEID;
    }
    const headAndGeneration = word(other, 4);
    const index = word(other, 8);
    const entry = this.#entries[index];
    if (
      !entry ||
      headAndGeneration >>> 24 !== this.#head ||
      (headAndGeneration & 0xff_ffff) !== this.#generations[index]
    ) {
      return NFS4ERR_BAD_STATEID;
    }
    return entry;
  }

  /** Forgets an entry. Its name is not used again for 2^24 generations. */
  remove(entry: Entry): void {
    const index = word(entry.other, 8);
    if (this.#entries[index] !== entry) return;
    this.#entries[index] = null;
    this.#free.push(index);
    this.#size--;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
}

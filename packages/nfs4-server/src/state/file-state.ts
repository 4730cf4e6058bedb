/**
 * The state that clients hold on one file: opens with their share reservations, and byte-range locks (RFC 8881 §8, §9).
 */
import type { NodeReference } from "../filehandle/node-reference.ts";
import type { ByteRangeLocks } from "./byte-range-locks.ts";
import type { OpenFiles } from "./open-files.ts";
import type { LockOwner, OpenOwner } from "./owners.ts";
import type { ShareBits, ShareReservations } from "./share-reservations.ts";
import type { StateEntry } from "./stateid.ts";

/** All that is held on one file. Lives as long as anybody holds anything on it. */
export interface FileState {
  /** Identifies the file in the whole server. */
  readonly key: string;
  readonly node: NodeReference;
  readonly shares: ShareReservations;
  readonly locks: ByteRangeLocks<LockOwner>;
  readonly opens: Set<OpenState>;
}

export interface OpenState extends StateEntry {
  readonly kind: "open";
  readonly owner: OpenOwner;
  readonly file: FileState;
  access: ShareBits;
  deny: ShareBits;
  /** Bit n: an OPEN with access (n >> 2) & 3 and deny n & 3 is part of this state, so OPEN_DOWNGRADE may go back to it (RFC 8881 §18.18.3). */
  combinations: number;
  /** What the file system opened for it. */
  readonly files: OpenFiles;
  /** Lock stateids that stand on it. */
  readonly locks: Set<LockState>;
}

export interface LockState extends StateEntry {
  readonly kind: "lock";
  readonly owner: LockOwner;
  readonly open: OpenState;
  readonly file: FileState;
}

export type FileStateEntry = OpenState | LockState;

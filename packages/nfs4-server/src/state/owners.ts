/**
 * Open-owners and lock-owners (RFC 8881 §8, RFC 7530 §9.1.3). In 4.0 an owner numbers its requests (`seqid`), and the reply to the last one is kept
 * so that a retry gets it again; in 4.1 the slot does that and the sequencing below is unused.
 */
import type { Client } from "./client.ts";
import type { FileState, LockState, OpenState } from "./file-state.ts";
import type { OwnerSequence } from "./owner-sequence.ts";

export interface OpenOwner {
  readonly client: Client;
  /** The owner's opaque name, as a latin-1 string. */
  readonly name: string;
  readonly opens: Map<FileState, OpenState>;
  /** 4.0: `other` of the stateid it closed last (latin-1), by which a retried CLOSE finds its owner. */
  lastClosed: string;
  /** 4.0 only. */
  readonly sequence: OwnerSequence | null;
}

export interface LockOwner {
  readonly client: Client;
  readonly name: string;
  readonly locks: Map<FileState, LockState>;
  /** 4.0 only. */
  readonly sequence: OwnerSequence | null;
}

/**
 * Opens and locks: made, changed and ended here, synchronously (DESIGN: "state is decided synchronously"). Operations ask, this decides, and nothing is
 * awaited in between. One method a transition; the rules of each kind of conflict live with its kind (share-reservations, byte-range-locks).
 */
import {
  NFS4_OK,
  NFS4ERR_BAD_STATEID,
  NFS4ERR_EXPIRED,
  NFS4ERR_INVAL,
  NFS4ERR_LOCKS_HELD,
  NFS4ERR_OLD_STATEID,
  NFS4ERR_SHARE_DENIED,
  NFS4ERR_STALE_STATEID,
  type nfsstat4,
  type stateid4,
} from "@nfs4/protocol";
import type { Clock } from "@nfs4/timecounter";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { latin1 } from "../latin1.ts";
import { ByteRangeLocks } from "./byte-range-locks.ts";
import type { Client } from "./client.ts";
import type { FileState, FileStateEntry, LockState, OpenState } from "./file-state.ts";
import { OpenFiles } from "./open-files.ts";
import { OwnerSequence } from "./owner-sequence.ts";
import type { LockOwner, OpenOwner } from "./owners.ts";
import { type ShareBits, ShareReservations } from "./share-reservations.ts";
import { nextSeqid, StateTable } from "./stateid.ts";

export class StateManager {
  readonly #table: StateTable<FileStateEntry>;
  readonly #files: Map<string, FileState> = new Map();
  /** 4.0: the last stateid that each owner closed. */
  readonly #closed: Map<string, OpenOwner> = new Map();
  /** 4.0: stateids that were lost with their client's lease, oldest first: NFS4ERR_EXPIRED rather than BAD_STATEID. */
  readonly #expired: Set<string> = new Set();
  /** Called when a lock went away and somebody who waits could have it now. */
  readonly #lockAvailable: (file: FileState, owner: LockOwner) => boolean;
  readonly #clock: Clock;

  /** `lockAvailable` answers whether the owner could be told. */
  constructor(epoch: number, clock: Clock, lockAvailable: (file: FileState, owner: LockOwner) => boolean) {
    this.#clock = clock;
    this.#table = new StateTable(epoch);
    this.#lockAvailable = lockAvailable;
  }

  get stateCount(): number {
    return this.#table.size;
  }

  get openFileCount(): number {
    return this.#files.size;
  }

  /** What is held on a node, if anything is. */
  file(key: string): FileState | undefined {
    return this.#files.get(key);
  }

  #fileFor(node: NodeReference): FileState {
    let file = this.#files.get(node.key);
    if (!file) {
      file = { key: node.key, node, shares: new ShareReservations(), locks: new ByteRangeLocks(), opens: new Set() };
      this.#files.set(node.key, file);
    }
    return file;
  }

  #forgetIfIdle(file: FileState): void {
    if (file.opens.size === 0) this.#files.delete(file.key);
  }

  openOwner(client: Client, name: string): OpenOwner {
    let owner = client.openOwners.get(name);
    if (!owner) {
      if (client.openOwners.size >= client.ownersKept) this.#forgetIdleOwners(client);
      owner = {
        client,
        name,
        opens: new Map(),
        lastClosed: "",
        sequence: is40(client) ? new OwnerSequence(false) : null,
      };
      client.openOwners.set(name, owner);
    }
    return owner;
  }

  lockOwner(client: Client, name: string): LockOwner {
    let owner = client.lockOwners.get(name);
    if (!owner) {
      if (client.lockOwners.size >= client.ownersKept) this.#forgetIdleOwners(client);
      owner = {
        client,
        name,
        locks: new Map(),
        sequence: is40(client) ? new OwnerSequence(true) : null,
      };
      client.lockOwners.set(name, owner);
    }
    return owner;
  }

  /**
   * Owners without state are kept for their sequence (4.0), or left by an OPEN that failed. A client that goes on inventing names must not fill
   * the memory with them: they are forgotten, which RFC 7530 §9.1.10 allows at any time. Done seldom enough to cost little.
   */
  #forgetIdleOwners(client: Client): void {
    for (const [name, owner] of client.openOwners) {
      if (owner.opens.size > 0 || owner.sequence?.busy) continue;
      client.openOwners.delete(name);
      this.#closed.delete(owner.lastClosed);
    }
    for (const [name, owner] of client.lockOwners) {
      if (owner.locks.size === 0 && !owner.sequence?.busy) client.lockOwners.delete(name);
    }
    client.ownersKept = Math.max(1024, 2 * Math.max(client.openOwners.size, client.lockOwners.size));
  }

  /** A 4.1 owner that came to nothing is not kept. */
  forgetIdle(owner: LockOwner): void {
    if (owner.locks.size === 0 && !owner.sequence) owner.client.lockOwners.delete(owner.name);
  }

  /** True if an OPEN would meet a share reservation. */
  shareConflict(node: NodeReference, access: ShareBits, deny: ShareBits): boolean {
    return this.#files.get(node.key)?.shares.conflicts(access, deny) ?? false;
  }

  /** Clients with opens on a node whose leases have run out: a conflict ends their courtesy. */
  expiredHolders(node: NodeReference): Client[] {
    const file = this.#files.get(node.key);
    if (!file) return [];
    const clients = new Set<Client>();
    for (const open of file.opens) {
      if (open.owner.client.expired) clients.add(open.owner.client);
    }
    return [...clients];
  }

  /** Opens, or adds to what the owner has open already. The caller has made sure that the file system's files cover `access`. */
  open(
    owner: OpenOwner,
    node: NodeReference,
    access: ShareBits,
    deny: ShareBits,
  ): OpenState | typeof NFS4ERR_SHARE_DENIED {
    if (this.shareConflict(node, access, deny)) return NFS4ERR_SHARE_DENIED;
    const file = this.#fileFor(node);
    // It may have been forgotten as idle while the file system was being asked.
    owner.client.openOwners.set(owner.name, owner);
    let state = owner.opens.get(file);
    if (state) {
      file.shares.remove(state.access, state.deny);
      state.access = (state.access | access) as ShareBits;
      state.deny = (state.deny | deny) as ShareBits;
      state.seqid = nextSeqid(state.seqid);
    } else {
      state = {
        kind: "open",
        seqid: 1,
        other: new Uint8Array(0),
        revoked: false,
        owner,
        file,
        access,
        deny,
        combinations: 0,
        files: new OpenFiles(),
        locks: new Set(),
      };
      this.#table.add(state);
      owner.opens.set(file, state);
      owner.client.states.add(state);
      file.opens.add(state);
    }
    state.combinations |= 1 << ((access << 2) | deny);
    file.shares.add(state.access, state.deny);
    return state;
  }

  /** OPEN_DOWNGRADE (RFC 8881 §18.18): only back to what is a union of earlier OPENs. */
  downgrade(state: OpenState, access: ShareBits, deny: ShareBits): nfsstat4 {
    if (access === 0 || (access & ~state.access) !== 0 || (deny & ~state.deny) !== 0) return NFS4ERR_INVAL;
    let reachableAccess = 0;
    let reachableDeny = 0;
    for (let combination = 4; combination < 16; combination++) {
      const itsAccess = combination >> 2;
      const itsDeny = combination & 3;
      if (!(state.combinations & (1 << combination)) || itsAccess & ~access || itsDeny & ~deny) continue;
      reachableAccess |= itsAccess;
      reachableDeny |= itsDeny;
    }
    if (reachableAccess !== access || reachableDeny !== deny) return NFS4ERR_INVAL;
    state.file.shares.remove(state.access, state.deny);
    state.file.shares.add(access, deny);
    state.access = access;
    state.deny = deny;
    for (let combination = 4; combination < 16; combination++) {
      if ((combination >> 2) & ~access || combination & 3 & ~deny) state.combinations &= ~(1 << combination);
    }
    state.files.reduce(access);
    state.seqid = nextSeqid(state.seqid);
    return NFS4_OK;
  }

  /** Ends an open without asking for its locks: it was never granted, or its client is gone. */
  discard(state: OpenState): void {
    this.#endOpen(state);
  }

  /**
   * The open-owner whose sequence an operation on this stateid belongs to. In 4.0 that includes the owner's last closed stateid, for a retried CLOSE.
   */
  ownerOfOpen(stateid: stateid4, client: Client | null): OpenOwner | nfsstat4 {
    const closedBy = client ? undefined : this.#closed.get(latin1(stateid.other));
    if (closedBy) return closedBy;
    const found = this.#locate(stateid, client);
    if (typeof found === "number") return found;
    return found.kind === "open" ? found.owner : NFS4ERR_BAD_STATEID;
  }

  ownerOfLock(stateid: stateid4, client: Client | null): LockOwner | nfsstat4 {
    const found = this.#locate(stateid, client);
    if (typeof found === "number") return found;
    return found.kind === "lock" ? found.owner : NFS4ERR_BAD_STATEID;
  }

  /** CLOSE: refused while byte-range locks are held; lock stateids without locks go with it (RFC 8881 §18.2.3). */
  close(state: OpenState): nfsstat4 {
    for (const lock of state.locks) if (state.file.locks.hasLocks(lock.owner)) return NFS4ERR_LOCKS_HELD;
    this.#endOpen(state);
    const { owner } = state;
    if (owner.sequence) {
      this.#closed.delete(owner.lastClosed);
      owner.lastClosed = latin1(state.other);
      this.#closed.set(owner.lastClosed, owner);
    }
    return NFS4_OK;
  }

  #endOpen(state: OpenState): void {
    for (const lock of [...state.locks]) this.endLock(lock);
    state.files.reduce(0);
    state.file.shares.remove(state.access, state.deny);
    state.file.opens.delete(state);
    state.owner.opens.delete(state.file);
    state.owner.client.states.delete(state);
    this.#table.remove(state);
    // A 4.0 owner's sequence must outlive its opens for retries; the client's end takes it along.
    if (state.owner.opens.size === 0 && !state.owner.sequence) state.owner.client.openOwners.delete(state.owner.name);
    this.#forgetIfIdle(state.file);
  }

  /** The lock state of an owner on an open file, made if it is the first lock there. */
  lockState(open: OpenState, owner: LockOwner): LockState {
    let state = owner.locks.get(open.file);
    if (!state) {
      owner.client.lockOwners.set(owner.name, owner);
      state = { kind: "lock", seqid: 0, other: new Uint8Array(0), revoked: false, owner, open, file: open.file };
      this.#table.add(state);
      owner.locks.set(open.file, state);
      owner.client.states.add(state);
      open.locks.add(state);
    }
    return state;
  }

  /** A lock state changed: its stateid moves on. */
  bump(state: FileStateEntry): void {
    state.seqid = nextSeqid(state.seqid);
  }

  /** Drops a lock state with all its locks: FREE_STATEID, RELEASE_LOCKOWNER, the end of its open. */
  endLock(state: LockState): void {
    state.file.locks.drop(state.owner);
    state.owner.locks.delete(state.file);
    state.owner.client.states.delete(state);
    state.open.locks.delete(state);
    this.#table.remove(state);
    this.forgetIdle(state.owner);
    this.tellWaiters(state.file);
  }

  /** Something was unlocked: whoever waited longest and can have it now is told. */
  tellWaiters(file: FileState): void {
    file.locks.offer(this.#clock.coarse(), (owner) => this.#lockAvailable(file, owner));
  }

  /** Everything of a client ends. `expired`: because of its lease, and should it come back, it is told so. */
  endAll(client: Client, expired: boolean): void {
    if (expired && client.identity.generation === "4.0") this.#rememberExpired(client);
    for (const state of [...client.states]) if (state.kind === "open") this.#endOpen(state);
    for (const state of [...client.states]) if (state.kind === "lock") this.endLock(state);
    for (const owner of client.openOwners.values()) this.#closed.delete(owner.lastClosed);
    client.openOwners.clear();
    client.lockOwners.clear();
  }

  #rememberExpired(client: Client): void {
    for (const { other } of client.states) this.#expired.add(latin1(other));
    for (const other of this.#expired) {
      if (this.#expired.size <= MAX_EXPIRED) return;
      this.#expired.delete(other);
    }
  }

  /** What a stateid names, whatever its seqid, if `client` owns it (4.1: of the session; 4.0: null, the stateid alone must do). */
  #locate(stateid: stateid4, client: Client | null): FileStateEntry | nfsstat4 {
    const found = this.#table.find(stateid.other);
    if (typeof found === "number") {
      if (client) return NFS4ERR_BAD_STATEID;
      if (found === NFS4ERR_STALE_STATEID) return isUniform(stateid.other) ? NFS4ERR_BAD_STATEID : found;
      return this.#expired.size > 0 && this.#expired.has(latin1(stateid.other)) ? NFS4ERR_EXPIRED : found;
    }
    const owner = found.owner.client;
    return client ? (owner === client ? found : NFS4ERR_BAD_STATEID) : is40(owner) ? found : NFS4ERR_BAD_STATEID;
  }

  /**
   * The state that a stateid names, if `client` (4.1: of the session; 4.0: null) owns it and its seqid is current. 4.1: seqid 0 means the latest (RFC
   * 8881 §8.2.2).
   */
  find(stateid: stateid4, client: Client | null): FileStateEntry | nfsstat4 {
    const found = this.#locate(stateid, client);
    if (typeof found === "number") return found;
    if (found.revoked) return NFS4ERR_EXPIRED;
    if (stateid.seqid !== found.seqid && !(stateid.seqid === 0 && client)) {
      return isOlder(stateid.seqid, found.seqid) ? NFS4ERR_OLD_STATEID : NFS4ERR_BAD_STATEID;
    }
    return found;
  }

  /** The stateid of a state as on the wire. `other` is shared: never written to. */
  stateid(state: FileStateEntry): stateid4 {
    return { seqid: state.seqid, other: state.other };
  }
}

const MAX_EXPIRED = 4096;

/** All zeros or all ones: such a stateid is a special one or nothing (RFC 7530 §9.1.4.3). */
function isUniform(other: Uint8Array): boolean {
  return other.every((byte) => byte === other[0] && (byte === 0 || byte === 0xff));
}

function is40(client: Client): boolean {
  return client.identity.generation === "4.0";
}

function isOlder(a: number, b: number): boolean {
  return ((b - a) | 0) > 0;
}

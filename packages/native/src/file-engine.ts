import { TextEncoder } from "node:util";
import { addon, type NativeFileEngine } from "./addon.ts";
import { errno } from "./errno.ts";
import type { FileSystemCalls, Identity, Long, Name } from "./file-system-calls.ts";

/** Turns a result (as two words) and the words behind it into what the caller gets. */
export type Decoder<T> = (low: number, high: number, words: Int32Array, at: number) => T;

export type Buffers = Uint8Array | readonly Uint8Array[] | undefined;

/** Carries a prepared call out: at once (the result is a `T`) or on a worker (a promise of one). */
export type Executor = <T>(operation: number, decode: Decoder<T>, buffers?: Buffers) => T | Promise<T>;

// Positions in `words`, as in fs-arguments.c.
const FD = 0;
const FD2 = 1;
const FLAGS = 2;
const MODE = 3;
const EXTRA = 4;
const EXTRA2 = 5;
const OFFSET = 6;
const OFFSET2 = 8;
const LENGTH = 10;
const NAME_LENGTH = 12;
const NAME2_LENGTH = 13;
const HAS_IDENTITY = 14;
const UID = 15;
const GID = 16;
const GROUP_COUNT = 17;
const GROUPS = 18;
const MAX_GROUPS = 1024;

/** PATH_MAX without its NUL: no name or text is longer. */
const MAX_NAME = 4095;
const RECORD_HEADER = 4;

/** The numbers of the addon's operations, by name. */
export type Operations = { readonly [Name in keyof FileSystemCalls]: number };

interface Pending {
  resolve: (value: never) => void;
  decode: Decoder<unknown>;
  /** Kept so that the memory stays while a worker uses it. */
  buffers: Buffers;
}

/**
 * The way to the addon's file system calls: a call is prepared by writing its arguments into shared words (`begin`, then the setters), and then
 * carried out by `perform` or `submit`, within the same turn.
 */
export class FileEngine {
  readonly operations: Operations;
  readonly #native: NativeFileEngine;
  readonly #words: Int32Array = new Int32Array(GROUPS + MAX_GROUPS);
  readonly #names: Uint8Array = new Uint8Array(2 * (MAX_NAME + 1));
  readonly #records: Int32Array = new Int32Array(1 << 13);
  readonly #syncRecord: Int32Array = new Int32Array(64);
  readonly #encoder: TextEncoder = new TextEncoder();
  #nameEnd = 0;
  #nameTooLong = false;
  readonly #pending: (Pending | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #inFlight = 0;
  #closing = false;
  #drained: (() => void) | undefined;

  constructor(workers: number, syncWorkers: number) {
    const { FileEngine: Native, fileOperations } = addon();
    this.operations = Object.fromEntries(fileOperations().map((name, number) => [name, number])) as Operations;
    const done = (count: number): void => this.#settle(count);
    this.#native = new Native(workers, syncWorkers, done, this.#words, this.#names, this.#records, this.#syncRecord);
  }

  /** How many calls are with the workers. */
  get inFlight(): number {
    return this.#inFlight;
  }

  begin(fd: number, identity: Identity | null | undefined): this {
    const w = this.#words;
    w[FD] = fd;
    w[NAME_LENGTH] = -1;
    w[NAME2_LENGTH] = -1;
    this.#nameEnd = 0;
    this.#nameTooLong = false;
    if (identity === null || identity === undefined) w[HAS_IDENTITY] = 0;
    else this.#writeIdentity(identity);
    return this;
  }

  #writeIdentity(identity: Identity): void {
    const w = this.#words;
    const { groups } = identity;
    if (groups.length > MAX_GROUPS) throw new RangeError(`an identity has at most ${MAX_GROUPS} groups`);
    w[HAS_IDENTITY] = 1;
    w[UID] = identity.uid;
    w[GID] = identity.gid;
    w[GROUP_COUNT] = groups.length;
    for (let i = 0; i < groups.length; i++) w[GROUPS + i] = groups[i]!;
  }

  fd2(fd: number): this {
    this.#words[FD2] = fd;
    return this;
  }

  flags(flags: number): this {
    this.#words[FLAGS] = flags;
    return this;
  }

  mode(mode: number): this {
    this.#words[MODE] = mode;
    return this;
  }

  extra(first: number, second: number): this {
    this.#words[EXTRA] = first;
    this.#words[EXTRA2] = second;
    return this;
  }

  offset(offset: Long): this {
    this.#write64(OFFSET, offset);
    return this;
  }

  offsetPair(high: number, low: number): this {
    this.#words[OFFSET] = low;
    this.#words[OFFSET + 1] = high;
    return this;
  }

  offset2(offset: Long): this {
    this.#write64(OFFSET2, offset);
    return this;
  }

  length(length: Long): this {
    this.#write64(LENGTH, length);
    return this;
  }

  #write64(at: number, value: Long): void {
    const w = this.#words;
    if (typeof value === "bigint") {
      w[at] = Number(BigInt.asIntN(32, value));
      w[at + 1] = Number(BigInt.asIntN(32, value >> 32n));
      return;
    }
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not an exact integer: pass a bigint`);
    w[at] = value;
    w[at + 1] = Math.floor(value / 0x1_0000_0000);
  }

  name(name: Name | null): this {
    if (name !== null) this.#words[NAME_LENGTH] = this.#writeName(name);
    return this;
  }

  name2(name: Name): this {
    this.#words[NAME2_LENGTH] = this.#writeName(name);
    return this;
  }

  #writeName(name: Name): number {
    const start = this.#nameEnd;
    let length: number;
    if (typeof name === "string") {
      const { read, written } = this.#encoder.encodeInto(name, this.#names.subarray(start, start + MAX_NAME));
      length = read === name.length ? written : MAX_NAME + 1;
    } else {
      length = name.length;
      if (length <= MAX_NAME) this.#names.set(name, start);
    }
    if (length > MAX_NAME) {
      this.#nameTooLong = true;
      return -1;
    }
    this.#names[start + length] = 0;
    this.#nameEnd = start + length + 1;
    return length;
  }

  /** Carries out the prepared call on this thread. */
  perform<T>(operation: number, decode: Decoder<T>, buffers: Buffers): T {
    if (this.#nameTooLong) return decode(-errno["ENAMETOOLONG"]!, -1, this.#syncRecord, RECORD_HEADER);
    const record = this.#syncRecord;
    const refused = this.#native.perform(operation, buffers);
    if (refused < 0) return decode(refused, -1, record, RECORD_HEADER);
    return decode(record[1]!, record[2]!, record, RECORD_HEADER);
  }

  /** Carries out the prepared call on a worker. The promise never rejects. */
  submit<T>(operation: number, decode: Decoder<T>, buffers: Buffers): Promise<T> {
    const slot = this.#freeSlots.at(-1) ?? this.#pending.length;
    let refused = this.#nameTooLong ? -errno["ENAMETOOLONG"]! : 0;
    if (this.#closing) refused = -errno["ECANCELED"]!;
    if (refused === 0) refused = this.#native.submit(operation, slot, buffers);
    if (refused < 0) return Promise.resolve(decode(refused, -1, this.#syncRecord, RECORD_HEADER));
    this.#freeSlots.pop();
    this.#inFlight++;
    return new Promise<T>((resolve) => {
      this.#pending[slot] = { resolve, decode, buffers };
    });
  }

  #settle(count: number): void {
    const records = this.#records;
    for (let i = 0, at = 0; i < count; i++) {
      const slot = records[at]!;
      const { resolve, decode } = this.#pending[slot]!;
      this.#pending[slot] = undefined;
      this.#freeSlots.push(slot);
      resolve(decode(records[at + 1]!, records[at + 2]!, records, at + RECORD_HEADER) as never);
      at += RECORD_HEADER + records[at + 3]!;
    }
    this.#inFlight -= count;
    if (this.#inFlight === 0) this.#drained?.();
  }

  /** Runs `action` with the prepared identity in force on this thread. A number is a negative errno: it was refused. */
  runAs<T>(action: () => T): T | number {
    return this.#native.runAs(action);
  }

  /** Lets calls in flight finish; new ones get −ECANCELED. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        const before = this.#drained;
        this.#drained = () => {
          before?.();
          resolve();
        };
      });
    }
    this.#native.close();
  }
}

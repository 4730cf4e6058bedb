import {
  type Bitmap,
  beginCompoundCall,
  decodeCompoundReply,
  encodeName,
  type Fattr4Values,
  type fattr4,
  makeFattr4,
  NFS4_OK,
  type nfsstat4,
  OPERATIONS,
  type Operation,
  type OperationName,
  type OperationTypes,
  operationByNumber,
  type stateid4,
} from "@nfs4/protocol";
import { XdrReader, type XdrWriter } from "@xdr-ts/xdr";
import { type ErrorContext, NfsError } from "../errors.ts";
import { whole } from "./whole.ts";

/** What a successful result carries: its field …resok4, or all of it where there is none. */
type BodyOf<T> = T extends object
  ? { [Key in keyof T as Key extends `${string}resok4` ? "body" : never]: T[Key] } extends { body: infer R }
    ? R
    : never
  : never;
export type Succeeded<T> = [BodyOf<T>] extends [never] ? T : BodyOf<T>;

export type Arguments<Name extends OperationName> = OperationTypes[Name][0];
export type Result<Name extends OperationName> = OperationTypes[Name][1];
export type Body<Name extends OperationName> = Succeeded<Result<Name>>;

const NOT_REACHED = -1;

/** What lets COMPOUNDs pass one at a time. */
export interface Turn {
  enter(): Promise<void> | undefined;
  leave(): void;
}

/** An operation of a COMPOUND, and after the COMPOUND has run, what came of it. */
export class Step<Name extends OperationName = OperationName> {
  readonly name: Name;
  /** A function is asked at each attempt: stateids change when a server restarts. What it throws ends the attempts. */
  readonly args: Arguments<Name> | (() => Arguments<Name>);
  readonly #compound: Compound;
  #sent: Arguments<Name> | undefined;
  #status: number = NOT_REACHED;
  #result: Result<Name> | undefined;

  constructor(compound: Compound, name: Name, args: Arguments<Name> | (() => Arguments<Name>)) {
    this.#compound = compound;
    this.name = name;
    this.args = args;
  }

  /** Undefined: the COMPOUND ended before it. */
  get status(): nfsstat4 | undefined {
    return this.#status === NOT_REACHED ? undefined : (this.#status as nfsstat4);
  }

  get succeeded(): boolean {
    return this.#status === NFS4_OK;
  }

  /** What it gave; throws an `NfsError` if it failed or was not reached. */
  get body(): Body<Name> {
    if (this.#status !== NFS4_OK) throw this.#compound.error();
    const result = this.#result as Record<string, unknown>;
    const key = Object.keys(result).find((one) => one.endsWith("resok4"));
    return (key === undefined ? result : result[key]) as Body<Name>;
  }

  /** All of it, whatever its status: LOCK tells who is in the way. Undefined if it was not reached. */
  get result(): Result<Name> | undefined {
    return this.#result;
  }

  /** What the current attempt takes along, also when it is sent again. */
  get sent(): Arguments<Name> {
    return this.#sent as Arguments<Name>;
  }

  /** Begins an attempt: asks for the arguments. Throws what their function throws. */
  prepare(): void {
    const { args } = this;
    this.#sent = typeof args === "function" ? args() : args;
  }

  /** For the compound: forgets what came of an earlier attempt, or takes what came of this one. */
  set(status: number, result: unknown): void {
    this.#status = status;
    this.#result = result as Result<Name> | undefined;
  }
}

/**
 * Operations that go to the server together and run one after the other until one fails (RFC 8881 §16.2). Build it, run it with `NfsClient.run`, and ask its steps:
 *
 *     const compound = new Compound().putFh(directory).lookup("file");
 *     const attributes = compound.op("GETATTR", { attr_request: bitmapOf(FATTR4_SIZE) });
 *     await client.run(compound);
 *     decodeFattr4(attributes.body.obj_attributes);
 */
export class Compound {
  readonly steps: Step[] = [];
  /** Shown in captures. Short: there are servers that refuse long ones. */
  readonly tag: string;
  /** Not null: of the operations that must run one at a time, so its sender waits for that (RFC 7530 §9.1.7). */
  turn: Turn | null = null;
  /** Called with each answer when it comes, also with those after which it is sent again, or that nobody waits for any more. Must not throw. */
  whenAnswered: (() => void) | null = null;
  /** Of whoever runs it: settles when nothing of it is under way any more, though the caller may have given up long before. */
  settled: Promise<void> = Promise.resolve();
  #status: nfsstat4 | undefined;
  /** Not null: bodies are views of the reply's memory, which end with this function. It is called when the answer is there, and may copy; for bulk data. */
  whileLent: (() => void) | null = null;

  constructor(tag = "") {
    this.tag = tag;
  }

  /** Adds an operation, any of the protocol, and returns its step. */
  op<Name extends OperationName>(name: Name, args: Arguments<Name> | (() => Arguments<Name>)): Step<Name> {
    const step = new Step(this, name, args);
    this.steps.push(step as unknown as Step);
    return step;
  }

  // What is used most, for chains. Names are as `decodeName` gives them.

  putRoot(): this {
    this.op("PUTROOTFH", undefined);
    return this;
  }

  putFh(handle: Uint8Array | (() => Uint8Array)): this {
    this.op("PUTFH", typeof handle === "function" ? () => ({ object: handle() }) : { object: handle });
    return this;
  }

  saveFh(): this {
    this.op("SAVEFH", undefined);
    return this;
  }

  restoreFh(): this {
    this.op("RESTOREFH", undefined);
    return this;
  }

  lookup(...names: readonly string[]): this {
    for (const name of names) this.op("LOOKUP", { objname: encodeName(name) });
    return this;
  }

  getFh(): Step<"GETFH"> {
    return this.op("GETFH", undefined);
  }

  getAttributes(mask: Bitmap): Step<"GETATTR"> {
    return this.op("GETATTR", { attr_request: [...mask] });
  }

  setAttributes(values: Fattr4Values | fattr4, stateid: () => Readonly<stateid4>): Step<"SETATTR"> {
    const obj_attributes = "attrmask" in values ? values : makeFattr4(values);
    return this.op("SETATTR", () => ({ stateid: stateid(), obj_attributes }));
  }

  // ——— What came of it ———

  /** The step that failed; undefined if none has. */
  get failed(): Step | undefined {
    return this.steps.find(({ status, succeeded }) => status !== undefined && !succeeded);
  }

  get succeeded(): boolean {
    return this.steps.at(-1)?.succeeded ?? true;
  }

  /** Whether something that would not do to be done twice has been done (RFC 8881 §2.10.6.1). */
  get hasChangedSomething(): boolean {
    return this.steps.some(({ name, succeeded }) => succeeded && !OPERATIONS[name].idempotent);
  }

  /** Whether the server should keep its reply for a retry. */
  get needsReplyCache(): boolean {
    return this.steps.some(({ name }) => !OPERATIONS[name].idempotent);
  }

  /** Of the COMPOUND: that of its last operation, or what kept the server from running any (NFS4ERR_MINOR_VERS_MISMATCH). Undefined: not answered. */
  get status(): nfsstat4 | undefined {
    return this.#status;
  }

  /** The error of the step that failed. */
  error(context: ErrorContext = {}): NfsError {
    const { failed } = this;
    if (failed?.status === undefined && this.#status !== undefined && this.#status !== NFS4_OK)
      return NfsError.ofStatus(this.#status, "COMPOUND", context);
    if (failed?.status === undefined)
      return new NfsError("EIO", "the server's reply ends before the last operation", context);
    return NfsError.ofStatus(failed.status, failed.name, context);
  }

  // ——— The wire ———

  /** Begins an attempt. What is encoded after it is the same to the byte, as servers want it of a retry, until the next. */
  prepare(): void {
    for (const step of this.steps) step.prepare();
  }

  /** Writes COMPOUND4args, with `first` in front: SEQUENCE. All are prepared. */
  encode(writer: XdrWriter, minorVersion: number, first: Step | null): void {
    const count = beginCompoundCall(writer, encodeName(this.tag), minorVersion);
    const steps = first === null ? this.steps : [first, ...this.steps];
    writer.patchUint32(count, steps.length);
    for (const { name, sent } of steps) {
      const operation: Operation = OPERATIONS[name];
      writer.uint32(operation.number);
      operation.encodeArguments(writer, sent);
    }
  }

  /** Takes COMPOUND4res in. Throws an XdrError, or an `NfsError` if it answers something else. */
  decode(lent: XdrReader, first: Step | null): void {
    this.#decode(this.whileLent === null ? whole(lent) : lent, first);
    this.whenAnswered?.();
    this.whileLent?.();
  }

  #decode(reader: XdrReader, first: Step | null): void {
    const { status: ofAll, count } = decodeCompoundReply(reader);
    this.#status = ofAll;
    const steps = first === null ? this.steps : [first, ...this.steps];
    for (const step of steps) step.set(NOT_REACHED, undefined);
    for (let i = 0; i < count; i++) {
      const step = steps[i];
      const number = reader.uint32();
      const operation = operationByNumber(number);
      if (step === undefined || operation === undefined || operation.name !== step.name) {
        if (step !== undefined && i === count - 1 && isIllegal(number)) {
          step.set(reader.uint32(), undefined);
          return;
        }
        throw new NfsError("EPROTO", `the server answered operation ${i} with the result of another (${number})`);
      }
      const status = new XdrReader(reader.bytes, reader.offset).uint32();
      step.set(status, operation.decodeResult(reader));
      if (status !== NFS4_OK) return;
    }
  }
}

/** OP_ILLEGAL, which answers operations that a server has never heard of. */
function isIllegal(number: number): boolean {
  return number === OPERATIONS.ILLEGAL.number;
}

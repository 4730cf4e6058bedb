/** The reply to a COMPOUND, decoded, with statuses by their names so that a failed assertion can be read. */
import {
  decodeCompoundCall,
  decodeCompoundReply,
  OPERATIONS,
  type OperationName,
  type OperationTypes,
  statusName,
} from "@nfs4/protocol";
import { XdrReader } from "@xdr-ts/xdr";
import { invalidStatus } from "./valid-errors.ts";

export interface OperationReply {
  /** As in the RFC, without OP_; "ILLEGAL" for OP_ILLEGAL. */
  readonly name: OperationName;
  readonly status: string;
  /** The whole result, its status first. */
  readonly result: unknown;
}

/** What a successful result carries: the field called …resok4, or the result itself where there is none. */
type Body<T> = T extends object
  ? { [Key in keyof T as Key extends `${string}resok4` ? "body" : never]: T[Key] } extends { body: infer R }
    ? R
    : never
  : never;
type Succeeded<T> = [Body<T>] extends [never] ? T : Body<T>;

const BY_NUMBER = new Map(Object.values(OPERATIONS).map((operation) => [operation.number, operation]));

export class Reply {
  /** The encoded COMPOUND4res. */
  readonly bytes: Uint8Array;
  readonly status: string;
  readonly tag: string;
  readonly operations: readonly OperationReply[];
  /** The encoded request, for a retry. */
  readonly request: Uint8Array;
  readonly xid: number;

  constructor(bytes: Uint8Array, request: Uint8Array, xid: number) {
    this.bytes = bytes;
    this.request = request;
    this.xid = xid;
    const reader = new XdrReader(bytes);
    const { status, tag, count } = decodeCompoundReply(reader);
    this.status = statusName(status);
    this.tag = new TextDecoder().decode(tag);
    const operations: OperationReply[] = [];
    for (let i = 0; i < count; i++) {
      const operation = BY_NUMBER.get(reader.uint32());
      if (!operation) throw new Error(`result ${i} is of no operation`);
      const start = reader.offset;
      const result = operation.decodeResult(reader);
      const itsStatus = new XdrReader(bytes, start).uint32();
      operations.push({ name: operation.name as OperationName, status: statusName(itsStatus), result });
    }
    reader.expectEnd();
    this.operations = operations;
    const { minorVersion } = decodeCompoundCall(new XdrReader(request));
    for (const { name, status: its } of operations) {
      const invalid = invalidStatus(minorVersion, name, its);
      if (invalid) throw new Error(invalid);
    }
  }

  /** "SEQUENCE PUTROOTFH LOOKUP=NFS4ERR_NOENT": what came of each operation, at a glance. */
  get summary(): string {
    return this.operations.map(({ name, status }) => (status === "NFS4_OK" ? name : `${name}=${status}`)).join(" ");
  }

  /** Itself, if everything succeeded; else an error that tells what did not. */
  ok(): this {
    if (this.status !== "NFS4_OK") throw new Error(`expected success, not ${this.summary} (${this.status})`);
    return this;
  }

  /** The body of the (last) result of that name; throws if it failed or is not there. */
  get<Name extends OperationName>(name: Name): Succeeded<OperationTypes[Name][1]> {
    const found = this.operations.findLast((one) => one.name === name);
    if (found?.status !== "NFS4_OK") throw new Error(`no successful ${name} in ${this.summary}`);
    const result = found.result as Record<string, unknown>;
    const body = Object.entries(result).find(([key]) => key.endsWith("resok4"));
    return (body?.[1] ?? result) as never;
  }

  /** The whole (last) result of that name, whatever its status. */
  result<Name extends OperationName>(name: Name): OperationTypes[Name][1] {
    const found = this.operations.findLast((one) => one.name === name);
    if (!found) throw new Error(`no ${name} in ${this.summary}`);
    return found.result as OperationTypes[Name][1];
  }
}

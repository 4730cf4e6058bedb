import { findType, XdrReader, type XdrSchemaType, XdrWriter } from "@xdr-ts/xdr";
import { describe, expect, it } from "vitest";
import { CALLBACKS, callbackByNumber, findCallback } from "./callbacks.ts";
import { nfs_cb_opnum4, nfs_opnum4, OP_ILLEGAL } from "./generated/opcodes.ts";
import { NFS4ERR_NOTSUPP, NFS4ERR_OP_ILLEGAL, nfsstat4 } from "./generated/status.ts";
import type { Operation } from "./operation.ts";
import { findOperation, OPERATIONS, operationByNumber, operationName } from "./operations.ts";
import { xdr_schema } from "./schema.ts";

const operations: readonly Operation[] = Object.values<Operation>(OPERATIONS as never);
const callbacks: readonly Operation[] = Object.values<Operation>(CALLBACKS as never);
const all = [...operations, ...callbacks];

type UnionType = Extract<XdrSchemaType, { union: unknown }>;

/** The type that the union of all arguments or results has for a number: [] for void. */
function armOf(union: string, number: number): readonly XdrSchemaType[] {
  const { arms } = findType(xdr_schema, union) as UnionType;
  const [, , type] = arms.find(([cases]) => cases.includes(number))!;
  return type === "void" ? [] : [type];
}

/** The type behind a name, through typedefs. */
function resolve(name: string): XdrSchemaType {
  const type = findType(xdr_schema, name)!;
  return typeof type === "object" && "ref" in type ? resolve(type.ref) : type;
}

describe("the tables of operations and callbacks", () => {
  it("have every number of the enums, under the name of the enum", () => {
    expect(Object.fromEntries(operations.map(({ name, number }) => [`OP_${name}`, number]))).toEqual(nfs_opnum4);
    expect(Object.fromEntries(callbacks.map(({ name, number }) => [`OP_${name}`, number]))).toEqual(nfs_cb_opnum4);
  });

  it("have the codecs that nfs_argop4 and nfs_resop4 name", () => {
    for (const { name, number } of operations) {
      expect(armOf("nfs_argop4", number)).toEqual(argumentType(name));
      expect(armOf("nfs_resop4", number)).toEqual([{ ref: `${name}4res` }]);
    }
    for (const { name, number } of callbacks) {
      expect(armOf("nfs_cb_argop4", number)).toEqual(argumentType(name));
      expect(armOf("nfs_cb_resop4", number)).toEqual([{ ref: `${name}4res` }]);
    }
    function argumentType(name: string): XdrSchemaType[] {
      return findType(xdr_schema, `${name}4args`) === undefined ? [] : [{ ref: `${name}4args` }];
    }
  });

  it("take a stateid where the arguments have one", () => {
    for (const operation of operations) {
      const type = findType(xdr_schema, `${operation.name}4args`);
      expect([operation.name, operation.takesStateid]).toEqual([
        operation.name,
        JSON.stringify(deep(type)).includes("stateid4"),
      ]);
    }
    function deep(type: XdrSchemaType | undefined): unknown {
      if (type === undefined || typeof type === "string") return type ?? null;
      if ("ref" in type) return type.ref === "stateid4" ? type : deep(findType(xdr_schema, type.ref));
      if ("struct" in type) return type.struct.map(([, field]) => deep(field));
      if ("union" in type) return type.arms.map(([, , field]) => deep(field));
      return "list" in type ? deep(type.list) : null;
    }
  });

  it.each(all)("$name can fail with every status that has no body", ({ name, encodeFailure, decodeResult }) => {
    const type = resolve(`${name}4res`);
    const withBody =
      typeof type === "object" && "union" in type
        ? type.arms.filter(([, , t]) => t !== "void").flatMap(([c]) => c)
        : [0];
    for (const status of Object.values(nfsstat4)) {
      const writer = new XdrWriter();
      if (status === 0 || withBody.includes(status)) {
        expect(() => encodeFailure(writer, status)).toThrow(RangeError);
        continue;
      }
      encodeFailure(writer, status);
      const reader = new XdrReader(writer.bytes());
      expect(Object.values(decodeResult(reader) as object)[0]).toBe(status);
      reader.expectEnd();
    }
  });

  it("know what each minor version has (RFC 8881 §8.8, RFC 7862 §14.2)", () => {
    expect(findOperation(3, 0)).toBe(OPERATIONS.ACCESS);
    expect(findOperation(39, 0)).toBe(OPERATIONS.RELEASE_LOCKOWNER);
    expect(findOperation(40, 0)).toBe(NFS4ERR_OP_ILLEGAL);
    expect(findOperation(58, 1)).toBe(OPERATIONS.RECLAIM_COMPLETE);
    expect(findOperation(59, 1)).toBe(NFS4ERR_OP_ILLEGAL);
    expect(findOperation(75, 2)).toBe(OPERATIONS.REMOVEXATTR);
    for (const number of [0, 1, 2, 76, 77, OP_ILLEGAL, 0xffff_ffff])
      expect(findOperation(number, 2)).toBe(NFS4ERR_OP_ILLEGAL);
    const abolished = operations.filter(({ number }) => findOperation(number, 1) === NFS4ERR_NOTSUPP);
    expect(abolished.map(({ name }) => name)).toEqual([
      "OPEN_CONFIRM",
      "RENEW",
      "SETCLIENTID",
      "SETCLIENTID_CONFIRM",
      "RELEASE_LOCKOWNER",
    ]);
    expect(findOperation(48, 1)).toBe(OPERATIONS.GETDEVICELIST);
    expect(findOperation(48, 2)).toBe(NFS4ERR_NOTSUPP);

    expect(findCallback(4, 0)).toBe(CALLBACKS.CB_RECALL);
    expect(findCallback(11, 0)).toBe(NFS4ERR_OP_ILLEGAL);
    expect(findCallback(15, 1)).toBe(NFS4ERR_OP_ILLEGAL);
    expect(findCallback(15, 2)).toBe(CALLBACKS.CB_OFFLOAD);
    expect(findCallback(OP_ILLEGAL, 2)).toBe(NFS4ERR_OP_ILLEGAL);
  });

  it("are found by number and named", () => {
    expect(operationByNumber(25)).toBe(OPERATIONS.READ);
    expect(operationByNumber(OP_ILLEGAL)).toBeUndefined();
    expect(callbackByNumber(3)).toBe(CALLBACKS.CB_GETATTR);
    expect(operationName(25)).toBe("READ");
    expect(operationName(4711)).toBe("ILLEGAL(4711)");
  });

  it("call what changes a directory not idempotent (DESIGN §5)", () => {
    const { CREATE, LINK, REMOVE, RENAME, SETATTR, OPEN, LOCK, READ, WRITE, GETATTR, LOOKUP } = OPERATIONS;
    expect([CREATE, LINK, REMOVE, RENAME, SETATTR, OPEN, LOCK].map(({ idempotent }) => idempotent)).not.toContain(true);
    expect([READ, WRITE, GETATTR, LOOKUP].map(({ idempotent }) => idempotent)).not.toContain(false);
  });
});

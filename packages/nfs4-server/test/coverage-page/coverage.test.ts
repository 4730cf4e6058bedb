/** docs/coverage.md is what the code and its tests say, and what a running server answers. */
import { readFileSync } from "node:fs";
import {
  ATTRIBUTES,
  bitsOf,
  decodeFattr4,
  FATTR4_RDATTR_ERROR,
  FATTR4_SUPPORTED_ATTRS,
  isSubset,
  LAST_MINOR_VERSION,
  type Operation,
  type OperationName,
  requiredAttributes,
  xdr_schema,
} from "@nfs4/protocol";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wire } from "../../../nfs4-protocol/test/wire-arbitrary.ts";
import { supportedAttributes } from "../../src/attributes/supported.ts";
import { HANDLERS } from "../../src/compound/handlers.ts";
import type { Mount } from "../harness/mount.ts";
import { World } from "../harness/world.ts";
import { attributeUse, LEGAL_OPERATIONS, MINOR_VERSIONS, operationCoverage, page } from "./page.ts";
import { NOT_SUPPORTED, PARTLY, WITHOUT_ATTRIBUTE } from "./reasons.ts";
import { testsByOperation } from "./tests-by-operation.ts";

/** What may answer NOTSUPP, as it was agreed on. */
const MAY_BE_LEFT_OUT =
  /^(LAYOUT.*|GETDEVICE.*|GET_DIR_DELEGATION|WANT_DELEGATION|SET_SSV|COPY.*|OFFLOAD_.*|CLONE|READ_PLUS|WRITE_SAME|IO_ADVISE|OPENATTR|(GET|SET|REMOVE)XATTR|LISTXATTRS)$/;

describe("docs/coverage.md", () => {
  it("is what npm run coverage-table -w packages/nfs4-server writes", () => {
    expect(readFileSync(new URL("../../../../docs/coverage.md", import.meta.url), "utf8")).toBe(page());
  });

  it("has a test for every operation that is served", () => {
    const tests = testsByOperation();
    const served = (Object.keys(HANDLERS) as OperationName[]).filter((name) => tests.get(name)?.length === 0);
    expect(served).toEqual([]);
  });

  it("gives a reason for every operation that is not, and leaves out none but those that may be", () => {
    const absent = LEGAL_OPERATIONS.map(({ name }) => name as OperationName).filter((name) => !HANDLERS[name]);
    expect(absent.toSorted()).toEqual(Object.keys(NOT_SUPPORTED).toSorted());
    expect(absent.filter((name) => !MAY_BE_LEFT_OUT.test(name))).toEqual([]);
  });

  it("gives a reason for every attribute that is not there, and has all that are required", () => {
    const { absent, partial } = attributesByUse();
    expect(absent).toEqual(Object.keys(WITHOUT_ATTRIBUTE).toSorted());
    expect(partial.filter((name) => !(name in PARTLY))).toEqual([]);
    for (const minor of MINOR_VERSIONS)
      expect(isSubset(requiredAttributes(minor), supportedAttributes(minor)), `4.${minor}`).toBe(true);
  });
});

/** Attributes that no version has, and those that cannot be used in every way that the RFC names. */
function attributesByUse(): { readonly absent: string[]; readonly partial: string[] } {
  const absent: string[] = [];
  const partial: string[] = [];
  for (const attribute of ATTRIBUTES) {
    const use = attributeUse(attribute, LAST_MINOR_VERSION)?.join(" ") ?? "";
    if (use === "") absent.push(attribute.name);
    else if (use !== attribute.access) partial.push(attribute.name);
  }
  return { absent: absent.toSorted(), partial };
}

describe.each(MINOR_VERSIONS)("a server that is asked over 4.%i", (minor) => {
  let world: World;
  let client: Mount;

  beforeAll(async () => {
    world = await World.create();
    client = await world.mount(minor);
  });

  afterAll(() => world.finish());

  it.each(LEGAL_OPERATIONS)("answers to $name as the page says", async (operation) => {
    const { name, status } = await answerTo(client, operation);
    const coverage = operationCoverage(operation, minor);
    if (coverage === "not supported") expect(status).toBe("NFS4ERR_NOTSUPP");
    else if (coverage === "served") expect(status).not.toMatch(/^NFS4ERR_(BADXDR|NOTSUPP|OP_ILLEGAL)$/);
    else if (minor < operation.minorVersions[0]) expect([name, status]).toEqual(["ILLEGAL", "NFS4ERR_OP_ILLEGAL"]);
    else expect([name, status]).toEqual([operation.name, "NFS4ERR_NOTSUPP"]);
  });

  it("has the attributes that the page names, and no others", async () => {
    const { obj_attributes } = (await client.at("/").getattr(FATTR4_SUPPORTED_ATTRS).send()).ok().get("GETATTR");
    const decoded = decodeFattr4(obj_attributes);
    const named = ATTRIBUTES.filter((one) => (attributeUse(one, minor) ?? []).length > 0).map(({ number }) => number);
    expect(bitsOf((decoded.ok && decoded.values.supported_attrs) || [])).toEqual(named);

    const gettable = ATTRIBUTES.filter((one) => attributeUse(one, minor)?.includes("get"))
      .map(({ number }) => number)
      .filter((number) => number !== FATTR4_RDATTR_ERROR);
    const asked = (
      await client
        .at("/")
        .getattr(...gettable)
        .send()
    )
      .ok()
      .get("GETATTR");
    expect(bitsOf(asked.obj_attributes.attrmask)).toEqual(gettable);
  });
});

/** What comes of an operation with arguments that are well-formed, at the end of a COMPOUND that has both filehandles. */
async function answerTo(client: Mount, { name, number }: Operation) {
  const type = `${name}4args`;
  const takesArguments = xdr_schema.imports().some((schema) => type in schema.types);
  const [args] = takesArguments
    ? fc.sample(wire(xdr_schema, type, { saturating: new Set() }), { numRuns: 1, seed: 1 })
    : [new Uint8Array(0)];
  const reply = await client.compound().putroot().savefh().raw(number, args).send();
  const last = reply.operations.at(-1);
  return { name: last?.name, status: last?.status };
}

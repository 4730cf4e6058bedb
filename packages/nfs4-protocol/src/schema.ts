import type { XdrSchema } from "@xdr-ts/xdr";
import { xdr_schema as acl } from "./generated/acl.ts";
import { xdr_schema as attributes } from "./generated/attributes.ts";
import { xdr_schema as basic } from "./generated/basic.ts";
import { xdr_schema as callback } from "./generated/callback.ts";
import { xdr_schema as cbCompound } from "./generated/cb-compound.ts";
import { xdr_schema as client40 } from "./generated/client40.ts";
import { xdr_schema as compound } from "./generated/compound.ts";
import { xdr_schema as copy } from "./generated/copy.ts";
import { xdr_schema as data } from "./generated/data.ts";
import { xdr_schema as layout } from "./generated/layout.ts";
import { xdr_schema as lock } from "./generated/lock.ts";
import { xdr_schema as namespace } from "./generated/namespace.ts";
import { xdr_schema as opcodes } from "./generated/opcodes.ts";
import { xdr_schema as open } from "./generated/open.ts";
import { xdr_schema as pnfs } from "./generated/pnfs.ts";
import { xdr_schema as security } from "./generated/security.ts";
import { xdr_schema as session } from "./generated/session.ts";
import { xdr_schema as status } from "./generated/status.ts";
import { xdr_schema as xattr } from "./generated/xattr.ts";

const SCHEMAS: readonly XdrSchema[] = [
  acl,
  attributes,
  basic,
  callback,
  cbCompound,
  client40,
  compound,
  copy,
  data,
  layout,
  lock,
  namespace,
  opcodes,
  open,
  pnfs,
  security,
  session,
  status,
  xattr,
];

/** What every type of the protocol looks like on the wire, as data: for tools and tests. */
export const xdr_schema: XdrSchema = { imports: () => SCHEMAS, types: {} };

export {
  ATTRIBUTES,
  type Attribute,
  type AttributeAccess,
  type AttributeName,
  attributeName,
  attributesOf,
  type Fattr4Values,
  GETTABLE_ATTRIBUTES,
  requiredAttributes,
  SETTABLE_ATTRIBUTES,
} from "./attribute-table.ts";
export { type DecodedFattr4, decodeFattr4, encodeFattr4, makeFattr4 } from "./attributes.ts";
export {
  type Bitmap,
  bitmapOf,
  bitsOf,
  clearBit,
  difference,
  equalBitmaps,
  hasBit,
  intersectInto,
  intersection,
  isEmpty,
  isSubset,
  nextBit,
  setBit,
  union,
} from "./bitmap.ts";
export { CALLBACKS, type CallbackName, type CallbackTypes, callbackByNumber, findCallback } from "./callbacks.ts";
export {
  beginCallbackCompoundCall,
  beginCompoundCall,
  beginCompoundReply,
  type CallbackCompoundCall,
  type CompoundCall,
  type CompoundReply,
  type CompoundReplyPlaces,
  decodeCallbackCompoundCall,
  decodeCompoundCall,
  decodeCompoundReply,
  endCompoundReply,
} from "./compound.ts";
export * from "./generated/acl.ts";
export * from "./generated/attributes.ts";
export * from "./generated/basic.ts";
export * from "./generated/callback.ts";
export * from "./generated/cb-compound.ts";
export * from "./generated/client40.ts";
export * from "./generated/compound.ts";
export * from "./generated/copy.ts";
export * from "./generated/data.ts";
export * from "./generated/layout.ts";
export * from "./generated/lock.ts";
export * from "./generated/namespace.ts";
export * from "./generated/opcodes.ts";
export * from "./generated/open.ts";
export * from "./generated/pnfs.ts";
export * from "./generated/security.ts";
export * from "./generated/session.ts";
export * from "./generated/status.ts";
export * from "./generated/xattr.ts";
export { decodeName, encodeName, isUtf8Name } from "./names.ts";
export type { MinorVersions, Operation, OperationTable } from "./operation.ts";
export {
  findOperation,
  LAST_MINOR_VERSION,
  OPERATIONS,
  type OperationName,
  type OperationTypes,
  operationByNumber,
  operationName,
} from "./operations.ts";
// By name, for it stands in every generated module.
export { xdr_schema } from "./schema.ts";
export {
  ANONYMOUS_STATEID,
  CURRENT_STATEID,
  INVALID_STATEID,
  READ_BYPASS_STATEID,
} from "./special-stateids.ts";
export {
  keepsSeqid,
  STATUSES,
  type StatusDescription,
  type StatusName,
  statusErrno,
  statusName,
  statusText,
} from "./status.ts";

import * as callback from "./generated/callback.ts";
import { nfs_cb_opnum4 } from "./generated/opcodes.ts";
import { NFS4ERR_OP_ILLEGAL } from "./generated/status.ts";
import {
  defineOperations,
  IDEMPOTENT,
  indexByNumber,
  type MinorVersions,
  NO_ARGUMENTS,
  type Operation,
  type OperationTable,
  type RowTable,
  row,
} from "./operation.ts";
import { LAST_MINOR_VERSION } from "./operations.ts";

/** Arguments and result of each callback. */
export interface CallbackTypes {
  CB_GETATTR: [callback.CB_GETATTR4args, callback.CB_GETATTR4res];
  CB_RECALL: [callback.CB_RECALL4args, callback.CB_RECALL4res];
  CB_LAYOUTRECALL: [callback.CB_LAYOUTRECALL4args, callback.CB_LAYOUTRECALL4res];
  CB_NOTIFY: [callback.CB_NOTIFY4args, callback.CB_NOTIFY4res];
  CB_PUSH_DELEG: [callback.CB_PUSH_DELEG4args, callback.CB_PUSH_DELEG4res];
  CB_RECALL_ANY: [callback.CB_RECALL_ANY4args, callback.CB_RECALL_ANY4res];
  CB_RECALLABLE_OBJ_AVAIL: [callback.CB_RECALLABLE_OBJ_AVAIL4args, callback.CB_RECALLABLE_OBJ_AVAIL4res];
  CB_RECALL_SLOT: [callback.CB_RECALL_SLOT4args, callback.CB_RECALL_SLOT4res];
  CB_SEQUENCE: [callback.CB_SEQUENCE4args, callback.CB_SEQUENCE4res];
  CB_WANTS_CANCELLED: [callback.CB_WANTS_CANCELLED4args, callback.CB_WANTS_CANCELLED4res];
  CB_NOTIFY_LOCK: [callback.CB_NOTIFY_LOCK4args, callback.CB_NOTIFY_LOCK4res];
  CB_NOTIFY_DEVICEID: [callback.CB_NOTIFY_DEVICEID4args, callback.CB_NOTIFY_DEVICEID4res];
  CB_OFFLOAD: [callback.CB_OFFLOAD4args, callback.CB_OFFLOAD4res];
  CB_ILLEGAL: [undefined, callback.CB_ILLEGAL4res];
}

export type CallbackName = keyof CallbackTypes;

const V0_UP: MinorVersions = [0, LAST_MINOR_VERSION];
const V1_UP: MinorVersions = [1, LAST_MINOR_VERSION];
const V2_UP: MinorVersions = [2, LAST_MINOR_VERSION];

// RFC 7530 §18, RFC 8881 §20, RFC 7862 §16.
const ROWS: RowTable<CallbackTypes> = {
  CB_GETATTR: row(V0_UP, IDEMPOTENT, callback.codec_CB_GETATTR4args, callback.codec_CB_GETATTR4res),
  CB_RECALL: row(V0_UP, IDEMPOTENT, callback.codec_CB_RECALL4args, callback.codec_CB_RECALL4res),
  CB_LAYOUTRECALL: row(V1_UP, IDEMPOTENT, callback.codec_CB_LAYOUTRECALL4args, callback.codec_CB_LAYOUTRECALL4res),
  CB_NOTIFY: row(V1_UP, 0, callback.codec_CB_NOTIFY4args, callback.codec_CB_NOTIFY4res),
  CB_PUSH_DELEG: row(V1_UP, 0, callback.codec_CB_PUSH_DELEG4args, callback.codec_CB_PUSH_DELEG4res),
  CB_RECALL_ANY: row(V1_UP, IDEMPOTENT, callback.codec_CB_RECALL_ANY4args, callback.codec_CB_RECALL_ANY4res),
  CB_RECALLABLE_OBJ_AVAIL: row(
    V1_UP,
    IDEMPOTENT,
    callback.codec_CB_RECALLABLE_OBJ_AVAIL4args,
    callback.codec_CB_RECALLABLE_OBJ_AVAIL4res,
  ),
  CB_RECALL_SLOT: row(V1_UP, IDEMPOTENT, callback.codec_CB_RECALL_SLOT4args, callback.codec_CB_RECALL_SLOT4res),
  CB_SEQUENCE: row(V1_UP, IDEMPOTENT, callback.codec_CB_SEQUENCE4args, callback.codec_CB_SEQUENCE4res),
  CB_WANTS_CANCELLED: row(
    V1_UP,
    IDEMPOTENT,
    callback.codec_CB_WANTS_CANCELLED4args,
    callback.codec_CB_WANTS_CANCELLED4res,
  ),
  CB_NOTIFY_LOCK: row(V1_UP, IDEMPOTENT, callback.codec_CB_NOTIFY_LOCK4args, callback.codec_CB_NOTIFY_LOCK4res),
  CB_NOTIFY_DEVICEID: row(
    V1_UP,
    IDEMPOTENT,
    callback.codec_CB_NOTIFY_DEVICEID4args,
    callback.codec_CB_NOTIFY_DEVICEID4res,
  ),
  CB_OFFLOAD: row(V2_UP, 0, callback.codec_CB_OFFLOAD4args, callback.codec_CB_OFFLOAD4res),
  CB_ILLEGAL: row(V0_UP, IDEMPOTENT, NO_ARGUMENTS, callback.codec_CB_ILLEGAL4res),
};

/** Every callback by its name without OP_. */
export const CALLBACKS: OperationTable<CallbackTypes> = defineOperations<CallbackTypes>(
  ROWS,
  (name) => nfs_cb_opnum4[`OP_${name}`],
);

const BY_NUMBER: readonly (Operation | undefined)[] = indexByNumber(CALLBACKS);

/** The callback of that number in any minor version; OP_CB_ILLEGAL is none. */
export function callbackByNumber(number: number): Operation | undefined {
  return BY_NUMBER[number];
}

/** The callback of that number in a minor version, or NFS4ERR_OP_ILLEGAL. */
export function findCallback(number: number, minorVersion: number): Operation | typeof NFS4ERR_OP_ILLEGAL {
  const operation = BY_NUMBER[number];
  return operation === undefined || minorVersion < operation.minorVersions[0] ? NFS4ERR_OP_ILLEGAL : operation;
}

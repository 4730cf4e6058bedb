/** LOCKT (RFC 8881 §18.11): would this lock be denied? It makes no state. */
import {
  type LOCKT4args,
  type LOCKT4res,
  NFS4_OK,
  NFS4ERR_DENIED,
  NFS4ERR_GRACE,
  NFS4ERR_INVAL,
  WRITE_LT,
  WRITEW_LT,
} from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";
import { latin1 } from "../latin1.ts";
import { rangeOf } from "../state/byte-range-locks.ts";
import { statusOfWrongType } from "../state/io-file.ts";
import type { LockOwner } from "../state/owners.ts";
import { client40 } from "./client40.ts";
import { deniedBy } from "./lock.ts";

export const lockt: Handler<LOCKT4args, LOCKT4res> = (context, args) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const range = rangeOf(args.offset, args.length);
  if (!range) return NFS4ERR_INVAL;
  const { grace, states } = context.services;
  const client = context.client ?? client40(context, args.owner.clientid);
  if (typeof client === "number") return client;
  if (grace.active) return NFS4ERR_GRACE;
  return onAnswer(current.export.fileSystem.getattr(current.node, context.caller(current.export)), ({ type }) => {
    if (type !== "file") return statusOfWrongType(context, type);
    const owner = client.lockOwners.get(latin1(args.owner.owner)) ?? null;
    const exclusive = args.locktype === WRITE_LT || args.locktype === WRITEW_LT;
    // Clients whose leases have run out would give way.
    const stays = (other: LockOwner): boolean => !other.client.expired;
    const conflict = states.file(current.key)?.locks.conflict(owner, range, exclusive, stays) ?? null;
    if (!conflict) return { status: NFS4_OK };
    return { status: NFS4ERR_DENIED, denied: deniedBy(conflict) };
  });
};

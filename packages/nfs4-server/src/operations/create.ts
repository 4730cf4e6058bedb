/** CREATE (RFC 8881 §18.4): everything but regular files, which OPEN makes. */
import {
  type CREATE4args,
  type CREATE4res,
  decodeName,
  NF4BLK,
  NF4CHR,
  NF4DIR,
  NF4FIFO,
  NF4LNK,
  NF4SOCK,
  NFS4_OK,
  NFS4ERR_BADTYPE,
  NFS4ERR_INVAL,
  NFS4ERR_ROFS,
  type nfsstat4,
} from "@nfs4/protocol";
import { requestedChanges } from "../attributes/changes.ts";
import { needWritable } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";
import { nameOf } from "../compound/names.ts";
import type { AttributeChanges, CreateRequest } from "../filesystem/types.ts";

export const create: Handler<CREATE4args, CREATE4res> = (context, { objtype, objname, createattrs }) => {
  const directory = needWritable(context);
  if (typeof directory === "number") return directory;
  const name = nameOf(objname, directory.export);
  if (typeof name === "number") return name;
  const requested = requestedChanges(createattrs, context.minorVersion, true);
  if (typeof requested === "number") return requested;
  const request = requestOf(objtype, requested.changes);
  if (typeof request === "number") return request;
  const { exports, queue } = context.services;
  const { fileSystem } = directory.export;
  const caller = context.caller(directory.export);
  return queue.run(directory.key, () => {
    if (!fileSystem.create) return NFS4ERR_ROFS;
    return onAnswer(fileSystem.create(directory.node, name, request, caller), ({ node, change }): CREATE4res => {
      context.setCurrent(exports.reference(directory.export, node));
      return { status: NFS4_OK, resok4: { cinfo: change, attrset: requested.set as number[] } };
    });
  });
};

function requestOf(type: CREATE4args["objtype"], attributes: AttributeChanges): CreateRequest | nfsstat4 {
  if (attributes.size !== undefined) return NFS4ERR_INVAL;
  switch (type.type) {
    case NF4DIR:
      return { type: "directory", attributes: { ...attributes, mode: attributes.mode ?? 0o755 } };
    case NF4LNK:
      return type.linkdata.length === 0
        ? NFS4ERR_INVAL
        : { type: "symlink", attributes, target: decodeName(type.linkdata) };
    case NF4FIFO:
      return { type: "fifo", attributes };
    case NF4SOCK:
      return { type: "socket", attributes };
    case NF4BLK:
    case NF4CHR: {
      const device = { major: type.devdata.specdata1, minor: type.devdata.specdata2 };
      return { type: type.type === NF4BLK ? "block" : "character", attributes, device };
    }
    default:
      return NFS4ERR_BADTYPE;
  }
}

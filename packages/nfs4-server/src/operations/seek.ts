/** SEEK (RFC 7862 §15.11): the next data or hole. */
import {
  NFS4_CONTENT_DATA,
  NFS4_CONTENT_HOLE,
  NFS4_OK,
  NFS4ERR_NOTSUPP,
  NFS4ERR_NXIO,
  NFS4ERR_UNION_NOTSUPP,
  type nfsstat4,
  type SEEK4args,
  type SEEK4res,
} from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import { onAnswer } from "../compound/fs-answer.ts";
import type { Handler } from "../compound/handler.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import { OPEN_READ } from "../filesystem/types.ts";
import { fileForIo, wrongTypeFor } from "../state/io-file.ts";

export const seek: Handler<SEEK4args, SEEK4res> = (context, { sa_stateid, sa_offset, sa_what }) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { fileSystem } = current.export;
  if (!fileSystem.seek) return NFS4ERR_NOTSUPP;
  if (sa_what !== NFS4_CONTENT_DATA && sa_what !== NFS4_CONTENT_HOLE) return NFS4ERR_UNION_NOTSUPP;
  if (sa_offset > BigInt(Number.MAX_SAFE_INTEGER)) return NFS4ERR_NXIO;
  const what = sa_what === NFS4_CONTENT_DATA ? "data" : "hole";
  const caller = context.caller(current.export);
  return whenReady(fileForIo(context, current, sa_stateid, OPEN_READ), (file) => {
    if (typeof file === "number") return wrongTypeFor(file);
    const release = (): void => file.release();
    context.onFailure(release);
    const answer = fileSystem.seek?.(file.file, Number(sa_offset), what, caller) ?? "ENOTSUP";
    return whenReady(answer, (found) => {
      context.settled(release);
      release();
      if (found !== "ENXIO" && isErrno(found)) return statusOfErrno(found);
      // The file's end is a hole, and where no data follows it is what is found (RFC 7862 §15.11.3).
      return onAnswer(fileSystem.getattr(current.node, caller), ({ size }): SEEK4res | nfsstat4 => {
        if (sa_offset >= BigInt(size)) return NFS4ERR_NXIO;
        const offset = found === "ENXIO" ? size : found;
        return { sa_status: NFS4_OK, resok4: { sr_eof: offset >= size, sr_offset: BigInt(offset) } };
      });
    });
  });
};

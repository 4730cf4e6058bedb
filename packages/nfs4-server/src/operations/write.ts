/** WRITE (RFC 8881 §18.32). */
import {
  DATA_SYNC4,
  FILE_SYNC4,
  NFS4_OK,
  NFS4ERR_FBIG,
  type stable_how4,
  UNSTABLE4,
  type WRITE4args,
  type WRITE4res,
} from "@nfs4/protocol";
import { needWritable } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import { OPEN_WRITE, type Stability } from "../filesystem/types.ts";
import { fileForIo } from "../state/io-file.ts";

const STABILITY: Readonly<Record<stable_how4, Stability>> = {
  [UNSTABLE4]: "unstable",
  [DATA_SYNC4]: "data-sync",
  [FILE_SYNC4]: "file-sync",
};
const COMMITTED: Readonly<Record<Stability, stable_how4>> = {
  unstable: UNSTABLE4,
  "data-sync": DATA_SYNC4,
  "file-sync": FILE_SYNC4,
};

export const write: Handler<WRITE4args, WRITE4res> = (context, { stateid, offset, stable, data }) => {
  const current = needWritable(context);
  if (typeof current === "number") return current;
  const { counters, writeVerifier } = context.services;
  const { fileSystem } = current.export;
  const caller = context.caller(current.export);
  if (offset + data.length > (fileSystem.capabilities?.maxFileSize ?? Number.MAX_SAFE_INTEGER)) return NFS4ERR_FBIG;
  return whenReady(fileForIo(context, current, stateid, OPEN_WRITE), (file) => {
    if (typeof file === "number") return file;
    const failed = (): void => {
      file.release();
      // What was to be stable may be lost, and what was written before it with it.
      if (stable !== UNSTABLE4) writeVerifier.change();
    };
    context.onFailure(failed);
    // The verifier as it was before the data was taken: if a sync fails meanwhile, the client must see the change.
    const writeverf = writeVerifier.bytes.slice();
    const answer =
      data.length === 0
        ? { count: 0, stability: "file-sync" as const }
        : (fileSystem.write?.(file.file, offset, data, STABILITY[stable], caller) ?? "EROFS");
    return whenReady(answer, (written) => {
      context.settled(failed);
      if (written === "EIO") failed();
      else file.release();
      if (isErrno(written)) return statusOfErrno(written);
      counters.writtenBytes += written.count;
      return { status: NFS4_OK, resok4: { count: written.count, committed: COMMITTED[written.stability], writeverf } };
    });
  });
};

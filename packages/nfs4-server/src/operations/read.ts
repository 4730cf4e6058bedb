/** READ (RFC 8881 §18.22). The data goes out by reference; its buffer comes back when the reply has been acknowledged. */
import { NFS4_OK, type READ4args } from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import { OPEN_READ } from "../filesystem/types.ts";
import { fileForIo } from "../state/io-file.ts";

export const read: Handler<READ4args, never> = (context, { stateid, offset, count }) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  const { counters, limits, readBuffers } = context.services;
  const { fileSystem } = current.export;
  const caller = context.caller(current.export);
  return whenReady(fileForIo(context, current, stateid, OPEN_READ), (file) => {
    if (typeof file === "number") return file;
    const wanted = Math.min(count, limits.maxIo);
    const buffer = readBuffers.take(wanted);
    const release = (): void => {
      buffer.release();
      file.release();
    };
    context.onFailure(release);
    return whenReady(fileSystem.read(file.file, offset, buffer.bytes, caller), (answer) => {
      context.settled(release);
      if (isErrno(answer)) {
        release();
        return statusOfErrno(answer);
      }
      file.release();
      context.releases.push(buffer.release);
      counters.readBytes += answer.bytes.length;
      return (writer) => {
        writer.uint32(NFS4_OK);
        writer.bool(answer.end);
        writer.opaqueReference(answer.bytes);
        return NFS4_OK;
      };
    });
  });
};

/** ALLOCATE (RFC 7862 §15.1) and DEALLOCATE (§15.4). */
import {
  type ALLOCATE4args,
  type DEALLOCATE4args,
  NFS4_OK,
  NFS4ERR_FBIG,
  NFS4ERR_INVAL,
  NFS4ERR_NOTSUPP,
  type nfsstat4,
  type stateid4,
} from "@nfs4/protocol";
import { type CompoundContext, needWritable } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { whenReady } from "../filesystem/chain.ts";
import { isErrno, statusOfErrno } from "../filesystem/errno.ts";
import { type Awaitable, OPEN_WRITE } from "../filesystem/types.ts";
import { fileForIo, wrongTypeFor } from "../state/io-file.ts";

const LARGEST_SIZE = BigInt(Number.MAX_SAFE_INTEGER);

type Member = "allocate" | "deallocate";

function changeAllocation(
  context: CompoundContext,
  member: Member,
  stateid: stateid4,
  offset: bigint,
  length: bigint,
): Awaitable<nfsstat4> {
  const current = needWritable(context);
  if (typeof current === "number") return current;
  const { fileSystem } = current.export;
  if (!fileSystem[member]) return NFS4ERR_NOTSUPP;
  if (length === 0n) return NFS4ERR_INVAL;
  if (member === "allocate" && offset + length > LARGEST_SIZE) return NFS4ERR_FBIG;
  // Beyond that no file has anything to give back.
  const end = offset + length < LARGEST_SIZE ? offset + length : LARGEST_SIZE;
  const caller = context.caller(current.export);
  return whenReady(fileForIo(context, current, stateid, OPEN_WRITE), (file) => {
    if (typeof file === "number") return wrongTypeFor(file);
    const release = (): void => file.release();
    context.onFailure(release);
    const answer =
      end > offset ? fileSystem[member]?.(file.file, Number(offset), Number(end - offset), caller) : undefined;
    return whenReady(answer, (done): nfsstat4 => {
      context.settled(release);
      release();
      return isErrno(done) ? statusOfErrno(done) : NFS4_OK;
    });
  });
}

export const allocate: Handler<ALLOCATE4args, never> = (context, { aa_stateid, aa_offset, aa_length }) =>
  changeAllocation(context, "allocate", aa_stateid, aa_offset, aa_length);

export const deallocate: Handler<DEALLOCATE4args, never> = (context, { da_stateid, da_offset, da_length }) =>
  changeAllocation(context, "deallocate", da_stateid, da_offset, da_length);

/** READ, WRITE and COMMIT on open files. */
import { RWF, STATX } from "@nfs4/native";
import { whenReady } from "../chain.ts";
import type { Awaitable, CallContext, ReadResult, Result, Stability, WriteResult } from "../types.ts";
import { errnoOf } from "./errors.ts";
import type { LocalFile } from "./local-node.ts";
import type { Volume } from "./volume.ts";

const SYNC_FLAG: Readonly<Record<Stability, number>> = { unstable: 0, "data-sync": RWF.DSYNC, "file-sync": RWF.SYNC };

/** At once as far as the page cache has it. */
export function read(
  volume: Volume,
  file: LocalFile,
  offset: number,
  buffer: Uint8Array,
): Awaitable<Result<ReadResult>> {
  const count = volume.calls.read(file.fd, buffer, offset);
  return count instanceof Promise
    ? count.then((result) => readResult(volume, file, offset, buffer, result))
    : readResult(volume, file, offset, buffer, count);
}

function readResult(
  volume: Volume,
  file: LocalFile,
  offset: number,
  buffer: Uint8Array,
  count: number,
): Awaitable<Result<ReadResult>> {
  if (count < 0) return errnoOf(count);
  // Fewer bytes than wanted are read at the end only.
  if (count < buffer.length) return { bytes: buffer.subarray(0, count), end: true };
  const next = offset + count;
  const { node } = file;
  if (next < file.knownSize && file.truncations === node.truncations) return { bytes: buffer, end: false };
  return whenReady(volume.metadata.statx(file.fd, null, 0, STATX.SIZE), (statx): Result<ReadResult> => {
    if (typeof statx === "number") return errnoOf(statx);
    file.knownSize = statx.size;
    file.truncations = node.truncations;
    return { bytes: buffer, end: next >= statx.size };
  });
}

export async function write(
  volume: Volume,
  file: LocalFile,
  offset: number,
  data: Uint8Array,
  stability: Stability,
  context: CallContext,
): Promise<Result<WriteResult>> {
  const { node } = file;
  await volume.aboutToChange(file.fd, node);
  file.written = true;
  const as = volume.as(context);
  let count = 0;
  while (count < data.length) {
    const rest = count === 0 ? data : data.subarray(count);
    const result = await volume.calls.pool.write(file.fd, rest, offset + count, SYNC_FLAG[stability], as);
    if (result <= 0) {
      if (count > 0) break;
      return result === 0 ? "EIO" : errnoOf(result);
    }
    volume.changed(node);
    count += result;
  }
  return { count, stability };
}

/** The kernel reports a failed write-back once; whatever it was, what is in memory may be lost: EIO. */
export async function commit(volume: Volume, file: LocalFile): Promise<Result<void>> {
  const result = await volume.calls.pool.fdatasync(file.fd);
  if (result < 0) return "EIO";
}

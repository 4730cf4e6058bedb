/** What an operation looks like to the COMPOUND engine. */
import type { nfsstat4 } from "@nfs4/protocol";
import type { XdrWriter } from "@xdr-ts/xdr";
import type { Awaitable } from "../filesystem/types.ts";
import type { CompoundContext } from "./context.ts";

/** Writes a whole result, its status first, and returns the status: for results that are encoded without going through an object. */
export type ResultWriter = (writer: XdrWriter) => nfsstat4;

/**
 * Runs one operation. The answer is its result as on the wire, or a bare status where there is nothing to tell but that (a success of
 * an operation without results, or a failure), or a function that writes the result itself.
 */
export type Handler<Arguments, Result> = (
  context: CompoundContext,
  args: Arguments,
) => Awaitable<Result | ResultWriter | nfsstat4>;

import type { RpcCall } from "./rpc-call.ts";

/** A program that this side executes calls of. */
export interface RpcProgram {
  readonly program: number;
  /** Calls of versions outside lowVersion … highVersion are answered PROG_MISMATCH with these two. */
  readonly lowVersion: number;
  readonly highVersion: number;
  /**
   * Executes a call. Procedure 0 never comes here: it is answered in general.
   *
   * Answer with the call's `reply` or one of its other endings, now or later. If a promise is returned, the call must be answered when it
   * settles, and the call's memory (`args` and all views from it) stays until then; if not, until the answer. An XdrError thrown before an
   * answer was begun becomes GARBAGE_ARGS, everything else SYSTEM_ERR.
   */
  dispatch(call: RpcCall): void | Promise<void>;
}

/** Everything that can become of a call but its results, and of a connection but an orderly end. */
export type RpcErrorCode =
  /** No reply within the call's time. */
  | "RPC_TIMEOUT"
  /** The connection ended before the reply; whether the call was executed is unknown. */
  | "RPC_DISCONNECTED"
  /** More calls are outstanding than `pendingCalls` allows. */
  | "RPC_TOO_MANY_CALLS"
  /** The call's xid is that of another one still outstanding on the connection. */
  | "RPC_XID_IN_USE"
  /** The server does not speak RPC version 2: `low` … `high`. */
  | "RPC_VERSION_MISMATCH"
  /** The server refused the credential or verifier: `authStat`. */
  | "RPC_AUTH_ERROR"
  | "RPC_PROG_UNAVAIL"
  /** The server has the program in versions `low` … `high` only. */
  | "RPC_PROG_MISMATCH"
  | "RPC_PROC_UNAVAIL"
  /** The server could not decode the arguments. */
  | "RPC_GARBAGE_ARGS"
  | "RPC_SYSTEM_ERR"
  /** The arguments could not be encoded (`cause`); nothing was sent. */
  | "RPC_CANT_ENCODE_ARGS"
  /** The reply or its results could not be decoded (`cause`). */
  | "RPC_CANT_DECODE_REPLY"
  /** The reply's verifier is not the server's. */
  | "RPC_BAD_VERIFIER"
  /** The peer broke the record marking or the message format; the connection was aborted. */
  | "RPC_PROTOCOL_ERROR"
  /** The peer announced a record above the limit; the connection was aborted. */
  | "RPC_RECORD_TOO_LONG"
  /** The peer began a record and did not finish it in time, or sent nothing for too long before it had shown itself. */
  | "RPC_RECEIVE_TIMEOUT"
  /** The peer did not take the replies that wait for it for too long. */
  | "RPC_SEND_TIMEOUT"
  /** The peer was cut off to make room for others. */
  | "RPC_EVICTED"
  /** A handler ended without an answer. */
  | "RPC_NOT_ANSWERED"
  /** This side closed the connection. */
  | "RPC_CLOSED";

export interface RpcErrorDetails {
  readonly cause?: unknown;
  readonly low?: number;
  readonly high?: number;
  readonly authStat?: number;
}

/** The one error class of this package; `code` says which. */
export class RpcError extends Error {
  readonly code: RpcErrorCode;
  /** RPC_VERSION_MISMATCH, RPC_PROG_MISMATCH: the lowest version that the server has. */
  readonly low: number | undefined;
  /** RPC_VERSION_MISMATCH, RPC_PROG_MISMATCH: the highest version that the server has. */
  readonly high: number | undefined;
  /** RPC_AUTH_ERROR: an `AuthStat`, or a number that RFC 5531 does not know. */
  readonly authStat: number | undefined;

  constructor(code: RpcErrorCode, message: string, details: RpcErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = "RpcError";
    this.code = code;
    this.low = details.low;
    this.high = details.high;
    this.authStat = details.authStat;
  }
}

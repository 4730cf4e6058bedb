import { channel } from "node:diagnostics_channel";

/**
 * What this package publishes on `node:diagnostics_channel`; it never logs.
 *
 * - `nfs4:rpc:error`: a handler threw or did not answer: `{ connection, call, error }`
 * - `nfs4:rpc:connection`: a connection was opened: `{ connection }`
 * - `nfs4:rpc:end`: a connection has ended: `{ connection, end, error }`, `error` being why this side aborted it
 */
export const RpcChannel = {
  error: "nfs4:rpc:error",
  connection: "nfs4:rpc:connection",
  end: "nfs4:rpc:end",
} as const;

export const errorChannel: ReturnType<typeof channel> = channel(RpcChannel.error);
export const connectionChannel: ReturnType<typeof channel> = channel(RpcChannel.connection);
export const endChannel: ReturnType<typeof channel> = channel(RpcChannel.end);

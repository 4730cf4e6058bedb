export { type Credential, NOBODY } from "./auth/credential.ts";
export type {
  Authenticator,
  AuthFlavorClient,
  AuthFlavorServer,
  AuthVerdict,
  CallAuth,
  CallSecurity,
  OutgoingCall,
  UnauthenticatedCall,
  Upgradable,
} from "./auth/flavor.ts";
export { authNone, authNoneServer } from "./auth/none.ts";
export { type AuthSysOptions, authSys, authSysServer } from "./auth/sys.ts";
export { Budget } from "./budget.ts";
export { BufferPool, type BufferPoolOptions, PooledBuffer } from "./buffer-pool.ts";
export { RpcChannel } from "./channels.ts";
export { RpcClient, type RpcClientOptions } from "./client.ts";
export { type BackoffOptions, connectWithBackoff } from "./connect-with-backoff.ts";
export { type AdmitOptions, type CloseOptions, RpcConnection, type RpcConnectionOptions } from "./connection.ts";
export {
  AcceptStat,
  AuthFlavor,
  AuthStat,
  MAX_AUTH_BYTES,
  MsgType,
  RejectStat,
  ReplyStat,
  RPC_VERSION,
} from "./constants.ts";
export type { RpcCounters } from "./counters.ts";
export { RpcEnvironment, type RpcEnvironmentOptions } from "./environment.ts";
export { RpcError, type RpcErrorCode, type RpcErrorDetails } from "./errors.ts";
export { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
export { LoadShare, type LoadShareLimits } from "./load-share.ts";
export type { CallHeader, OpaqueAuth } from "./message.ts";
export type { CallRequest, PendingCall, ReplyMemory } from "./pending-calls.ts";
export type { RpcProgram } from "./program.ts";
export { ProgramTable } from "./program-table.ts";
export { RpcCall } from "./rpc-call.ts";
export { RpcServer, type RpcServerOptions } from "./server.ts";
export { formatUniversalAddress, parseUniversalAddress, type UniversalAddress } from "./universal-address.ts";
export { WriterPool } from "./writer-pool.ts";

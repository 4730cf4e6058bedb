export { type ExportAddress, type NfsVersion, parseExportUrl } from "./address.ts";
export { type ClientLimits, NfsClient, type RunOptions } from "./client.ts";
export { type ConnectOptions, connect } from "./connect.ts";
export { type ErrorContext, NfsError } from "./errors.ts";
export { type ExportTraits, Mount } from "./mount.ts";
export { Compound, Step } from "./protocol/compound.ts";

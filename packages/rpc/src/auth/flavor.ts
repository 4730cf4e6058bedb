import type { ByteStream } from "@nfs4/bytestream";
import type { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import type { AuthStat } from "../constants.ts";
import type { CallHeader, OpaqueAuth } from "../message.ts";
import type { Credential } from "./credential.ts";

/** How a call was authenticated, and what has to be done to its body. Flavors without state per call return the same object again. */
export interface CallSecurity {
  readonly credential: Credential;
  /** The reply's verifier; null is AUTH_NONE. */
  readonly verifier: OpaqueAuth | null;
  /** Turns the arguments as sent into the arguments; throws XdrError or returns null for GARBAGE_ARGS. Absent: they are plain. */
  readonly unwrapArgs?: (args: XdrReader) => XdrReader | null;
  /** Writes the results in the form in which they are sent (RFC 2203 §5.3.3.4). Absent: they are plain. */
  readonly wrapResults?: (results: Uint8Array, writer: XdrWriter) => void;
}

/** What becomes of a call whose credential a flavor has looked at. */
export type AuthVerdict =
  | CallSecurity
  /** Denied with AUTH_ERROR. */
  | { readonly reject: AuthStat }
  /** No reply at all (RFC 2203 §5.3.3.1: a sequence number below the window). */
  | "drop"
  /** The flavor has answered or will answer the call itself, with its `reply` and the rest (RPCSEC_GSS_INIT and its kin). */
  | "answered";

/**
 * What a flavor sees of a call. It is an `RpcCall` whose `credential` is not there yet; a flavor that answers by itself sets the verifier first.
 */
export interface UnauthenticatedCall {
  readonly xid: number;
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  /** At the arguments. */
  readonly args: XdrReader;
  /** The whole call from the xid on: what a verifier covers, and where the header's offsets point. Borrowed until the call is answered. */
  readonly message: Uint8Array;
  /** Sets how the call's answer is verified and wrapped. */
  secure(security: CallSecurity): void;
  reply(write: (writer: XdrWriter) => void): void;
  garbageArgs(): void;
  systemError(): void;
  authError(stat: AuthStat): void;
  drop(): void;
  readonly connection: Upgradable;
}

/** A connection whose stream can be replaced in place (RPC with TLS, RFC 9289 §4.1). */
export interface Upgradable {
  /** Whether that has happened already, in which case a second AUTH_TLS probe is refused. */
  readonly upgraded: boolean;
  /** Sends what is queued, then goes on over the stream that `wrap` makes of the present one. */
  upgrade(wrap: (stream: ByteStream) => ByteStream): void;
}

/** The server's side of a flavor on one connection. */
export interface Authenticator {
  /** Judges a call synchronously, before its program is looked up. Must not throw. */
  authenticate(call: UnauthenticatedCall, header: CallHeader): AuthVerdict;
}

/** The server's side of a flavor. Contexts that span connections (RPCSEC_GSS) live in it. */
export interface AuthFlavorServer {
  readonly flavor: number;
  /** Called at a connection's first call of this flavor. */
  authenticator(): Authenticator;
}

/** What a client's flavor knows of a call. */
export interface OutgoingCall {
  readonly xid: number;
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
}

/** The client's side of a flavor for one call. Flavors without state per call return themselves. */
export interface CallAuth {
  /** Writes flavor and body of the credential. */
  writeCredential(writer: XdrWriter): void;
  /** Writes flavor and body of the verifier. */
  writeVerifier(writer: XdrWriter): void;
  /** Writes the arguments in the form in which they are sent; `encode` writes the plain ones. Absent: they are sent plain. */
  wrapArgs?(encode: (writer: XdrWriter) => void, writer: XdrWriter): void;
  /** Whether the reply's verifier is the server's. The body is borrowed for the call. */
  checkVerifier(flavor: number, body: Uint8Array): boolean;
  /** Turns the results as sent into the results; throws XdrError. Absent: they are plain. */
  unwrapResults?(results: XdrReader): XdrReader;
}

/** The client's side of a flavor: one user's credential. */
export interface AuthFlavorClient {
  readonly flavor: number;
  begin(call: OutgoingCall): CallAuth;
  /** After an AUTH_ERROR: makes the credential good again if it can. Resolves to whether the call should be tried once more. */
  refresh?(stat: number): Promise<boolean>;
}

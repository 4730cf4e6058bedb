import { XdrError, XdrReader, XdrWriter } from "@xdr-ts/xdr";
import { AuthFlavor, AuthStat, MAX_AUTH_BYTES } from "../constants.ts";
import type { CallHeader } from "../message.ts";
import type {
  Authenticator,
  AuthFlavorClient,
  AuthFlavorServer,
  AuthVerdict,
  CallAuth,
  CallSecurity,
  UnauthenticatedCall,
} from "./flavor.ts";
import { writeNoneAuth } from "./none.ts";

const MAX_MACHINE_NAME = 255;
const MAX_GIDS = 16;
/** Credentials remembered per connection: a client has few users at a time. A power of two. */
const REMEMBERED = 16;
const BAD_CREDENTIAL = { reject: AuthStat.AUTH_BADCRED } as const;
const BAD_VERIFIER = { reject: AuthStat.AUTH_BADVERF } as const;

/** Reads `authsys_parms` (RFC 5531 Appendix A). Throws XdrError. */
function readAuthSys(reader: XdrReader): CallSecurity {
  reader.uint32();
  const name = reader.opaque(MAX_MACHINE_NAME);
  const uid = reader.uint32();
  const gid = reader.uint32();
  const gids: number[] = [];
  for (let left = reader.arrayLength(MAX_GIDS, 4); left > 0; left--) gids.push(reader.uint32());
  reader.expectEnd();
  return {
    credential: { flavor: AuthFlavor.AUTH_SYS, uid, gid, gids, machineName: String.fromCharCode(...name) },
    verifier: null,
  };
}

interface Remembered {
  readonly body: Uint8Array;
  readonly security: CallSecurity;
}

/** Decodes AUTH_SYS credentials, and knows again those that it has seen, so that a call neither decodes nor allocates one. */
class AuthSysAuthenticator implements Authenticator {
  #remembered: (Remembered | undefined)[] = [];

  authenticate(call: UnauthenticatedCall, header: CallHeader): AuthVerdict {
    if (header.verifierFlavor !== AuthFlavor.AUTH_NONE || header.verifierLength !== 0) return BAD_VERIFIER;
    const bytes = call.args.bytes;
    const start = header.credentialOffset;
    const end = start + header.credentialLength;
    // The stamp, the first 4 bytes, means nothing, and clients change it with every call.
    const slot = hash(bytes, start + 4, end) & (REMEMBERED - 1);
    const known = this.#remembered[slot];
    if (known !== undefined && equal(known.body, bytes, start + 4, end)) return known.security;
    try {
      const security = readAuthSys(new XdrReader(bytes, start, end));
      this.#remembered[slot] = { body: bytes.slice(start + 4, end), security };
      return security;
    } catch (error) {
      if (!(error instanceof XdrError)) throw error;
      return BAD_CREDENTIAL;
    }
  }
}

function hash(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum = (Math.imul(sum, 31) + bytes[i]!) | 0;
  return sum ^ (sum >>> 11);
}

function equal(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}

/** AUTH_SYS on a server: believes what the client says of its user (RFC 5531 Appendix A says what that is worth). */
export const authSysServer: AuthFlavorServer = {
  flavor: AuthFlavor.AUTH_SYS,
  authenticator: () => new AuthSysAuthenticator(),
};

export interface AuthSysOptions {
  readonly uid: number;
  readonly gid: number;
  /** At most 16 are sent; the rest is left out, as every client does. */
  readonly gids?: readonly number[];
  /** At most 255 bytes of UTF-8. */
  readonly machineName?: string;
  readonly stamp?: number;
}

/** AUTH_SYS on a client: one user's credential. Throws XdrError for values that do not fit. */
export function authSys(options: AuthSysOptions): AuthFlavorClient {
  const writer = new XdrWriter({ chunkSize: 512 });
  writer.uint32(options.stamp ?? 0);
  writer.string(options.machineName ?? "", MAX_MACHINE_NAME);
  writer.uint32(options.uid);
  writer.uint32(options.gid);
  const gids = options.gids?.slice(0, MAX_GIDS) ?? [];
  writer.uint32(gids.length);
  for (const gid of gids) writer.uint32(gid);
  const body = writer.bytes();
  const call: CallAuth = {
    writeCredential: (into: XdrWriter) => {
      into.uint32(AuthFlavor.AUTH_SYS);
      into.opaque(body, MAX_AUTH_BYTES);
    },
    writeVerifier: writeNoneAuth,
    // AUTH_NONE, or AUTH_SHORT with a shorthand that we need not use.
    checkVerifier: (flavor) => flavor === AuthFlavor.AUTH_NONE || flavor === AuthFlavor.AUTH_SHORT,
  };
  return { flavor: AuthFlavor.AUTH_SYS, begin: () => call };
}

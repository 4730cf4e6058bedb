/** What a component4 must be to be a name (RFC 8881 §14.5, RFC 7530 §12.7). */
import {
  decodeName,
  NFS4ERR_BADCHAR,
  NFS4ERR_BADNAME,
  NFS4ERR_INVAL,
  NFS4ERR_NAMETOOLONG,
  type nfsstat4,
} from "@nfs4/protocol";
import type { Export } from "../exports/export.ts";

const SLASH = 0x2f;

/** The name, or the status that says what is wrong with it. */
export function nameOf(component: Uint8Array, exported: Export): string | nfsstat4 {
  if (component.length === 0) return NFS4ERR_INVAL;
  if (component.length > (exported.fileSystem.capabilities?.maxName ?? 255)) return NFS4ERR_NAMETOOLONG;
  for (let i = 0; i < component.length; i++) {
    const byte = component[i];
    if (byte === 0 || byte === SLASH) return NFS4ERR_BADCHAR;
  }
  const name = decodeName(component);
  return name === "." || name === ".." ? NFS4ERR_BADNAME : name;
}

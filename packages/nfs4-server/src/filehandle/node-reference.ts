/** A node of an export together with the handle that names it: what the current and the saved filehandle of a COMPOUND are. */
import type { Export } from "../exports/export.ts";

export interface NodeReference {
  readonly export: Export;
  /** The file system's own object. */
  readonly node: object;
  /** The handle as on the wire. Never changes. */
  readonly handle: Uint8Array;
  /** Identifies the node in the whole server: a string that can be a key of maps. */
  readonly key: string;
}

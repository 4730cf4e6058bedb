/** An export: a file system, where clients see it, who may use it and as whom (as exports(5) has it). */
import type { FileSystem } from "../filesystem/types.ts";
import type { ClientMatcher } from "./client-matcher.ts";

export interface SquashOptions {
  /** `root` (default): uid and gid 0 become anonymous. `all`: everybody does. `none`: nobody does. */
  readonly squash?: "root" | "all" | "none";
  readonly anonymousUid?: number;
  readonly anonymousGid?: number;
}

export interface ExportOptions extends SquashOptions {
  readonly fileSystem: FileSystem;
  /** Where clients find it: "/" or a path such as "/home/data". */
  readonly path: string;
  readonly readOnly?: boolean;
  /** Addresses or prefixes ("10.0.0.0/8", "fd00::1"); default: everybody whom the listener lets in. */
  readonly clients?: readonly string[];
  /** A number that stays with the export for good: it stands in filehandles. Default: derived from the path. 1 … 65535. */
  readonly id?: number;
}

export interface Export {
  readonly id: number;
  readonly path: string;
  readonly fileSystem: FileSystem;
  readonly readOnly: boolean;
  readonly clients: ClientMatcher;
  readonly squash: "root" | "all" | "none";
  readonly anonymousUid: number;
  readonly anonymousGid: number;
  readonly fsid: { readonly major: bigint; readonly minor: bigint };
}

/** nobody / nogroup. */
export const ANONYMOUS_ID = 65_534;

/** Who a call says it comes from. What that is worth depends on the flavor: AUTH_SYS is the client's word. */
export interface Credential {
  /** An `AuthFlavor`. */
  readonly flavor: number;
  /** 65,534 (nobody) for AUTH_NONE. */
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; `gid` need not be among them. */
  readonly gids: readonly number[];
  /** The client's name for itself; empty for AUTH_NONE. Bytes above 127 are read as Latin-1. */
  readonly machineName: string;
  /** The authenticated name, for flavors that have one ("user@REALM"). */
  readonly principal?: string;
}

export const NOBODY = 65_534;

/** The numbers of ONC RPC version 2 (RFC 5531 §9, §8.2; IANA "RPC Authentication Numbers"). */

export const RPC_VERSION = 2;

export const MsgType = { CALL: 0, REPLY: 1 } as const;
export type MsgType = (typeof MsgType)[keyof typeof MsgType];

export const ReplyStat = { MSG_ACCEPTED: 0, MSG_DENIED: 1 } as const;
export type ReplyStat = (typeof ReplyStat)[keyof typeof ReplyStat];

export const AcceptStat = {
  SUCCESS: 0,
  PROG_UNAVAIL: 1,
  PROG_MISMATCH: 2,
  PROC_UNAVAIL: 3,
  GARBAGE_ARGS: 4,
  SYSTEM_ERR: 5,
} as const;
export type AcceptStat = (typeof AcceptStat)[keyof typeof AcceptStat];

export const RejectStat = { RPC_MISMATCH: 0, AUTH_ERROR: 1 } as const;
export type RejectStat = (typeof RejectStat)[keyof typeof RejectStat];

/** Why a call was not authenticated (RFC 5531 §9; the last two RFC 2203 §5.3.3.3). */
export const AuthStat = {
  AUTH_OK: 0,
  AUTH_BADCRED: 1,
  AUTH_REJECTEDCRED: 2,
  AUTH_BADVERF: 3,
  AUTH_REJECTEDVERF: 4,
  AUTH_TOOWEAK: 5,
  AUTH_INVALIDRESP: 6,
  AUTH_FAILED: 7,
  AUTH_KERB_GENERIC: 8,
  AUTH_TIMEEXPIRE: 9,
  AUTH_TKT_FILE: 10,
  AUTH_DECODE: 11,
  AUTH_NET_ADDR: 12,
  RPCSEC_GSS_CREDPROBLEM: 13,
  RPCSEC_GSS_CTXPROBLEM: 14,
} as const;
export type AuthStat = (typeof AuthStat)[keyof typeof AuthStat];

/** Authentication flavors; numbers of flavors that nobody here implements are only names. */
export const AuthFlavor = {
  AUTH_NONE: 0,
  AUTH_SYS: 1,
  AUTH_SHORT: 2,
  AUTH_DH: 3,
  RPCSEC_GSS: 6,
  AUTH_TLS: 7,
} as const;
export type AuthFlavor = (typeof AuthFlavor)[keyof typeof AuthFlavor];

/** The most bytes that a credential's or verifier's body may have (RFC 5531 §8.2). */
export const MAX_AUTH_BYTES = 400;

/** The bit of a record mark that says "last fragment" (RFC 5531 §11). */
export const LAST_FRAGMENT = 0x8000_0000;
/** The most bytes that one fragment can have. */
export const MAX_FRAGMENT_BYTES = 0x7fff_ffff;

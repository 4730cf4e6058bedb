import { NFS4_OTHER_SIZE, NFS4_UINT32_MAX, type stateid4 } from "./generated/basic.ts";

/*
 * Stateids whose `other` is all zeros or all ones stand for no state (RFC 8881 §8.2.3, RFC 7530 §9.1.4.3). The constants are shared:
 * nobody may write into them.
 */

const ZEROS = new Uint8Array(NFS4_OTHER_SIZE);
const ONES = new Uint8Array(NFS4_OTHER_SIZE).fill(0xff);

/** I/O without an open. */
export const ANONYMOUS_STATEID: Readonly<stateid4> = { seqid: 0, other: ZEROS };

/** As the anonymous one, but READ may pass by share reservations and mandatory locks. */
export const READ_BYPASS_STATEID: Readonly<stateid4> = { seqid: NFS4_UINT32_MAX, other: ONES };

/** The current stateid of the COMPOUND (4.1). */
export const CURRENT_STATEID: Readonly<stateid4> = { seqid: 1, other: ZEROS };

/** For results that must have a stateid where there is none, say CLOSE's; never valid as an argument (4.1). */
export const INVALID_STATEID: Readonly<stateid4> = { seqid: NFS4_UINT32_MAX, other: ZEROS };

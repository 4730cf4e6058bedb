/** Control bits of the TCP header (RFC 9293 §3.1). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
export const ECE = 0x40;
export const CWR = 0x80;

export const PROTOCOL_TCP = 6;
export const TCP_HEADER = 20;

/** The states of RFC 9293 §3.3.2, numbered as FreeBSD does, so that "synchronized" and the like are comparisons. */
export const CLOSED = 0;
export const LISTEN = 1;
export const SYN_SENT = 2;
export const SYN_RECEIVED = 3;
export const ESTABLISHED = 4;
export const CLOSE_WAIT = 5;
export const FIN_WAIT_1 = 6;
export const CLOSING = 7;
export const LAST_ACK = 8;
export const FIN_WAIT_2 = 9;
export const TIME_WAIT = 10;
export type TcpState = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

export const STATE_NAMES: readonly string[] = [
  "CLOSED",
  "LISTEN",
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "CLOSE-WAIT",
  "FIN-WAIT-1",
  "CLOSING",
  "LAST-ACK",
  "FIN-WAIT-2",
  "TIME-WAIT",
];

/** RFC 5681, RFC 6675, RFC 8985: so many segments, or what they hold, arrived beyond a gap tell of a loss. */
export const DUP_THRESH = 3;

/** The deadlines of a connection: indices of `Tcb.deadlines`, in the order in which they are looked at when several are due. */
export const TIMER_REORDER = 0;
/** A tail loss probe: before the retransmission timer, which it puts off (RFC 8985 §7.2). */
export const TIMER_PROBE = 1;
export const TIMER_REXMT = 2;
export const TIMER_PERSIST = 3;
export const TIMER_KEEP = 4;
export const TIMER_DELACK = 5;
/** The user timeout, and before the handshake is done the time allowed for it. */
export const TIMER_USER = 6;
/** After `close()`: how long its caller waits, then how long the peer's FIN may take. */
export const TIMER_LINGER = 7;
/** Data that pacing holds back may go. */
export const TIMER_PACE = 8;
export const TIMERS = 9;

/** RFC 7323 §2.3. */
export const MAX_WINDOW_SHIFT = 14;
/** Options that sign a segment: TCP MD5 (RFC 2385) and TCP-AO (RFC 5925). */
export const OPTION_MD5 = 19;
export const OPTION_AO = 29;
/** Length of the user timeout option (RFC 5482). */
export const USER_TIMEOUT_OPTION = 4;
/** Length of the Timestamps option with its two NOPs. */
export const TIMESTAMP_OPTION = 12;

/** Bounds of the server; each has a default that suits a small machine. */
export interface ServerLimits {
  /** Largest READ and WRITE, in bytes. */
  readonly maxIo: number;
  /** Largest request and reply of a 4.1 session: `maxIo` and room for what goes around it. */
  readonly maxMessage: number;
  /** Largest reply that a slot keeps. */
  readonly maxCachedReply: number;
  readonly maxSlots: number;
  /** Bytes of replies that all slots together may keep. When they run out, new sessions get fewer slots. */
  readonly replyMemory: number;
  readonly maxOperations: number;
  readonly maxSessionsPerClient: number;
  readonly maxClients: number;
  /** Of those, clients that have only said their name, of 4.0 and of later versions half each. */
  readonly maxUnconfirmedClients: number;
  /** Opens, locks and owners of one client. */
  readonly maxStatesPerClient: number;
  /** Ranges locked in one file. */
  readonly maxLocksPerFile: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  maxIo: 1 << 20,
  maxMessage: (1 << 20) + 64 * 1024,
  maxCachedReply: 16 * 1024,
  maxSlots: 64,
  replyMemory: 32 << 20,
  maxOperations: 128,
  maxSessionsPerClient: 64,
  maxClients: 10_000,
  maxUnconfirmedClients: 1000,
  maxStatesPerClient: 100_000,
  maxLocksPerFile: 100_000,
};

import type { FastOpenQueue } from "./fast-open-server.ts";
import type { Tcb } from "./tcb.ts";

/** Fast Open of one connection (RFC 7413), of either side. Null where neither has asked for it. */
export class FastOpenState {
  /** That the next SYN or SYN,ACK brings; empty: it asks for one; null: none. */
  cookie: Uint8Array | null = null;
  /** The first SYN carried the option. */
  tried = false;
  /** The SYN's data was taken: by us, or by the peer. */
  accepted = false;
  /** Bytes that the SYN may carry. */
  synDataLimit = 0;
  /** On the server's side, until the handshake is complete. */
  queue: FastOpenQueue | null = null;
}

/** Whether the connection is a server's whose SYN counts as acknowledged: SYN,ACK and data go, though the handshake is not complete. */
export function isOpeningFast({ fastOpen }: Tcb): boolean {
  return fastOpen !== null && fastOpen.queue !== null;
}

/** The handshake is complete, or the connection has ended without. */
export function leaveFastOpenQueue({ fastOpen, context }: Tcb, wasReset: boolean): void {
  if (fastOpen === null) return;
  fastOpen.queue?.left(wasReset, context.clock.coarse());
  fastOpen.queue = null;
}

/** The next SYN or SYN,ACK goes without the option. */
export function withholdCookie({ fastOpen }: Tcb): void {
  if (fastOpen !== null) fastOpen.cookie = null;
}

import type { ByteSink } from "@nfs4/bytestream";
import { FIN_WAIT_2, TIMER_LINGER } from "./constants.ts";
import { startTimer } from "./deadlines.ts";
import { abortConnection, endConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import type { Tcb } from "./tcb.ts";

/** Takes the place of the user's sink once he has closed: what comes now is lost, and the peer is told so by a reset (SHLD-3, RFC 2525 §2.17). */
export class ClosedSink implements ByteSink {
  readonly #tcb: Tcb;

  constructor(tcb: Tcb) {
    this.#tcb = tcb;
  }

  data(_slab: Uint8Array, _offset: number, length: number): number {
    this.#tcb.context.statistics.rcvAfterClose++;
    abortConnection(this.#tcb, "aborted", new TcpError("ECONNABORTED", "data came after close()"));
    return length;
  }

  end(): void {}
}

/** Everything written, and our FIN, is acknowledged; the peer's FIN may be long in coming. */
export function finAcknowledgedFirst(tcb: Tcb): void {
  // Who reads no more need not wait for ever (FreeBSD: net.inet.tcp.finwait2_timeout).
  if (tcb.fullyClosed) startTimer(tcb, TIMER_LINGER, tcb.context.tunables.finwait2Timeout.value * 1000);
  tcb.owner?.lingered(tcb, true);
}

export function lingerTimeout(tcb: Tcb): void {
  if (tcb.state !== FIN_WAIT_2) {
    tcb.owner?.lingered(tcb, false);
    return;
  }
  tcb.context.statistics.finwait2Drops++;
  endConnection(tcb, "closed");
}

import { ConnectError } from "@nfs4/bytestream";
import { TcpConnection } from "./connection.ts";
import { abortConnection } from "./end.ts";
import { TcpError } from "./errors.ts";
import { fastOpenFailed } from "./fast-open.ts";
import type { Tcb, TcbOwner } from "./tcb.ts";

/** Codes of what may be the fault of Fast Open (RFC 7413 §4.1.3.1). */
const NO_ANSWER: ReadonlySet<string> = new Set(["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"]);

/** A call of `connect()` that waits for its connection. */
export class PendingConnect implements TcbOwner {
  readonly promise: Promise<TcpConnection>;
  readonly #to: { readonly address: string; readonly port: number };
  readonly #signal: AbortSignal | undefined;
  #tcb: Tcb | null = null;
  #resolve!: (connection: TcpConnection) => void;
  #reject!: (error: Error) => void;
  readonly #onAbort = (): void => this.#abort();

  constructor(to: { readonly address: string; readonly port: number }, signal: AbortSignal | undefined) {
    this.#to = to;
    this.#signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  begin(tcb: Tcb): void {
    this.#tcb = tcb;
    tcb.owner = this;
    this.#signal?.addEventListener("abort", this.#onAbort);
  }

  established(tcb: Tcb): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#resolve(new TcpConnection(tcb));
  }

  ended(tcb: Tcb): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const error = tcb.endedError;
    const code = error instanceof TcpError ? error.code : "ECONNABORTED";
    if (tcb.fastOpen?.tried && NO_ANSWER.has(code)) fastOpenFailed(tcb);
    this.#reject(new ConnectError(tcb.endedHow === "aborted" ? "ABORT_ERR" : code, this.#to, error));
  }

  drained(): void {}

  lingered(): void {}

  reported(): void {}

  urgent(): void {}

  #abort(): void {
    const tcb = this.#tcb!;
    const { stack } = tcb.context;
    stack.enter();
    const reason: unknown = this.#signal?.reason;
    abortConnection(tcb, "aborted", reason instanceof Error ? reason : new TcpError("ECONNABORTED", "aborted"));
    stack.leave();
  }
}

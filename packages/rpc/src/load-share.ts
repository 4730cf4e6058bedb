import { Budget } from "./budget.ts";

export interface LoadShareLimits {
  /** Bytes of received records whose calls are not settled. */
  readonly memory: number;
  /** Calls being executed. */
  readonly calls: number;
  /** Bytes handed to the transport and not yet released. */
  readonly output: number;
}

/**
 * What one connection, one client (whose connections it joins), all strangers, or the whole server may hold at a time. Shares form a tree:
 * connection → client or strangers → all.
 */
export class LoadShare {
  readonly memory: Budget;
  readonly calls: Budget;
  readonly output: Budget;

  constructor(limits: LoadShareLimits, parent: LoadShare | null = null) {
    this.memory = new Budget(limits.memory, parent?.memory ?? null);
    this.calls = new Budget(limits.calls, parent?.calls ?? null);
    this.output = new Budget(limits.output, parent?.output ?? null);
  }

  /** Counts under another parent from now on, with everything that is held. */
  moveTo(parent: LoadShare): void {
    this.memory.moveTo(parent.memory);
    this.calls.moveTo(parent.calls);
    this.output.moveTo(parent.output);
  }
}

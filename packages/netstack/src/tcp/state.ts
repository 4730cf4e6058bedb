import { channel } from "node:diagnostics_channel";
import { STATE_NAMES, type TcpState } from "./constants.ts";
import type { Tcb } from "./tcb.ts";

/** Published on `nfs4:netstack:tcp:state` for every change of a connection's state. */
export interface StateChange {
  readonly stack: string;
  readonly localPort: number;
  readonly remotePort: number;
  readonly from: string;
  readonly to: string;
}

const stateChannel = channel("nfs4:netstack:tcp:state");

/** The one place that writes a connection's state. */
export function setState(tcb: Tcb, state: TcpState): void {
  const from = tcb.state;
  tcb.state = state;
  if (!stateChannel.hasSubscribers) return;
  const change: StateChange = {
    stack: tcb.context.stack.name,
    localPort: tcb.localPort,
    remotePort: tcb.remotePort,
    from: STATE_NAMES[from]!,
    to: STATE_NAMES[state]!,
  };
  stateChannel.publish(change);
}

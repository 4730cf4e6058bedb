import { ESTABLISHED, FIN_WAIT_1, TIMER_USER } from "./constants.ts";
import { stopTimer } from "./deadlines.ts";
import { leaveFastOpenQueue } from "./fast-open-state.ts";
import { startKeepAlive } from "./keep-alive.ts";
import { recallPath } from "./path-memory.ts";
import { searchFromTheStart } from "./path-search.ts";
import { setState } from "./state.ts";
import type { Tcb } from "./tcb.ts";
import { advertiseUserTimeout } from "./user-timeout.ts";

/** Makes the connection ESTABLISHED (or FIN-WAIT-1, if its user has closed it already) and tells its owner. */
export function establish(tcb: Tcb): void {
  tcb.context.statistics.connects++;
  stopTimer(tcb, TIMER_USER);
  leaveFastOpenQueue(tcb, false);
  tcb.synDue = false;
  setState(tcb, tcb.finQueued ? FIN_WAIT_1 : ESTABLISHED);
  recallPath(tcb);
  searchFromTheStart(tcb);
  const { tunables } = tcb.context;
  if (tunables.utoEnable.value) advertiseUserTimeout(tcb, tunables.utoAdvertise.value);
  if (tcb.keepAlive) startKeepAlive(tcb);
  tcb.owner?.established(tcb);
}

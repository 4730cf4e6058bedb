import { TIMER_PERSIST } from "./constants.ts";
import { startTimer } from "./deadlines.ts";
import type { Tcb } from "./tcb.ts";

/** Starts (or goes on with) probing a window that lets nothing through: first after an RTO (SHLD-29), then ever more slowly (SHLD-30). */
export function startPersist(tcb: Tcb): void {
  const { tunables } = tcb.context;
  const backedOff = tcb.rtt.backedOff(tcb.persistShift, tunables);
  const delay = Math.min(Math.max(backedOff, tunables.persmin.value * 1000), tunables.persmax.value * 1000);
  startTimer(tcb, TIMER_PERSIST, delay);
}

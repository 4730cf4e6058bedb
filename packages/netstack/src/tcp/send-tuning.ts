import { MEMORY_HARD, MEMORY_NORMAL } from "./buffer-memory.ts";
import type { Tcb } from "./tcb.ts";

/** Windows that a send buffer holds: its writer hears of room at half of the mark, which is when there is one left. */
const WINDOWS = 2;
/** While memory is short: enough to keep the window filled. */
const WINDOWS_UNDER_PRESSURE = 1.5;
/** At the limit nobody keeps more waiting. */
const HARD = 16 * 1024;

/** The window has moved: `highWater` follows it, up and down, between sendspace and sendbuf_max. */
export function tuneSendBuffer(tcb: Tcb): void {
  const { tunables, sendMemory } = tcb.context;
  if (!tunables.sendbufAuto.value) return;
  const least = tunables.sendspace.value;
  if (sendMemory.state === MEMORY_HARD) {
    tcb.sendHighWater = Math.min(least, HARD);
    return;
  }
  const windows = sendMemory.state === MEMORY_NORMAL ? WINDOWS : WINDOWS_UNDER_PRESSURE;
  const wanted = windows * Math.min(tcb.cwnd, tcb.maxSndWnd);
  const step = tunables.sendbufInc.value;
  tcb.sendHighWater = Math.min(
    Math.max((Math.floor(wanted / step) + 1) * step, least),
    Math.max(tunables.sendbufMax.value, least),
  );
}

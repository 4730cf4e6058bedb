import { Reassembly } from "./reassembly.ts";
import type { Tcb } from "./tcb.ts";

/** Whether the peer is told of what came twice (D-SACK, RFC 2883). */
export function tellsDuplicates(tcb: Tcb): boolean {
  return tcb.sackPermitted && tcb.context.tunables.dsack.value;
}

/** `start … end)`, all of it before RCV.NXT, came once more: the next acknowledgment says so. What is older than any window was hardly sent by the peer. */
export function noteDuplicateText(tcb: Tcb, start: number, end: number): void {
  const age = (tcb.rcvNxt - start) >>> 0;
  if (start === end || age > 2 * tcb.rcvBufferSize || !tellsDuplicates(tcb)) return;
  tcb.reassembly ??= new Reassembly();
  tcb.reassembly.noteDuplicate(start, end);
}

import { initialWindow } from "./congestion.ts";
import { defaultMss, updateMaxSegment } from "./mss.ts";
import type { TcpOptions } from "./options.ts";
import type { Tcb } from "./tcb.ts";

/** Takes over what the peer's SYN offers, as far as we offer it too, and opens the congestion window. */
export function negotiate(tcb: Tcb, options: TcpOptions): void {
  const { context } = tcb;
  tcb.peerMss = options.mss === 0 ? defaultMss(context, tcb.family) : options.mss;
  tcb.windowScaling &&= options.windowShift >= 0;
  tcb.sndShift = tcb.windowScaling ? options.windowShift : 0;
  if (!tcb.windowScaling) disableScaling(tcb);
  tcb.timestamps &&= options.hasTimestamps;
  if (tcb.timestamps) {
    tcb.tsRecent = options.tsVal;
    tcb.tsRecentAge = context.clock.coarse();
  }
  tcb.sackPermitted &&= options.sackPermitted;
  updateMaxSegment(tcb);
  tcb.cwnd = initialWindow(tcb.maxSegment, context.tunables.initcwndSegments.value);
}

/** Without scaling no more than 65,535 bytes can be offered. */
export function disableScaling(tcb: Tcb): void {
  tcb.rcvShift = 0;
  tcb.rcvBufferSize = Math.min(tcb.rcvBufferSize, 0xffff);
}

import type { Tcb } from "./tcb.ts";

/** Counts of what does not happen to every connection, for `tcpInfo` and a few more. Made with the first of it. */
export class Incidents {
  /** Segments sent again, and bytes. */
  retransmits = 0;
  retransmittedBytes = 0;
  /** Recoveries that turned out to have been for nothing. */
  spuriousRecoveries = 0;
  duplicateAcks = 0;
  /** Those since SND.UNA last moved, whatever came of them. */
  duplicateAckRun = 0;
  /** Segments that came beyond a gap. */
  outOfOrder = 0;
  /** Segments whose signature was missing, wrong or not expected. */
  signatureDrops = 0;
}

export function incidentsOf(tcb: Tcb): Incidents {
  tcb.incidents ??= new Incidents();
  return tcb.incidents;
}

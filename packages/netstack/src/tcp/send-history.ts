import type { Tcb } from "./tcb.ts";
import type { DeliveryCounts } from "./transmit-log.ts";

/** What has become of the data that a connection has sent. Made with the first that it sends: many only wait. Bytes, µs of uptime, bytes a second. */
export class SendHistory implements DeliveryCounts {
  /** What the peer has acknowledged or SACKed, and when that last became more. */
  delivered = 0;
  deliveredAt = 0;
  /** When the data was sent whose acknowledgment ended the last rate sample, or the flight began. */
  firstSentAt = 0;
  /** Ever taken for lost; and as of the last sample. */
  lost = 0;
  lostSampled = 0;
  /** At first there was nothing to send: the application was the limit. */
  appLimitedUntil = 1;
  /** The last sample's rate, and whether the application was the limit then. */
  deliveryRate = 0;
  deliveryRateAppLimited = false;
  /** When something was last sent. */
  lastSent = 0;
  /** When the data that now waits for acknowledgment was first sent without progress since. */
  noProgressSince = 0;
}

export function sendHistoryOf(tcb: Tcb): SendHistory {
  tcb.sendHistory ??= new SendHistory();
  return tcb.sendHistory;
}

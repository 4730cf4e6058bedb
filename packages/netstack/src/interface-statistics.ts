/** FreeBSD's if_data, per interface. */
export class InterfaceStatistics {
  iPackets = 0;
  iBytes = 0;
  /** Malformed link headers. */
  iErrors = 0;
  /** Received while administratively down. */
  iqDrops = 0;
  oPackets = 0;
  oBytes = 0;
  /** Not sent: interface down. */
  oqDrops = 0;
}

import type { DriverStatistics } from "../driver.ts";

export function emptyDriverStatistics(): DriverStatistics {
  return {
    packetsReceived: 0,
    bytesReceived: 0,
    packetsSent: 0,
    bytesSent: 0,
    receiveErrors: 0,
    transmitDrops: 0,
    polls: 0,
    pollsExhausted: 0,
  };
}

/** What the server listens on, and calls 4.0 clients back through: our stack on some device, or the kernel's sockets. */
import type { Connector, Listener } from "@nfs4/bytestream";
import type { HostStack } from "@nfs4/netstack";

export interface Transport {
  readonly listener: Listener;
  readonly connector: Connector;
  /** Ours, for counters; null with the kernel's sockets. */
  readonly stack: HostStack | null;
  /** For people: what carries the packets, and what they should know of it. */
  readonly description: readonly string[];
  /** Where clients find the server. */
  readonly address: string;
  readonly port: number;
  /** The networks that the transport is on: who may mount where an export does not say. */
  readonly networks: readonly string[];
  /** Idempotent. */
  close(): Promise<void>;
}

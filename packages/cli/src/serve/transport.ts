/** What the server listens on, and calls 4.0 clients back through: our stack on some device, or the kernel's sockets. */
import type { Connector, Listener } from "@nfs4/bytestream";
import type { HostStack } from "@nfs4/netstack";

export interface Transport {
  readonly listener: Listener;
  readonly connector: Connector;
  /** Ours, for counters; null with the kernel's sockets. */
  readonly stack: HostStack | null;
  /** One line for people: what carries the packets. */
  readonly description: string;
  /** Where clients find the server. */
  readonly address: string;
  readonly port: number;
  /** Whom the link reaches: the default for exports without `clients`. Null: everybody. */
  readonly network: string | null;
  /** Idempotent. */
  close(): Promise<void>;
}

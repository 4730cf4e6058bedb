/** What is between the clients of a simulation and its server. */
import type { Connector, Listener } from "@nfs4/bytestream";

export const NFS_PORT = 2049;

export interface SimulatedNetwork {
  /** The server's host has power (again). */
  serverUp(): Listener;
  /** It has lost it: nothing more leaves it. */
  serverDown(): void;
  /** How a client, by its number from 0, reaches the server, and where. */
  connector(client: number): Connector;
  addressFor(client: number): string;
  /** Nothing gets through between a client and the server, or everything does again. */
  partition(client: number, cut: boolean): void;
  close(): Promise<void>;
}

/** What the admin interface shows of a running server. */
import type { AdminSource, HealthReport } from "@nfs4/admin";
import type { HostStack } from "@nfs4/netstack";
import type { NfsServer } from "@nfs4/server";
import type { Clock } from "@nfs4/timecounter";
import { type ProcessReading, processMetrics, serverMetrics, stackMetrics } from "./metrics.ts";

export interface AdminSubjects {
  readonly server: NfsServer;
  /** Null with the kernel's sockets. */
  readonly stack: HostStack | null;
  readonly clock: Clock;
  /** Of the process: memory in bytes, CPU time in seconds. */
  readonly usage: () => Omit<ProcessReading, "uptimeSeconds">;
}

export function adminSource({ server, stack, clock, usage }: AdminSubjects): AdminSource {
  const uptimeSeconds = (): number => Math.floor(clock.now() / 1e6);
  return {
    health: () => healthOf(server, stack, uptimeSeconds()),
    clients: () =>
      [...server.clients].map((client) => ({
        id: `${client.id.hi.toString(16).padStart(8, "0")}${client.id.lo.toString(16).padStart(8, "0")}`,
        name: printable(client.identity.ownerId),
        minorVersions: client.identity.generation === "4.0" ? "4.0" : "4.1+",
        address: client.address,
        implementation: client.implementation,
        confirmed: client.confirmed,
        expired: client.expired,
        secondsSinceRenewal: Math.floor((clock.now() - client.renewedAt) / 1e6),
        sessions: client.sessions.size,
        states: client.states.size,
      })),
    exports: () =>
      server.exports.map(({ path, id, readOnly, squash, clients }) => ({
        path,
        id,
        readOnly,
        squash,
        clients: clients.description,
      })),
    oddPackets: () => stack?.odd.capture() ?? null,
    metrics: () => [
      ...serverMetrics(server),
      ...stackMetrics(stack),
      ...processMetrics({ ...usage(), uptimeSeconds: uptimeSeconds() }),
    ],
  };
}

/** Well means: clients can reach us. */
function healthOf(server: NfsServer, stack: HostStack | null, uptimeSeconds: number): HealthReport {
  const problems = (stack?.interfaces ?? []).filter(({ up }) => !up).map(({ name }) => `interface ${name} is down`);
  return { healthy: problems.length === 0, problems, inGrace: server.inGrace, uptimeSeconds };
}

/** Bytes that are not printable ASCII as \\xNN. */
function printable(latin1: string): string {
  return latin1.replace(/[^\x20-\x7e]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

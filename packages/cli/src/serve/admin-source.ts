/** What the admin interface shows of a running server, out of the counters that exist. */
import type { AdminSource, Metric } from "@nfs4/admin";
import type { HostStack } from "@nfs4/netstack";
import { operationName, statusName } from "@nfs4/protocol";
import type { NfsServer } from "@nfs4/server";
import type { Clock } from "@nfs4/timecounter";

export function adminSource(server: NfsServer, stack: HostStack | null, clock: Clock): AdminSource {
  return {
    health: () => ({ healthy: true, inGrace: server.inGrace, uptimeSeconds: Math.floor(clock.coarse() / 1e6) }),
    clients: () =>
      [...server.clients].map((client) => ({
        id: `${client.id.hi.toString(16).padStart(8, "0")}${client.id.lo.toString(16).padStart(8, "0")}`,
        name: printable(client.identity.ownerId),
        minorVersions: client.identity.generation === "4.0" ? "4.0" : "4.1+",
        address: client.address,
        implementation: client.implementation,
        confirmed: client.confirmed,
        expired: client.expired,
        secondsSinceRenewal: Math.floor((clock.coarse() - client.renewedAt) / 1e6),
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
    metrics: () => [...serverMetrics(server), ...stackMetrics(stack)],
  };
}

function serverMetrics({ clients, counters, rpc, services }: NfsServer): Metric[] {
  const one = (name: string, kind: Metric["kind"], help: string, value: number): Metric => ({
    name,
    kind,
    help,
    samples: [{ value }],
  });
  return [
    one("nfs4_clients", "gauge", "Clients that the server knows", [...clients].length),
    one("nfs4_states", "gauge", "Stateids in use", services.states.stateCount),
    one("nfs4_open_files", "gauge", "Files that somebody has open", services.states.openFileCount),
    one("nfs4_connections", "gauge", "RPC connections", rpc.connections.size),
    one("nfs4_compounds_total", "counter", "COMPOUND requests", counters.compounds),
    one("nfs4_replays_total", "counter", "Replies given again to retries", counters.replays),
    one("nfs4_read_bytes_total", "counter", "Bytes read by clients", counters.readBytes),
    one("nfs4_written_bytes_total", "counter", "Bytes written by clients", counters.writtenBytes),
    one("nfs4_faults_total", "counter", "Exceptions of file systems without an error code", counters.faults),
    {
      name: "nfs4_operations_total",
      kind: "counter",
      help: "Operations by name",
      samples: counters.operations.flatMap((value, number) =>
        value > 0 ? [{ labels: { operation: operationName(number) }, value }] : [],
      ),
    },
    {
      name: "nfs4_errors_total",
      kind: "counter",
      help: "Results other than NFS4_OK, by status",
      samples: [...counters.errors].map(([status, value]) => ({ labels: { status: statusName(status) }, value })),
    },
    counterGroup("nfs4_rpc_total", "ONC RPC counters", rpc.counters),
    counterGroup("nfs4_callbacks_total", "Callback counters", services.callbacks.counters),
  ];
}

function stackMetrics(stack: HostStack | null): Metric[] {
  if (!stack) return [];
  const groups = Object.entries(stack.statistics).filter(
    (entry): entry is [string, object] => typeof entry[1] === "object" && entry[1] !== null,
  );
  return [
    counterGroup("nfs4_tcp_total", "TCP counters (tcpstat)", stack.tcp.statistics),
    ...groups.map(([name, counters]) =>
      counterGroup(`nfs4_${name.toLowerCase()}_total`, `Counters of ${name}`, counters),
    ),
    {
      name: "nfs4_interface_total",
      kind: "counter",
      help: "Counters of interfaces",
      samples: stack.interfaces.flatMap((iface) =>
        numbersOf(iface.statistics).map(([counter, value]) => ({ labels: { interface: iface.name, counter }, value })),
      ),
    },
  ];
}

function counterGroup(name: string, help: string, counters: object): Metric {
  return {
    name,
    help,
    kind: "counter",
    samples: numbersOf(counters).map(([counter, value]) => ({ labels: { counter }, value })),
  };
}

function numbersOf(counters: object): [string, number][] {
  return Object.entries(counters).filter((entry): entry is [string, number] => typeof entry[1] === "number");
}

/** Bytes that are not printable ASCII as \\xNN. */
function printable(latin1: string): string {
  return latin1.replace(/[^\x20-\x7e]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** What a server that has just started tells people. The last line is what to type on a client. */
import type { ExportOptions } from "@nfs4/server";
import type { PlannedExport } from "./plan.ts";
import type { Transport } from "./transport.ts";

export interface Facts {
  readonly planned: readonly PlannedExport[];
  /** In the order of `planned`. */
  readonly exports: readonly ExportOptions[];
  readonly transport: Pick<Transport, "address" | "description" | "port">;
  /** Nobody said what to serve. */
  readonly chosenByDefault: boolean;
  readonly inGrace: boolean;
  readonly statePath: string;
  readonly adminUrl: string | null;
}

export function announcement(facts: Facts): string[] {
  const { planned, exports, transport, inGrace, statePath, adminUrl } = facts;
  const served = exports.map((one, index) => {
    const source = planned[index]?.source ?? "memory, which is lost when the server ends";
    const how = [
      one.readOnly ? "read-only" : "writable",
      { root: "root squashed", all: "everybody squashed", none: "nobody squashed" }[one.squash ?? "root"],
      `for ${one.clients?.join(", ") ?? "everybody"}`,
    ];
    return `  ${one.path} is ${source} (${how.join("; ")})`;
  });
  return [
    facts.chosenByDefault ? "serving the current directory, because none was named:" : "serving:",
    ...served,
    `through ${transport.description[0]}, at ${transport.address} port ${transport.port}`,
    ...transport.description.slice(1).map((line) => `  ${line}`),
    `state in ${statePath}`,
    ...(inGrace ? ["in grace: clients of the last run may reclaim what they had, and new opens and locks wait"] : []),
    ...(adminUrl === null ? [] : [`admin at ${adminUrl}`]),
    `mount with: ${mountLine(transport, served.length === 1 ? (exports[0]?.path ?? "/") : "/")}`,
  ];
}

/** What to type on a client. */
export function mountLine(
  { address, port }: { readonly address: string; readonly port: number },
  path: string,
): string {
  const options = port === 2049 ? "vers=4.2" : `vers=4.2,port=${port}`;
  return `mount -t nfs4 -o ${options} ${address.includes(":") ? `[${address}]` : address}:${path} /mnt`;
}

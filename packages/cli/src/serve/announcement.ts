/** What a server that has just started tells people. The last line is what to type on a client. */
import type { OpenExport } from "./exports.ts";
import type { Transport } from "./transport.ts";

export interface Facts {
  readonly exports: readonly OpenExport[];
  readonly transport: Pick<Transport, "address" | "description" | "port">;
  /** Nobody said what to serve. */
  readonly chosenByDefault: boolean;
  readonly inGrace: boolean;
  readonly damagedJournalLines: number;
  readonly statePath: string;
  readonly adminUrl: string | null;
}

export function announcement(facts: Facts): string[] {
  const { exports, transport, inGrace, damagedJournalLines, statePath, adminUrl } = facts;
  const notes = new Set(exports.flatMap((one) => one.notes));
  return [
    facts.chosenByDefault ? "serving the current directory, because none was named:" : "serving:",
    ...exports.map(describe),
    ...[...notes].map((note) => `  (${note})`),
    `through ${transport.description[0]}, at ${transport.address} port ${transport.port}`,
    ...transport.description.slice(1).map((line) => `  ${line}`),
    `state in ${statePath}`,
    ...(damagedJournalLines > 0
      ? [
          `  its recovery.journal is damaged (unreadable lines: ${damagedJournalLines}): clients on record before may not reclaim`,
        ]
      : []),
    ...(inGrace ? ["in grace: clients of the last run may reclaim what they had, and new opens and locks wait"] : []),
    ...(adminUrl === null ? [] : [`admin at ${adminUrl}`]),
    `mount with: ${mountLine(transport, exports.length === 1 ? (exports[0]?.path ?? "/") : "/")}`,
  ];
}

const SQUASHED = { root: "root squashed", all: "everybody squashed", none: "nobody squashed" } as const;

function describe({ path, source, readOnly, squash = "root", clients = ["everybody"] }: OpenExport): string {
  return `  ${path} is ${source} (${readOnly ? "read-only" : "writable"}; ${SQUASHED[squash]}; for ${clients.join(", ")})`;
}

/** What to type on a client. */
export function mountLine(
  { address, port }: { readonly address: string; readonly port: number },
  path: string,
): string {
  const options = port === 2049 ? "vers=4.2" : `vers=4.2,port=${port}`;
  return `mount -t nfs4 -o ${options} ${address.includes(":") ? `[${address}]` : address}:${path} /mnt`;
}

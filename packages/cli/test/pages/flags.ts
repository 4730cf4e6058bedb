/** The table of flags in docs/cli.md. */
import { serveCommand } from "../../src/serve/command.ts";
import { row } from "./generated-part.ts";

export function flagsTable(): string {
  const options = serveCommand().options.filter(({ hidden }) => !hidden);
  const rows = options.map(({ flags, description, argChoices }) =>
    row(`\`${flags}\``, argChoices ? `${description}: ${argChoices.join(", ")}` : description),
  );
  return [row("Flag", "Is"), "|---|---|\n", ...rows].join("");
}

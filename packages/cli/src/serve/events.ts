/** Libraries publish what happens; here it is put into words. */
import { subscribe } from "node:diagnostics_channel";
import { clientChannel, faultChannel, graceChannel } from "@nfs4/server";

/** Calls `tell` with a line about each event, for as long as the process runs. */
export function tellEvents(tell: (text: string) => void): void {
  subscribe(faultChannel.name, (message) =>
    tell(`a file system threw: ${shown((message as { error: unknown }).error)}`),
  );
  subscribe(graceChannel.name, () => tell("grace is over"));
  subscribe(clientChannel.name, (message) => {
    const { client, event } = message as { client: { address: string; confirmed: boolean }; event: string };
    // Who never came does not go, either.
    if (event !== "confirmed" && !client.confirmed) return;
    tell(`client at ${client.address}: ${event}`);
  });
  subscribe("nfs4:rpc:error", (message) =>
    tell(`a call failed inside: ${shown((message as { error: unknown }).error)}`),
  );
}

/** These are bugs, so everything that is known. */
function shown(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

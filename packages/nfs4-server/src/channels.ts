/** Where the server publishes what people may want to log. It never logs itself. */
import { type Channel, channel } from "node:diagnostics_channel";

/** An exception that was nobody's answer: `{ error }`. */
export const faultChannel: Channel = channel("nfs4:server:fault");
/** A client came or went: `{ client, event: "confirmed" | "expired" | "replaced" | "destroyed" }`. */
export const clientChannel: Channel = channel("nfs4:server:client");
/** Grace began or ended: `{ active }`. */
export const graceChannel: Channel = channel("nfs4:server:grace");

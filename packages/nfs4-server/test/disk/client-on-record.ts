/** A client as the recovery journal sees it, by the key that it is on record under. */
import { VirtualClock } from "@nfs4/timecounter";
import { Client } from "../../src/state/client.ts";
import { reclaimKey } from "../../src/state/grace-status.ts";

const lease = new VirtualClock().callout(() => {});

export function clientOnRecord(key: string): Client {
  const [generation, ownerId] = key.split(":") as ["4.0" | "4.1", string];
  const identity = { ownerId, verifier: "1", principal: "root", generation };
  const client = new Client({ hi: 1, lo: 1 }, identity, lease);
  if (reclaimKey(client) !== key) throw new Error(`${key} is on record as ${reclaimKey(client)}`);
  return client;
}

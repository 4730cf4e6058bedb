import { channel } from "node:diagnostics_channel";
import { clientChannel } from "@nfs4/server";
import { expect, it } from "vitest";
import { tellEvents } from "./events.ts";

it("tells of clients that come and go, and nothing of those that never came", () => {
  const told: string[] = [];
  tellEvents((text) => told.push(text));
  const clients = channel(clientChannel.name);
  const [known, stranger] = [
    { address: "10.0.0.1", confirmed: true },
    { address: "10.0.0.2", confirmed: false },
  ];
  clients.publish({ client: known, event: "confirmed" });
  clients.publish({ client: stranger, event: "expired" });
  clients.publish({ client: known, event: "expired" });
  expect(told).toEqual(["client at 10.0.0.1: confirmed", "client at 10.0.0.1: expired"]);
});

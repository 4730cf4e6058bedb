/**
 * A server and a guest of an ordinary user: their network is a Unix socket, and nobody needs root. Run as that user, with an empty directory of theirs as
 * working directory. Prints what the guest saw, as JSON.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startGuest } from "../harness/guest.ts";
import { mountExport } from "../harness/mount.ts";
import { NFS4 } from "../harness/nfs4-command.ts";
import { startServerProcess } from "../harness/process.ts";

const base = process.cwd();
const data = join(base, "data");
const socket = join(base, "socket");
mkdirSync(data);

const flags = [data, "--uml-socket", socket, "--state-dir", join(base, "state"), "--admin", "127.0.0.1:0"];
await using server = startServerProcess([process.execPath, NFS4, "serve", ...flags], { name: "nfs4 serve" });
const [, source = ""] = await server.waitForLine(/^mount with: .* (\S+:\/) \/mnt$/);
const [, adminUrl = ""] = await server.waitForLine(/^admin at (\S+)$/);
const [, guestAddress = ""] = await server.waitForLine(/^ {2}and give them addresses such as (\S+)$/);

await using guest = await startGuest({ link: { bess: socket }, addresses: [guestAddress] });
const mount = await mountExport(guest, source, { version: "4.2" });
const written = await guest.must(
  `head -c 3000000 /dev/urandom > ${mount.path}/random && sha256sum < ${mount.path}/random`,
);
// Directly: caches that are dropped keep pages that are in use.
const read = await guest.must(`dd if=${mount.path}/random iflag=direct bs=1M status=none | sha256sum`);
const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
await mount.unmount();
console.log(
  JSON.stringify({
    uid: process.getuid?.(),
    capabilities: /^CapEff:\s*(\S+)/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1],
    notes: server.stdout,
    written,
    read,
    metrics,
    complaints: guest.kernelComplaints(),
  }),
);

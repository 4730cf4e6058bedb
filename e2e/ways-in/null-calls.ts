/** Our own RPC client over the kernel's sockets: makes NULL calls to an NFS server (RFC 8881 §16.1). Arguments: address, port, how many. */
import { nodeConnector } from "@nfs4/bytestream";
import { NFS_V4, NFS4_PROGRAM } from "@nfs4/protocol";
import { RpcClient } from "@nfs4/rpc";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";

const [address = "", port = "", count = ""] = process.argv.slice(2);
const clock = nodeClock();
const stream = await nodeConnector({ clock }).connect({ address, port: Number(port) }, { timeoutMs: 5_000 });
await using client = new RpcClient({ stream, environment: { clock, random: cryptoRandom }, timeoutMs: 5_000 });
const calls = Array.from({ length: Number(count) }, () =>
  client.call({
    program: NFS4_PROGRAM,
    version: NFS_V4,
    procedure: 0,
    decode: () => true,
  }),
);
console.log(`${(await Promise.all(calls)).length} answers`);
await client.close();
clock.close();

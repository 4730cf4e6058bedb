/** Something between a client and the world's server that refuses COMPOUNDs as a whole (RFC 7530 §15.2.4), as servers do that cannot read them. */
import {
  beginCompoundReply,
  decodeCompoundCall,
  decodeName,
  endCompoundReply,
  NFS_V4,
  NFS4_PROGRAM,
  type nfsstat4,
} from "@nfs4/protocol";
import { RpcClient, RpcServer } from "@nfs4/rpc";
import type { World } from "./world.ts";

/** `refuse`: with which status; null: it goes to the server. */
export async function startProxy(
  world: World,
  address: string,
  refuse: (minorVersion: number, tag: string) => nfsstat4 | null,
): Promise<RpcServer> {
  const { clock, random, network } = world;
  const stream = await world.run(network.connector(address).connect({ address: "10.0.0.1", port: 2049 }));
  const upstream = new RpcClient({ stream, environment: { clock, random: random.fork() } });
  const server = new RpcServer({
    clock,
    random: random.fork(),
    programs: [
      {
        program: NFS4_PROGRAM,
        lowVersion: NFS_V4,
        highVersion: NFS_V4,
        dispatch: (call) => {
          const { argsBytes: bytes } = call;
          const { tag, minorVersion } = decodeCompoundCall(call.args);
          const status = refuse(minorVersion, decodeName(tag));
          if (status !== null) {
            call.reply((writer) => endCompoundReply(writer, beginCompoundReply(writer, tag), status, 0));
            return undefined;
          }
          return upstream
            .call({
              program: NFS4_PROGRAM,
              version: NFS_V4,
              procedure: 1,
              encode: (writer) => writer.opaqueFixed(bytes, bytes.length),
              decode: (reader) => reader.opaqueFixed(reader.remaining).slice(),
            })
            .then((reply) => call.replyEncoded([{ bytes: reply }]));
        },
      },
    ],
  });
  server.serve(network.listen({ address, port: 2049 }));
  return server;
}

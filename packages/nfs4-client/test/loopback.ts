/** A server of ours on kernel sockets, for what is measured against `node:fs` in real time. */
import { nodeConnector, nodeListener } from "@nfs4/bytestream";
import { createServer, MemoryFileSystem, MemoryStorage } from "@nfs4/server";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";

export interface LoopbackServer extends AsyncDisposable {
  readonly url: string;
  close(): Promise<void>;
}

export async function startLoopbackServer(): Promise<LoopbackServer> {
  const clock = nodeClock();
  const server = await createServer({
    clock,
    random: cryptoRandom,
    storage: new MemoryStorage(),
    connector: nodeConnector({ clock }),
    exports: [
      {
        path: "/",
        fileSystem: new MemoryFileSystem({ now: () => clock.wall(), root: { mode: 0o777 } }),
        squash: "none",
        clients: ["127.0.0.1"],
      },
    ],
  });
  const listener = await nodeListener({ clock, host: "127.0.0.1", port: 0 });
  server.listen(listener);
  const close = async (): Promise<void> => {
    await server.close({ graceMs: 0 });
    clock.close();
  };
  return {
    url: `nfs://127.0.0.1:${listener.localAddress.port}/`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

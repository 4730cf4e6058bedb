import { connect } from "node:net";
import { ConnectError } from "../connect-error.ts";
import type { ByteStream, ConnectOptions, Connector } from "../types.ts";
import { NodeByteStream, type NodeStreamOptions } from "./node-stream.ts";

export interface NodeConnectorOptions extends NodeStreamOptions {
  /** Address to connect from. Default: the kernel's choice. */
  readonly localAddress?: string;
  /** Port to connect from, for servers that want a privileged one. Default: the kernel's choice. */
  readonly localPort?: number;
}

/** Connects with kernel sockets. `address` may be a host name. Without `timeoutMs`, the kernel gives up after two minutes or so. */
export function nodeConnector(options: NodeConnectorOptions): Connector {
  return { connect: (to, attempt) => connectTo(options, to, attempt ?? {}) };
}

function connectTo(
  options: NodeConnectorOptions,
  to: { readonly address: string; readonly port: number },
  { signal, timeoutMs }: ConnectOptions,
): Promise<ByteStream> {
  if (signal?.aborted) return Promise.reject(new ConnectError("ABORT_ERR", to, signal.reason));
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: to.address,
      port: to.port,
      allowHalfOpen: true,
      noDelay: true,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
      ...(options.localPort === undefined ? {} : { localPort: options.localPort }),
    });
    // Nothing is read before there is a sink.
    socket.pause();
    const busy = options.clock.busy();
    const timeout = options.clock.callout(() => fail("ETIMEDOUT"));
    const onAbort = (): void => fail("ABORT_ERR", signal?.reason);
    const onError = (error: NodeJS.ErrnoException): void => fail(error.code ?? "EIO", error);
    const onConnect = (): void => {
      done();
      resolve(new NodeByteStream(socket, options));
    };
    const done = (): void => {
      busy.release();
      timeout.cancel();
      signal?.removeEventListener("abort", onAbort);
      socket.off("connect", onConnect);
      socket.off("error", onError);
    };
    const fail = (code: string, cause?: unknown): void => {
      done();
      socket.on("error", () => {});
      socket.destroy();
      reject(new ConnectError(code, to, cause));
    };
    socket.on("connect", onConnect);
    socket.on("error", onError);
    signal?.addEventListener("abort", onAbort);
    if (timeoutMs !== undefined) timeout.scheduleAfter(timeoutMs * 1000);
  });
}

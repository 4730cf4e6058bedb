export { type DuplexOptions, StreamDuplex, toDuplex } from "./adapters/duplex.ts";
export { type NodeConnectorOptions, nodeConnector } from "./adapters/node-connector.ts";
export { type NodeListenerOptions, nodeListener } from "./adapters/node-listener.ts";
export { NodeByteStream, type NodeStreamOptions } from "./adapters/node-stream.ts";
export { ConnectError } from "./connect-error.ts";
export { MemoryNetwork, type MemoryNetworkOptions } from "./memory-network.ts";
export { type MemoryPipeOptions, memoryAddress, memoryPipe } from "./memory-stream.ts";
export { releaseSlices, SliceQueue } from "./slice-queue.ts";
export type {
  ByteSink,
  ByteStream,
  ConnectOptions,
  Connector,
  Listener,
  Slice,
  SocketAddress,
  StreamEnd,
} from "./types.ts";

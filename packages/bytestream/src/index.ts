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

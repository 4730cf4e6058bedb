import { createRequire } from "node:module";

/**
 * What the C side defines. Internal: the rest of this package gives it its public face. Wrong arguments throw a TypeError;
 * failed system calls return a negative errno.
 */
export interface Addon {
  readonly Watcher: new (fd: number, callback: (events: number) => void) => NativeWatcher;
  readonly PacketPort: new (
    fd: number,
    kind: number,
    alignment: number,
    maxPacket: number,
    slab: Uint8Array,
    packets: Int32Array,
    headers: Uint8Array,
    descriptors: Int32Array,
    statistics: Float64Array,
  ) => NativePacketPort;
  readonly FileEngine: new (
    workers: number,
    syncWorkers: number,
    callback: (count: number) => void,
    words: Int32Array,
    names: Uint8Array,
    records: Int32Array,
    syncRecord: Int32Array,
  ) => NativeFileEngine;
  fileOperations(): string[];
  openTun(
    name: string,
    tap: boolean,
    vnetHeader: boolean,
    offload: number,
    persist: boolean,
    exclusive: boolean,
  ): { fd: number; name: string; offload: number } | number;
  listenUnix(path: string, stream: boolean): number;
  connectUnix(path: string, stream: boolean): number;
  acceptUnix(fd: number): number;
  socketPair(stream: boolean): [number, number] | number;
  closeFd(fd: number): number;
  dupFd(fd: number): number;
  setNonBlocking(fd: number): number;
  netlinkExchange(message: Uint8Array): ArrayBuffer | number;
  registerSlab(memory: Uint8Array): number;
  unregisterSlab(id: number): void;
  inetChecksum(slab: number, offset: number, length: number, seed: number): number;
  rdtsc(): number;
  tscFrequency(microseconds: number): number;
  monotonicMicros(): number;
  threadCpuMicros(): number;
}

export interface NativeWatcher {
  arm(events: number): number;
  disarm(): void;
  setReferenced(keepAlive: boolean): void;
  close(): void;
}

export interface NativePacketPort {
  receive(budget: number): number;
  send(start: number, count: number, slices: readonly Uint8Array[]): number;
  close(): void;
}

export interface NativeFileEngine {
  perform(operation: number, buffers: Uint8Array | readonly Uint8Array[] | undefined): number;
  submit(operation: number, slot: number, buffers: Uint8Array | readonly Uint8Array[] | undefined): number;
  runAs<T>(action: () => T): T | number;
  close(): void;
}

export type Availability = { readonly ok: true } | { readonly ok: false; readonly reason: string };

let loaded: Addon | undefined;
let failure: string | undefined;

/** Whether the addon is built and loads here. Never throws; the answer is kept for the life of the process. */
export function nativeAvailable(): Availability {
  if (loaded === undefined && failure === undefined) load();
  return failure === undefined ? { ok: true } : { ok: false, reason: failure };
}

/** The addon. Throws an Error that says what to do if it is not available. */
export function addon(): Addon {
  if (loaded === undefined) {
    const { ok } = nativeAvailable();
    if (!ok) throw new Error(failure);
  }
  return loaded as Addon;
}

function load(): void {
  if (process.platform !== "linux") {
    failure = `the addon @nfs4/native is for Linux, this is ${process.platform}`;
    return;
  }
  try {
    // The same place from src/ and from dist/.
    loaded = createRequire(import.meta.url)("../build/Release/nfs4_native.node") as Addon;
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    failure = `the addon @nfs4/native does not load (${why}); build it with: npm run build -w packages/native`;
  }
}

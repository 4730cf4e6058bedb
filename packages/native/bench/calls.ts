// What the calls cost: `npx tsx packages/native/bench/calls.ts`. Node's own calls stand beside them, in the same run.
import { mkdtempSync, promises, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  FileCalls,
  inetChecksum,
  monotonicMicros,
  O,
  PacketPort,
  rdtsc,
  registerSlab,
  STATX,
  socketPair,
  threadCpuMicros,
} from "../src/index.ts";

/** Nanoseconds per call, best of five. */
function measure(name: string, count: number, call: () => void): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const begin = monotonicMicros();
    for (let i = 0; i < count; i++) call();
    best = Math.min(best, ((monotonicMicros() - begin) * 1000) / count);
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(0).padStart(7)} ns`);
}

/** The same for promises, `depth` of them at a time; with the CPU time of this thread. */
async function measureAsync(name: string, count: number, depth: number, call: () => Promise<unknown>): Promise<void> {
  const begin = monotonicMicros();
  const cpu = threadCpuMicros();
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: depth }, lane));
  const elapsed = ((monotonicMicros() - begin) * 1000) / count;
  const busy = ((threadCpuMicros() - cpu) * 1000) / count;
  console.log(
    `${`${name}, ${depth} at a time`.padEnd(44)} ${elapsed.toFixed(0).padStart(7)} ns, main thread ${busy.toFixed(0)} ns`,
  );
}

measure("rdtsc", 200_000, rdtsc);
measure("monotonicMicros", 200_000, monotonicMicros);
const slab = new Uint8Array(1 << 17).map((_, i) => i * 7);
const id = registerSlab(slab);
for (const length of [20, 1448, 65_483])
  measure(`inetChecksum of ${length} bytes`, 50_000, () => inetChecksum(id, 3, length, 0));

const directory = mkdtempSync(join(tmpdir(), "nfs4-native-bench-"));
const files = new FileCalls();
const { sync, pool } = files;
const root = sync.openPath(directory, O.PATH | O.DIRECTORY);
sync.mkdir(root, "sub", 0o755);
const alice = { uid: 1000, gid: 1000, groups: [1000, 4, 5] };
const mask = STATX.BASIC_STATS;
measure("sync.statx of a descriptor", 50_000, () => sync.statx(root, null, 0, mask));
measure("sync.statx of a name", 50_000, () => sync.statx(root, "sub", 0, mask));
measure("sync.statx as another user", 10_000, () => sync.statx(root, null, 0, mask, alice));
files.runAs(alice, () => measure("sync.statx within runAs", 50_000, () => sync.statx(root, null, 0, mask)));
measure("Node: statSync", 20_000, () => statSync(join(directory, "sub")));
const fd = sync.open(root, "file", O.RDWR | O.CREAT, 0o644);
const mebibyte = new Uint8Array(1 << 20);
sync.write(fd, mebibyte, 0, 0);
const page = new Uint8Array(4096);
measure("read of 4 KiB in memory", 50_000, () => files.read(fd, page, 8192));
measure("read of 1 MiB in memory", 500, () => files.read(fd, mebibyte, 0));
for (const depth of [1, 32]) {
  await measureAsync("pool.statx", 20_000, depth, () => pool.statx(root, null, 0, mask));
  await measureAsync("pool.statx as another user", 20_000, depth, () => pool.statx(root, null, 0, mask, alice));
  await measureAsync("Node: promises.stat", 10_000, depth, () => promises.stat(directory));
}
await files.close();
rmSync(directory, { recursive: true });

const ports = socketPair("seqpacket").map((end) => {
  const descriptors = new Int32Array(32 * 6).map((_, i) => [0, 54, 1, 0, 0, 1448][i % 6]!);
  const packets = new Int32Array(64);
  const headers = new Uint8Array(64);
  const onReady = (): void => {};
  const room = new Uint8Array(1 << 17);
  return new PacketPort({
    fd: end,
    kind: "message",
    slab: room,
    packets,
    headers,
    descriptors,
    alignment: 2,
    maxPacket: 2048,
    onReady,
  });
});
const [a, b] = ports as [PacketPort, PacketPort];
measure("32 frames of 1502 bytes sent and received", 2000, () => {
  if (a.send(0, 32, [slab]) !== 32 || (b.receive(32) & 0xffff) !== 32) throw new Error("frames were lost");
});
a.close();
b.close();

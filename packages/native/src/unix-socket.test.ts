import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  adoptFd,
  closeFd,
  connectUnix,
  dupFd,
  nativeAvailable,
  PacketPort,
  READABLE,
  socketPair,
  UnixListener,
} from "./index.ts";

const available = nativeAvailable();
if (!available.ok) console.warn(`Unix sockets are not tested: ${available.reason}`);

describe.runIf(available.ok)("Unix sockets", () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "nfs4-native-"));
    path = join(directory, "socket");
    return () => rmSync(directory, { recursive: true });
  });
  const listeners: UnixListener[] = [];
  afterEach(() => {
    for (const listener of listeners.splice(0)) listener.close();
  });

  function accept(type: "seqpacket" | "stream", count = 1): Promise<number[]> {
    return new Promise((resolve) => {
      const fds: number[] = [];
      listeners.push(
        new UnixListener(path, type, (fd) => {
          fds.push(fd);
          if (fds.length === count) resolve(fds);
        }),
      );
    });
  }

  function port(
    fd: number,
    kind: "message" | "stream",
  ): { take: () => Promise<Uint8Array>; send: (bytes: Uint8Array) => number; close: () => void } {
    const slab = new Uint8Array(1 << 16);
    const packets = new Int32Array(2);
    const headers = new Uint8Array(2000);
    const descriptors = new Int32Array(3);
    let ready: () => void = () => {};
    const p = new PacketPort({
      fd,
      kind,
      slab,
      packets,
      headers,
      descriptors,
      alignment: 2,
      maxPacket: 2000,
      onReady: () => ready(),
    });
    return {
      async take() {
        for (;;) {
          const result = p.receive(1);
          if (result < 0) throw new Error(String(result));
          if (result > 0) return slab.slice(packets[0]!, packets[0]! + packets[1]!);
          await new Promise<void>((resolve) => {
            ready = resolve;
            p.arm(READABLE);
          });
        }
      },
      send(bytes) {
        headers.set(bytes);
        descriptors.set([0, bytes.length, 0]);
        return p.send(0, 1, []);
      },
      close: () => p.close(),
    };
  }

  it("frames go both ways between those who connect, as UML does, and who listens", async () => {
    const accepted = accept("seqpacket", 2);
    const [one, two] = [
      port(connectUnix(path, "seqpacket"), "message"),
      port(connectUnix(path, "seqpacket"), "message"),
    ];
    const [first, second] = (await accepted).map((fd) => port(fd, "message"));
    expect(one.send(Uint8Array.of(1))).toBe(1);
    expect(two.send(Uint8Array.of(2))).toBe(1);
    expect(await first!.take()).toEqual(Uint8Array.of(1));
    expect(await second!.take()).toEqual(Uint8Array.of(2));
    expect(second!.send(new Uint8Array(1514))).toBe(1);
    expect(await two.take()).toEqual(new Uint8Array(1514));
    for (const p of [one, two, first, second]) p!.close();
  });

  it("a stream speaks with anyone who puts lengths before frames, as QEMU does", async () => {
    const accepted = accept("stream");
    const peer = connect(path);
    const [fd] = await accepted;
    const ours = port(fd!, "stream");
    peer.write(Uint8Array.of(0, 0, 0, 2, 8, 9));
    expect(await ours.take()).toEqual(Uint8Array.of(8, 9));
    const answer = new Promise<Uint8Array>((resolve) => peer.once("data", resolve));
    expect(ours.send(Uint8Array.of(7))).toBe(1);
    expect(Uint8Array.from(await answer)).toEqual(Uint8Array.of(0, 0, 0, 1, 7));
    peer.destroy();
    ours.close();
  });

  it("a listener replaces the socket of a dead process, and nothing else", async () => {
    new UnixListener(path, "seqpacket", closeFd).close();
    const alive = accept("seqpacket");
    expect(() => new UnixListener(path, "seqpacket", closeFd)).toThrow("EADDRINUSE");
    closeFd(connectUnix(path, "seqpacket"));
    for (const fd of await alive) closeFd(fd);
    const file = join(directory, "file");
    writeFileSync(file, "precious");
    expect(() => new UnixListener(file, "stream", closeFd)).toThrow("EADDRINUSE");
    expect(() => new UnixListener(join(directory, "x".repeat(120)), "stream", closeFd)).toThrow();
    expect(() => connectUnix(join(directory, "nobody"), "stream")).toThrow("ENOENT");
    const server = createServer().listen(join(directory, "stream"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect(() => connectUnix(join(directory, "stream"), "seqpacket")).toThrow("EPROTOTYPE");
    expect(() => new UnixListener(join(directory, "stream"), "seqpacket", closeFd)).toThrow("EPROTOTYPE");
    server.close();
  });

  it("one end of a pair can be given to a child, as UML's fd transport wants", async () => {
    const [ours, theirs] = socketPair("seqpacket");
    const child = spawnSync("sh", ["-c", "printf hello >&3"], { stdio: ["ignore", "ignore", "ignore", theirs] });
    expect(child.status).toBe(0);
    closeFd(theirs);
    const p = port(adoptFd(ours), "message");
    expect(Buffer.from(await p.take()).toString()).toBe("hello");
    p.close();
  });

  it("descriptors are closed once and can be doubled", () => {
    const [a, b] = socketPair("stream");
    const copy = dupFd(a);
    closeFd(a);
    expect(() => closeFd(a)).toThrow("EBADF");
    expect(() => dupFd(a)).toThrow("EBADF");
    expect(() => adoptFd(-1)).toThrow("EBADF");
    closeFd(copy);
    closeFd(b);
  });
});

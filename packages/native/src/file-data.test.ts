import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bytes, good, outcome, Scratch, text, withoutFiles } from "../test/scratch.ts";
import { ADVICE, errno, FALLOC, FileCalls, type FileSystemCalls, O, RWF, SEEK, STATX } from "./index.ts";

describe.runIf(withoutFiles === undefined)("the bytes of files", () => {
  let s: Scratch;
  let sync: FileSystemCalls;
  let fd: number;
  let count = 0;
  beforeAll(() => {
    s = new Scratch();
    sync = s.files.sync;
  });
  afterAll(() => s.remove());
  beforeEach(() => {
    fd = good(sync.open(s.root, `file ${++count}`, O.RDWR | O.CREAT | O.EXCL, 0o600));
    return () => {
      sync.close(fd);
    };
  });
  const content = (): string => readFileSync(join(s.path, `file ${count}`), "latin1");

  it("reads and writes one buffer or several, at offsets", async () => {
    expect(sync.write(fd, bytes("hello"), 0, 0)).toBe(5);
    expect(await s.files.pool.write(fd, [bytes(" wor"), bytes(""), bytes("ld")], 5n, RWF.DSYNC)).toBe(6);
    expect(content()).toBe("hello world");
    const [a, b] = [new Uint8Array(4), new Uint8Array(20)];
    expect(await s.files.pool.read(fd, [a, b], 3, 0)).toBe(8);
    expect(text(a) + text(b, 4)).toBe("lo world");
    expect(sync.read(fd, a, 100, 0)).toBe(0);
    expect(sync.write(fd, [], 0, 0)).toBe(0);
  });

  it("refuses more slices than the kernel takes, and what is no buffer", () => {
    expect(
      outcome(
        sync.write(
          fd,
          Array.from({ length: 1025 }, () => bytes("x")),
          0,
          0,
        ),
      ),
    ).toBe("EINVAL");
    expect(
      sync.write(
        fd,
        Array.from({ length: 1024 }, () => bytes("x")),
        0,
        0,
      ),
    ).toBe(1024);
    expect(() => sync.write(fd, "text" as unknown as Uint8Array, 0, 0)).toThrow(TypeError);
    expect(() => s.files.pool.write(fd, [new Float64Array(1) as unknown as Uint8Array], 0, 0)).toThrow(TypeError);
    expect(() => sync.read(fd, bytes("x"), 0.5, 0)).toThrow(RangeError);
    expect(() => sync.read(fd, bytes("x"), 2 ** 53, 0)).toThrow(RangeError);
    expect(outcome(sync.read(fd, bytes("x"), -1, 0))).toBe("EINVAL");
  });

  it("read: at once what is in memory, the same bytes in any case", async () => {
    const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) >> 3);
    expect(sync.write(fd, data, 0, 0)).toBe(data.length);
    await fc.assert(
      fc.asyncProperty(fc.nat(310_000), fc.nat(100_000), fc.boolean(), async (offset, length, cold) => {
        if (cold) {
          await s.files.pool.fdatasync(fd);
          sync.advise(fd, 0, 0, ADVICE.DONTNEED);
        }
        const into = new Uint8Array(length);
        const result = s.files.read(fd, into, offset);
        const expected = data.subarray(Math.min(offset, data.length), Math.min(offset + length, data.length));
        expect(await result).toBe(expected.length);
        expect(Buffer.compare(into.subarray(0, expected.length), expected)).toBe(0);
      }),
      { numRuns: 30 },
    );
    // All of it has been written just now, so it is in memory.
    expect(sync.write(fd, data, 0, 0)).toBe(data.length);
    const nowait = sync.read(fd, new Uint8Array(1), 0, RWF.NOWAIT);
    if (nowait === 1) expect(s.files.read(fd, new Uint8Array(400_000), 0)).toBe(data.length);
    else expect(outcome(nowait)).toBe("EOPNOTSUPP");
    expect(s.files.read(-1, new Uint8Array(1), 0)).toBe(-errno["EBADF"]!);
    expect(s.files.read(fd, new Uint8Array(0), 0)).toBe(0);
  });

  it("fallocate, seek: holes and data, at offsets beyond 2^53 where the file system takes them", () => {
    expect(sync.write(fd, new Uint8Array(65_536).fill(1), 1 << 20, 0)).toBe(65_536);
    expect(sync.seek(fd, 0, SEEK.DATA)).toBe(1n << 20n);
    expect(sync.seek(fd, 1 << 20, SEEK.HOLE)).toBe(BigInt((1 << 20) + 65_536));
    expect(outcome(sync.seek(fd, 1 << 30, SEEK.DATA))).toBe("ENXIO");
    expect(sync.fallocate(fd, FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE, 1 << 20, 32_768)).toBe(0);
    expect(sync.seek(fd, 0, SEEK.DATA)).toBe(BigInt((1 << 20) + 32_768));
    expect(sync.fallocate(fd, 0, 0, 2_000_000)).toBe(0);
    expect(good(sync.statx(fd, null, 0, STATX.SIZE)).size).toBe(2_000_000);
    expect(outcome(sync.fallocate(fd, 0, 0, 0))).toBe("EINVAL");
  });

  it("64-bit arguments and results are exact: /proc/self/mem takes any offset", () => {
    const memory = good(sync.openPath("/proc/self/mem", O.RDONLY));
    for (const position of [2n ** 53n + 1n, 2n ** 62n + 12_345_678_901n, 2n ** 32n, 2n ** 31n, 0n])
      expect(sync.seek(memory, position, SEEK.SET)).toBe(position);
    sync.close(memory);
  });

  it("syncs", async () => {
    sync.write(fd, bytes("x"), 0, 0);
    const { pool } = s.files;
    expect(await Promise.all([pool.fsync(fd), pool.fdatasync(fd), pool.syncfs(fd), pool.fsync(-1)])).toEqual([
      0, 0, 0, -9,
    ]);
  });

  it("copyRange copies; clone says where blocks cannot be shared", async () => {
    const target = good(sync.open(s.root, `target ${count}`, O.RDWR | O.CREAT, 0o600));
    sync.write(fd, bytes("0123456789"), 0, 0);
    expect(await s.files.pool.copyRange(fd, 2, target, 1n, 100)).toBe(8);
    expect(readFileSync(join(s.path, `target ${count}`), "latin1")).toBe("\x0023456789");
    expect(await s.files.pool.copyRange(fd, 10, target, 0, 100)).toBe(0);
    for (const result of [await s.files.pool.clone(fd, target), sync.cloneRange(fd, 0, target, 0, 0)])
      expect(["OK", "EOPNOTSUPP", "EXDEV", "EINVAL"]).toContain(outcome(result));
    sync.close(target);
  });

  it("answers a thousand calls at the same time, each with its own", async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `parallel ${i}`);
    const { pool } = s.files;
    const fds = await Promise.all(names.map((name) => pool.open(s.root, name, O.RDWR | O.CREAT, 0o600)));
    expect(new Set(fds).size).toBe(1000);
    expect(await Promise.all(fds.map((f, i) => pool.write(f, bytes(`content ${i}`), 0, 0)))).toEqual(
      names.map((_, i) => `content ${i}`.length),
    );
    const into = names.map(() => new Uint8Array(20));
    const lengths = await Promise.all(fds.map((f, i) => pool.read(f, into[i]!, 0, 0)));
    expect(into.map((buffer, i) => text(buffer, lengths[i]))).toEqual(names.map((_, i) => `content ${i}`));
    const sizes = await Promise.all(names.map((name) => pool.statx(s.root, name, 0, STATX.SIZE)));
    expect(sizes.map((st) => good(st).size)).toEqual(names.map((_, i) => `content ${i}`.length));
    await Promise.all(fds.map((f) => pool.close(f)));
    await Promise.all(names.map((name) => pool.unlink(s.root, name, 0)));
  });

  it("close waits for what is in flight; later calls are cancelled", async () => {
    writeFileSync(join(s.path, "last"), "");
    const files = new FileCalls({ workers: 1 });
    const results = Array.from({ length: 100 }, () => files.pool.statx(s.root, "last", 0, STATX.SIZE));
    expect(files.inFlight).toBe(100);
    const closed = files.close();
    const refused = files.pool.statfs(s.root);
    expect((await Promise.all(results)).every((st) => typeof st === "object")).toBe(true);
    await closed;
    await files.close();
    expect(outcome(await refused)).toBe("ECANCELED");
    expect(outcome(files.sync.statfs(s.root))).toBe("ECANCELED");
  });
});

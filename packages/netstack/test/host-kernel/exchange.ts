/** What our end and the kernel's say to each other, and how it is compared. */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import type { TcpConnection } from "../../src/tcp/connection.ts";

/** 256 KiB that a seed determines. */
export function block(seed: number): Buffer {
  const bytes = Buffer.alloc(256 * 1024);
  let x = seed * 2654435761;
  for (let i = 0; i < bytes.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

export function expected(data: Buffer, total: number): string {
  const hash = createHash("sha1");
  for (let at = 0; at < total; at += data.length) hash.update(data.subarray(0, Math.min(data.length, total - at)));
  return hash.digest("hex");
}

export function pumpOurs(ours: TcpConnection, data: Buffer, total: number): Promise<void> {
  return new Promise((resolve) => {
    let at = 0;
    const more = (): void => {
      while (at < total && ours.queued < ours.highWater) {
        const bytes = data.subarray(0, Math.min(data.length, total - at));
        at += bytes.length;
        ours.write([{ bytes, ...(at === total ? { release: () => resolve() } : {}) }]);
      }
    };
    ours.onDrain = more;
    more();
  });
}

export async function pumpKernel(kernel: Socket, data: Buffer, total: number): Promise<void> {
  for (let at = 0; at < total; at += data.length) {
    const bytes = data.subarray(0, Math.min(data.length, total - at));
    if (!kernel.write(bytes)) await new Promise((resolve) => kernel.once("drain", resolve));
  }
}

export function hashOurs(ours: TcpConnection): Promise<string> {
  const hash = createHash("sha1");
  return new Promise((resolve) => {
    ours.setSink({
      data: (slab, offset, length) => {
        hash.update(slab.subarray(offset, offset + length));
        return length;
      },
      end: () => resolve(hash.digest("hex")),
    });
  });
}

export function hashKernel(kernel: Socket): Promise<string> {
  const hash = createHash("sha1");
  return new Promise((resolve, reject) => {
    kernel.on("data", (bytes: Buffer) => hash.update(bytes));
    kernel.once("end", () => resolve(hash.digest("hex")));
    kernel.once("error", reject);
    kernel.resume();
  });
}

/** Exactly so many bytes. It takes what there is: a `read(length)` of more than has come would be "readable" again at once, and nothing else would ever run. */
export async function read(kernel: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let missing = length; missing > 0; ) {
    const bytes = kernel.read() as Buffer | null;
    if (bytes === null) {
      await new Promise((resolve) => kernel.once("readable", resolve));
      continue;
    }
    parts.push(bytes.subarray(0, missing));
    if (bytes.length > missing) kernel.unshift(bytes.subarray(missing));
    missing -= Math.min(missing, bytes.length);
  }
  return Buffer.concat(parts);
}

/** Sends back whatever comes. */
export function echo(ours: TcpConnection): void {
  ours.setSink({
    data: (slab, offset, length) => {
      ours.write([{ bytes: slab.slice(offset, offset + length) }]);
      return length;
    },
    end: () => ours.shutdown(),
  });
}

export type Ask = (request: Buffer) => Promise<Buffer>;

/** The kernel asks, we answer. */
export function askOurs(ours: TcpConnection, kernel: Socket): Ask {
  echo(ours);
  return (request) => {
    kernel.write(request);
    return read(kernel, request.length);
  };
}

/** We ask, a socket of the kernel answers. */
export function askKernel(ours: TcpConnection, kernel: Socket): Ask {
  kernel.on("data", (bytes: Buffer) => kernel.write(bytes));
  kernel.once("end", () => kernel.end());
  let got = Buffer.alloc(0);
  let came = (): void => {};
  ours.setSink({
    data: (slab, offset, length) => {
      got = Buffer.concat([got, slab.subarray(offset, offset + length)]);
      came();
      return length;
    },
    end: () => {},
  });
  return async (request) => {
    got = Buffer.alloc(0);
    ours.write([{ bytes: request }]);
    while (got.length < request.length) {
      await new Promise<void>((resolve) => {
        came = resolve;
      });
    }
    return got;
  };
}

/** A real kernel acts in real time: looks now and then, and leaves the machine to it meanwhile. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

export function equal(got: unknown, wanted: unknown, what: string): void {
  if (got !== wanted) throw new Error(`${what}: ${String(got)}, not ${String(wanted)}`);
}

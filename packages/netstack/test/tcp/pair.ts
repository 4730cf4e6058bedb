import type { ByteStream } from "@nfs4/bytestream";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { MemoryLink, type MemoryLinkOptions } from "../../src/drivers/memory-link.ts";
import { Stack } from "../../src/stack.ts";
import type { SysctlValue } from "../../src/sysctl.ts";
import type { TcpConnection } from "../../src/tcp/connection.ts";
import { TcpLayer } from "../../src/tcp/layer.ts";
import type { TcpListenOptions } from "../../src/tcp/listeners.ts";

export interface PairOptions extends MemoryLinkOptions {
  readonly sysctl?: Readonly<Record<string, SysctlValue>>;
}

/** Two stacks on one link, in virtual time. */
export class Pair {
  readonly clock: VirtualClock = new VirtualClock();
  readonly link: MemoryLink;
  readonly a: Stack;
  readonly b: Stack;
  readonly tcpA: TcpLayer;
  readonly tcpB: TcpLayer;

  constructor(options: PairOptions = {}) {
    const { seed = 1, sysctl = {} } = options;
    this.link = new MemoryLink(this.clock, options);
    this.a = new Stack({ name: "a", clock: this.clock, random: new SeededRandom(seed * 2 + 1), sysctl });
    this.b = new Stack({ name: "b", clock: this.clock, random: new SeededRandom(seed * 2 + 2), sysctl });
    this.a.addInterface({ name: "net0", driver: this.link.a }).addAddress("10.0.0.1/24");
    this.b.addInterface({ name: "net0", driver: this.link.b }).addAddress("10.0.0.2/24");
    this.tcpA = new TcpLayer(this.a);
    this.tcpB = new TcpLayer(this.b);
  }

  /** Connects a (which opens) and b (which listens). */
  async connect(listen: Partial<TcpListenOptions> = {}): Promise<{ client: TcpConnection; server: ByteStream }> {
    const listener = this.tcpB.listen({ port: 2049, ...listen });
    const accepted = new Promise<ByteStream>((resolve) => listener.accept(resolve));
    const client = await this.clock.runToSettle(this.tcpA.connect({ address: "10.0.0.2", port: listener.port }));
    const server = await this.clock.runToSettle(accepted);
    return { client, server };
  }
}

/** Keeps what a stream receives. */
export class Collector {
  readonly chunks: Uint8Array[] = [];
  length = 0;
  ended = false;

  constructor(stream: ByteStream) {
    stream.setSink({
      data: (slab, offset, length) => {
        this.chunks.push(slab.slice(offset, offset + length));
        this.length += length;
        return length;
      },
      end: () => {
        this.ended = true;
      },
    });
  }

  get bytes(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

/** Bytes that a position determines. */
export function pattern(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(i + seed, 0x9e3779b1) >>> 24;
  return bytes;
}

/** Writes all of it in pieces, respecting the high-water mark, then shuts down. Resolves when every slice is released. */
export function pump(stream: ByteStream, bytes: Uint8Array, piece = 65_536): Promise<number> {
  return new Promise((resolve) => {
    let at = 0;
    let released = 0;
    const total = Math.ceil(bytes.length / piece);
    const more = (): void => {
      while (at < bytes.length && stream.queued < stream.highWater) {
        const end = Math.min(at + piece, bytes.length);
        const release = (): void => {
          if (++released === total) resolve(released);
        };
        const slice = { bytes: bytes.subarray(at, end), release };
        at = end;
        stream.write([slice]);
      }
      if (at === bytes.length) stream.shutdown();
    };
    stream.onDrain = more;
    more();
  });
}

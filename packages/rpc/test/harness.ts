import { type ByteStream, type MemoryPipeOptions, memoryPipe } from "@nfs4/bytestream";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import type { XdrReader, XdrWriter } from "@xdr-ts/xdr";
import { expect } from "vitest";
import { RpcClient, type RpcClientOptions } from "../src/client.ts";
import type { RpcConnection } from "../src/connection.ts";
import { RpcEnvironment } from "../src/environment.ts";
import type { RpcProgram } from "../src/program.ts";
import type { RpcCall } from "../src/rpc-call.ts";
import { RpcServer, type RpcServerOptions } from "../src/server.ts";

export const ECHO = 0x2000_0001;
export const Procedure = { NULL: 0, ECHO: 1, LATER: 2, HOLD: 3, CALL_BACK: 4, BLOB: 5 } as const;

/** A server with one program, a client and a pipe between them, in virtual time. Everything is checked for leaks at the end. */
export class Conversation {
  readonly clock: VirtualClock = new VirtualClock();
  readonly server: RpcServer;
  readonly client: RpcClient;
  readonly connection: RpcConnection;
  /** Calls of HOLD, unanswered. */
  readonly held: RpcCall[] = [];

  constructor(
    options: {
      readonly server?: Partial<RpcServerOptions>;
      readonly client?: Partial<RpcClientOptions>;
      readonly pipe?: MemoryPipeOptions;
    } = {},
  ) {
    const { clock } = this;
    this.server = new RpcServer({
      clock,
      random: new SeededRandom(1),
      programs: [echoProgram(clock, this.held)],
      poison: true,
      ...options.server,
    });
    const [near, far] = memoryPipe(clock, { poison: true, ...options.pipe });
    this.connection = this.server.accept(far)!;
    const environment = new RpcEnvironment({ clock, random: new SeededRandom(2), poison: true });
    this.client = new RpcClient({ stream: near, environment, ...options.client });
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.clock.runToSettle(promise);
  }

  /** Closes both sides and asserts that nothing is held any more. */
  async finish(): Promise<void> {
    await this.run(Promise.all([this.client.close(), this.server.close()]));
    expectNothingHeld(this.server.environment);
    expectNothingHeld(this.client.environment);
  }
}

export function expectNothingHeld(environment: RpcEnvironment): void {
  expect(environment.buffers.outstanding).toBe(0);
  expect(environment.writers.outstanding).toBe(0);
  expect(environment.all.memory.used).toBe(0);
  expect(environment.all.calls.used).toBe(0);
  expect(environment.all.output.used).toBe(0);
  expect(environment.strangers.memory.used).toBe(0);
  expect(environment.counters.callsInFlight).toBe(0);
}

/** Procedures that echo opaque data: at once, after 1 ms, when the test says so, by way of a callback, or made up by length. */
export function echoProgram(clock: VirtualClock, held: RpcCall[] = []): RpcProgram {
  const echo = (call: RpcCall): void => {
    const data = call.args.opaque(1 << 24);
    call.reply((writer) => writer.opaque(data));
  };
  return {
    program: ECHO,
    lowVersion: 2,
    highVersion: 3,
    dispatch(call) {
      switch (call.procedure) {
        case Procedure.ECHO:
          return echo(call);
        case Procedure.LATER:
          return new Promise<void>((resolve) => clock.callout(resolve).scheduleAfter(1000)).then(() => echo(call));
        case Procedure.HOLD:
          held.push(call);
          return;
        case Procedure.CALL_BACK:
          return callBack(call);
        case Procedure.BLOB: {
          const blob = new Uint8Array(call.args.uint32()).fill(0x5a);
          return call.reply((writer) => writer.opaque(blob));
        }
        default:
          call.procedureUnavailable();
      }
    },
  };
}

async function callBack(call: RpcCall): Promise<void> {
  const data = call.args.opaque();
  const answer = await call.connection.call({
    program: ECHO,
    version: 2,
    procedure: Procedure.ECHO,
    encode: (writer) => writer.opaque(data),
    decode: (reader) => reader.opaque().slice(),
  });
  call.reply((writer) => writer.opaque(answer));
}

export function echoRequest(data: Uint8Array, procedure: number = Procedure.ECHO) {
  return {
    program: ECHO,
    version: 2,
    procedure,
    encode: (writer: XdrWriter) => writer.opaque(data),
    decode: (reader: XdrReader) => reader.opaque().slice(),
  };
}

/** A stream's end as a script sees it: everything received, and raw writes. */
export class RawPeer {
  readonly stream: ByteStream;
  #received: number[] = [];
  ended = false;

  constructor(stream: ByteStream) {
    this.stream = stream;
    stream.setSink({
      data: (slab, offset, length) => {
        for (let i = 0; i < length; i++) this.#received.push(slab[offset + i]!);
        return length;
      },
      end: () => {
        this.ended = true;
      },
    });
  }

  send(...parts: readonly (Uint8Array | string)[]): void {
    for (const part of parts) this.stream.write([{ bytes: typeof part === "string" ? hex(part) : part }]);
  }

  /** What has come since the last time, as hex. */
  take(): string {
    const text = toHex(Uint8Array.from(this.#received));
    this.#received = [];
    return text;
  }
}

/** Bytes of hex digits, spaces ignored. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

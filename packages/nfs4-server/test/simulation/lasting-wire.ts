/** A client's connection that is made again whenever it breaks or falls silent; what was not answered is sent again, the same to the last bit. */
import type { Connector } from "@nfs4/bytestream";
import { RpcClient, type RpcEnvironment, RpcError } from "@nfs4/rpc";
import { type Clock, type SeededRandom, sleepOn } from "@nfs4/timecounter";
import { type CallOptions, compoundCall, type Pace, ROOT } from "../harness/wire.ts";
import { NFS_PORT } from "./network.ts";

export interface LastingWireOptions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly environment: RpcEnvironment;
  readonly connector: Connector;
  readonly address: string;
}

const SILENCE_MS = 4000;
const CONNECT_MS = 3000;
/** After these, whether the call was executed is unknown. */
const LOST = new Set(["RPC_TIMEOUT", "RPC_DISCONNECTED", "RPC_CLOSED"]);

export class LastingWire {
  readonly world: Pace;
  readonly address: string;
  /** Calls that were sent more than once. */
  repeated = 0;
  /** A call has been sent and not been answered. */
  waiting = false;
  readonly #options: LastingWireOptions;
  readonly #sleep: (us: number) => Promise<void>;
  #rpc: RpcClient | null = null;

  constructor(options: LastingWireOptions) {
    this.#options = options;
    this.address = options.address;
    this.#sleep = sleepOn(options.clock);
    let xid = options.random.uint32() >>> 1;
    // Time is let run by the simulation, not by who waits.
    this.world = { run: (promise) => promise, takeXid: () => xid++ };
  }

  get rpc(): RpcClient {
    if (!this.#rpc) throw new Error("there is no connection now");
    return this.#rpc;
  }

  async start(request: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const { xid = this.world.takeXid(), user = ROOT } = options;
    for (let attempt = 0; ; attempt++) {
      if (attempt === 1) this.repeated++;
      const rpc = await this.#connected();
      this.waiting = true;
      try {
        return await rpc.start(xid, { ...compoundCall(request, user), timeoutMs: SILENCE_MS }).results;
      } catch (error) {
        if (!(error instanceof RpcError && LOST.has(error.code))) throw error;
        // A 4.0 client must not repeat a call on a connection that still stands (RFC 7530 §3.1.1).
        if (this.#rpc === rpc) this.abort();
      } finally {
        this.waiting = false;
      }
    }
  }

  abort(): void {
    this.#rpc?.connection.abort();
    this.#rpc = null;
  }

  async close(): Promise<void> {
    await this.#rpc?.close({ graceMs: 0 });
    this.#rpc = null;
  }

  async #connected(): Promise<RpcClient> {
    const { connector, address, environment, random } = this.#options;
    while (!this.#rpc) {
      try {
        const stream = await connector.connect({ address, port: NFS_PORT }, { timeoutMs: CONNECT_MS });
        const rpc = new RpcClient({ stream, environment });
        this.#rpc = rpc;
        void rpc.closed.then(() => {
          if (this.#rpc === rpc) this.#rpc = null;
        });
      } catch {
        await this.#sleep(random.between(50_000, 500_000));
      }
    }
    return this.#rpc;
  }
}

/** One RPC connection of a test's client: requests go out as bytes, so that a retry is the same to the last bit. */
import type { ByteStream } from "@nfs4/bytestream";
import { NFS_V4, NFS4_PROGRAM } from "@nfs4/protocol";
import { authSys, type CallRequest, RpcClient, type RpcEnvironment, type RpcProgram } from "@nfs4/rpc";

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly gids?: readonly number[];
}

export const ROOT: User = { uid: 0, gid: 0 };
export const ALICE: User = { uid: 1000, gid: 1000 };
export const BOB: User = { uid: 1001, gid: 1001 };

const COMPOUND = 1;

/** How a test lets time pass while it waits, and numbers its calls. */
export interface Pace {
  run<T>(promise: Promise<T>): Promise<T>;
  takeXid(): number;
}

export interface CallOptions {
  readonly xid?: number;
  readonly user?: User;
}

export class Wire {
  readonly world: Pace;
  readonly rpc: RpcClient;
  readonly address: string;

  constructor(
    world: Pace,
    stream: ByteStream,
    address: string,
    environment: RpcEnvironment,
    programs: Iterable<RpcProgram>,
  ) {
    this.world = world;
    this.address = address;
    this.rpc = new RpcClient({ stream, environment, programs });
  }

  /** Sends an encoded COMPOUND; resolves with the encoded reply when time has run far enough. */
  start(request: Uint8Array, { xid = this.world.takeXid(), user = ROOT }: CallOptions = {}): Promise<Uint8Array> {
    return this.rpc.start(xid, compoundCall(request, user)).results;
  }

  /** Tears the connection without a word. */
  abort(): void {
    this.rpc.connection.abort();
  }

  close(): Promise<void> {
    return this.world.run(this.rpc.close());
  }
}

/** An encoded COMPOUND as a call; the result is the encoded reply. */
export function compoundCall(request: Uint8Array, { uid, gid, gids = [] }: User): CallRequest<Uint8Array> {
  return {
    program: NFS4_PROGRAM,
    version: NFS_V4,
    procedure: COMPOUND,
    credential: authSys({ uid, gid, gids: [...gids], machineName: "test" }),
    encode: (writer) => writer.opaqueFixed(request, request.length),
    decode: (reader) => reader.opaqueFixed(reader.remaining).slice(),
  };
}

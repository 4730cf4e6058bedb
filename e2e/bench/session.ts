/** As much of a 4.1 client as a load generator needs: one connection, one session, and slots that each have one call under way. */
import type { ByteStream } from "@nfs4/bytestream";
import {
  beginCompoundCall,
  type CREATE_SESSION4args,
  decode_CREATE_SESSION4resok,
  decode_EXCHANGE_ID4resok,
  decodeCompoundReply,
  NFS_V4,
  NFS4_OK,
  NFS4_PROGRAM,
  OPERATIONS,
  type OperationName,
  type OperationTypes,
  operationName,
  SP4_NONE,
  statusName,
} from "@nfs4/protocol";
import { AuthFlavor, authSys, RpcClient } from "@nfs4/rpc";
import { type Clock, cryptoRandom } from "@nfs4/timecounter";
import type { XdrReader, XdrWriter } from "@xdr-ts/xdr";

/** Not root: servers then take on their caller's identity and judge his rights, as they do for people. */
export const USER = { uid: 1000, gid: 1000 } as const;
/** What 1 MiB of data, and what goes around it, needs. */
const MESSAGE_BYTES = (1 << 20) + 4096;
const CACHED_BYTES = 4096;
const MOST_OPERATIONS = 16;
const CALLBACK_PROGRAM = 0x4000_0000;
const NO_TAG = new Uint8Array(0);
const credential = authSys({ ...USER, gids: [USER.gid], machineName: "bench" });
const program = { program: NFS4_PROGRAM, version: NFS_V4, credential };

/** Operations of a COMPOUND being written: their number is known in the end. */
export class Operations {
  count = 0;
  readonly #writer: XdrWriter;

  constructor(writer: XdrWriter) {
    this.#writer = writer;
  }

  add<Name extends OperationName>(name: Name, value: OperationTypes[Name][0]): this {
    const operation = OPERATIONS[name];
    this.#writer.uint32(operation.number);
    operation.encodeArguments(this.#writer, value);
    this.count++;
    return this;
  }
}

/** Reads the number and status of a result, which must be `name`'s and good. What follows is the body. */
export function expectResult(reader: XdrReader, name: OperationName): void {
  const number = reader.uint32();
  const status = reader.uint32();
  if (number !== OPERATIONS[name].number) throw new Error(`${operationName(number)} in place of ${name}`);
  if (status !== NFS4_OK) throw new Error(`${name}: ${statusName(status)}`);
}

export class NfsSession implements AsyncDisposable {
  readonly slots: readonly Slot[];
  readonly #client: RpcClient;

  private constructor(client: RpcClient, slots: readonly Slot[]) {
    this.#client = client;
    this.slots = slots;
  }

  static async open(clock: Clock, stream: ByteStream, slots: number): Promise<NfsSession> {
    const client = new RpcClient({ stream, environment: { clock, random: cryptoRandom } });
    const unique = cryptoRandom.fill(new Uint8Array(8));
    const introduction = {
      eia_clientowner: { co_verifier: unique, co_ownerid: unique },
      eia_flags: 0,
      eia_state_protect: { spa_how: SP4_NONE },
      eia_client_impl_id: [],
    };
    const { eir_clientid, eir_sequenceid } = await alone(client, "EXCHANGE_ID", introduction, decode_EXCHANGE_ID4resok);
    const channel = {
      ca_headerpadsize: 0,
      ca_maxrequestsize: MESSAGE_BYTES,
      ca_maxresponsesize: MESSAGE_BYTES,
      ca_maxresponsesize_cached: CACHED_BYTES,
      ca_maxoperations: MOST_OPERATIONS,
      ca_maxrequests: slots,
      ca_rdma_ird: [],
    };
    const wish: CREATE_SESSION4args = {
      csa_clientid: eir_clientid,
      csa_sequence: eir_sequenceid,
      csa_flags: 0,
      csa_fore_chan_attrs: channel,
      csa_back_chan_attrs: { ...channel, ca_maxrequests: 1 },
      csa_cb_program: CALLBACK_PROGRAM,
      csa_sec_parms: [{ cb_secflavor: AuthFlavor.AUTH_NONE }],
    };
    const created = await alone(client, "CREATE_SESSION", wish, decode_CREATE_SESSION4resok);
    const { csr_sessionid, csr_fore_chan_attrs } = created;
    const { ca_maxrequests, ca_maxrequestsize, ca_maxresponsesize } = csr_fore_chan_attrs;
    if (ca_maxrequests < slots) throw new Error(`the session has ${ca_maxrequests} slots, ${slots} are needed`);
    if (Math.min(ca_maxrequestsize, ca_maxresponsesize) < 1 << 20) throw new Error("the session has no room for 1 MiB");
    const id = csr_sessionid.slice();
    const session = new NfsSession(
      client,
      Array.from({ length: slots }, (_, index) => new Slot(client, id, index, slots - 1)),
    );
    await session.slots[0]!.call(
      (operations) => operations.add("RECLAIM_COMPLETE", { rca_one_fs: false }),
      (reader) => expectResult(reader, "RECLAIM_COMPLETE"),
    );
    return session;
  }

  async null(): Promise<void> {
    await this.#client.call({ ...program, procedure: 0 });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export interface CompoundOptions {
  /** Whether the server is to keep the reply for a retry, as clients ask for whatever must not run twice. */
  readonly cache?: boolean;
}

/** One slot of the session (RFC 8881 §2.10.6): a call at a time. */
export class Slot {
  readonly index: number;
  readonly #client: RpcClient;
  readonly #session: Uint8Array;
  readonly #highest: number;
  #sequence = 0;

  constructor(client: RpcClient, session: Uint8Array, index: number, highest: number) {
    this.#client = client;
    this.#session = session;
    this.index = index;
    this.#highest = highest;
  }

  /** A COMPOUND with SEQUENCE in front. Rejects unless all of it succeeds; `decode` finds the reader at the second result. */
  call<T>(
    encode: (operations: Operations) => void,
    decode: (reader: XdrReader) => T,
    options: CompoundOptions = {},
  ): Promise<T> {
    return this.#client.call({
      ...program,
      procedure: 1,
      encode: (writer) =>
        writeCompound(writer, (operations) => {
          operations.add("SEQUENCE", {
            sa_sessionid: this.#session,
            sa_sequenceid: ++this.#sequence,
            sa_slotid: this.index,
            sa_highest_slotid: this.#highest,
            sa_cachethis: options.cache ?? false,
          });
          encode(operations);
        }),
      decode: (reader) => {
        decodeCompoundReply(reader);
        expectResult(reader, "SEQUENCE");
        // Session, sequence and slot numbers, flags.
        reader.skip(16 + 5 * 4);
        return decode(reader);
      },
    });
  }
}

function writeCompound(writer: XdrWriter, encode: (operations: Operations) => void): void {
  const countAt = beginCompoundCall(writer, NO_TAG, 1);
  const operations = new Operations(writer);
  encode(operations);
  writer.patchUint32(countAt, operations.count);
}

/** An operation that needs no session. */
function alone<Name extends OperationName, T>(
  client: RpcClient,
  name: Name,
  value: OperationTypes[Name][0],
  decode: (reader: XdrReader) => T,
): Promise<T> {
  return client.call({
    ...program,
    procedure: 1,
    encode: (writer) => writeCompound(writer, (operations) => operations.add(name, value)),
    decode: (reader) => {
      decodeCompoundReply(reader);
      expectResult(reader, name);
      return decode(reader);
    },
  });
}

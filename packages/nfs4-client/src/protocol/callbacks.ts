import {
  beginCompoundReply,
  CALLBACKS,
  type CallbackName,
  type CallbackTypes,
  decodeCallbackCompoundCall,
  endCompoundReply,
  findCallback,
  NFS4_OK,
  NFS4ERR_BADSESSION,
  NFS4ERR_BADXDR,
  NFS4ERR_MINOR_VERS_MISMATCH,
  NFS4ERR_NOTSUPP,
  NFS4ERR_OP_ILLEGAL,
  NFS4ERR_OP_NOT_IN_SESSION,
  NFS4ERR_SEQ_MISORDERED,
  NFS4ERR_SEQUENCE_POS,
  type nfsstat4,
  OP_CB_ILLEGAL,
  OP_CB_SEQUENCE,
} from "@nfs4/protocol";
import type { RpcCall, RpcProgram } from "@nfs4/rpc";
import { type XdrReader, XdrWriter } from "@xdr-ts/xdr";

/** Transient program numbers begin here (RFC 5531 §8.3). */
export const CALLBACK_PROGRAM = 0x4000_0000;

/** What the client does with what a server tells it. A status other than NFS4_OK is the answer; arguments are views that end with the call. */
export type CallbackHandlers = {
  readonly [Name in CallbackName]?: (args: CallbackTypes[Name][0]) => nfsstat4;
};

/** A slot of the backchannel: the last sequence number, and its answer for a retry. */
interface BackSlot {
  sequence: number;
  reply: Uint8Array;
}

/** The program that servers call back (RFC 8881 §20, RFC 7530 §16). It answers always: what nobody handles, with NFS4ERR_NOTSUPP. */
export class CallbackService {
  readonly program: RpcProgram = {
    program: CALLBACK_PROGRAM,
    lowVersion: 1,
    highVersion: 4,
    dispatch: (call) => this.#dispatch(call),
  };
  readonly #minorVersion: number;
  readonly #handlers: CallbackHandlers;
  #session: Uint8Array | null = null;
  #slots: BackSlot[] = [];

  constructor(minorVersion: number, handlers: CallbackHandlers) {
    this.#minorVersion = minorVersion;
    this.#handlers = handlers;
  }

  /** A session was made, with so many slots for callbacks. */
  useSession(id: Uint8Array, slots: number): void {
    this.#session = id;
    this.#slots = Array.from({ length: slots }, () => ({ sequence: 0, reply: new Uint8Array(0) }));
  }

  #dispatch(call: RpcCall): void {
    if (call.procedure !== 1) {
      call.procedureUnavailable();
      return;
    }
    const { args } = call;
    const { minorVersion, count } = decodeCallbackCompoundCall(args);
    const writer = new XdrWriter();
    let slot: BackSlot | null = null;
    const places = beginCompoundReply(writer, new Uint8Array(0));
    let status: nfsstat4 = minorVersion === this.#minorVersion ? NFS4_OK : NFS4ERR_MINOR_VERS_MISMATCH;
    let results = 0;
    while (status === NFS4_OK && results < count) {
      const number = args.uint32();
      if (minorVersion > 0 && (number === OP_CB_SEQUENCE) !== (results === 0)) {
        status = fail(writer, number, number === OP_CB_SEQUENCE ? NFS4ERR_SEQUENCE_POS : NFS4ERR_OP_NOT_IN_SESSION);
      } else if (number === OP_CB_SEQUENCE) {
        const begun = this.#begin(writer, args);
        if (begun.retry !== null) {
          answer(call, begun.retry);
          return;
        }
        slot = begun.slot;
        status = begun.status;
      } else {
        status = this.#run(writer, args, number, minorVersion);
      }
      results++;
    }
    endCompoundReply(writer, places, status, results);
    const reply = writer.bytes().slice();
    if (slot !== null) slot.reply = reply;
    answer(call, reply);
  }

  /** CB_SEQUENCE (RFC 8881 §20.9): `retry` is the answer that was given before. */
  #begin(
    writer: XdrWriter,
    args: XdrReader,
  ): { readonly status: nfsstat4; readonly slot: BackSlot | null; readonly retry: Uint8Array | null } {
    const { csa_sessionid, csa_sequenceid, csa_slotid, csa_highest_slotid } =
      CALLBACKS.CB_SEQUENCE.decodeArguments(args);
    const slot = this.#slots[csa_slotid];
    const known = this.#session !== null && Buffer.compare(this.#session, csa_sessionid) === 0;
    if (!known || slot === undefined)
      return { status: fail(writer, OP_CB_SEQUENCE, NFS4ERR_BADSESSION), slot: null, retry: null };
    if (csa_sequenceid === slot.sequence && slot.reply.length > 0)
      return { status: NFS4_OK, slot: null, retry: slot.reply };
    if (csa_sequenceid !== (slot.sequence + 1) >>> 0)
      return { status: fail(writer, OP_CB_SEQUENCE, NFS4ERR_SEQ_MISORDERED), slot: null, retry: null };
    slot.sequence = csa_sequenceid;
    writer.uint32(OP_CB_SEQUENCE);
    CALLBACKS.CB_SEQUENCE.encodeResult(writer, {
      csr_status: NFS4_OK,
      csr_resok4: {
        csr_sessionid: csa_sessionid,
        csr_sequenceid: csa_sequenceid,
        csr_slotid: csa_slotid,
        csr_highest_slotid: csa_highest_slotid,
        csr_target_highest_slotid: this.#slots.length - 1,
      },
    });
    return { status: NFS4_OK, slot, retry: null };
  }

  #run(writer: XdrWriter, args: XdrReader, number: number, minorVersion: number): nfsstat4 {
    const operation = findCallback(number, minorVersion);
    if (typeof operation === "number") return fail(writer, OP_CB_ILLEGAL, NFS4ERR_OP_ILLEGAL);
    let status: nfsstat4;
    try {
      const decoded = operation.decodeArguments(args);
      const handler = this.#handlers[operation.name as CallbackName] as ((args: unknown) => nfsstat4) | undefined;
      status = handler?.(decoded) ?? NFS4ERR_NOTSUPP;
    } catch {
      status = NFS4ERR_BADXDR;
    }
    return fail(writer, number, status);
  }
}

/** A result that is no more than its status. */
function fail(writer: XdrWriter, number: number, status: nfsstat4): nfsstat4 {
  writer.uint32(number);
  writer.uint32(status);
  return status;
}

function answer(call: RpcCall, reply: Uint8Array): void {
  call.reply((writer) => writer.opaqueFixed(reply, reply.length));
}

/** The side of a client that the server calls: it answers CB_COMPOUNDs and keeps what came (RFC 8881 §20, RFC 7530 §16.1). */
import {
  beginCompoundReply,
  CALLBACKS,
  type CallbackTypes,
  callbackByNumber,
  decodeCallbackCompoundCall,
  endCompoundReply,
  NFS4_OK,
  NFS4ERR_RETRY_UNCACHED_REP,
  type nfsstat4,
  OP_CB_SEQUENCE,
} from "@nfs4/protocol";
import type { Credential, RpcCall, RpcProgram } from "@nfs4/rpc";
import { CALLBACK_PROGRAM } from "./client41.ts";

export interface Callback {
  readonly minor: number;
  readonly ident: number;
  readonly credential: Credential;
  readonly sequence: CallbackTypes["CB_SEQUENCE"][0] | null;
  /** Behind CB_SEQUENCE. */
  readonly operations: readonly { readonly name: string; readonly args: unknown }[];
}

export class CallbackReceiver {
  readonly received: Callback[] = [];
  /** What CB_SEQUENCE is answered. */
  sequenceStatus: nfsstat4 = NFS4_OK;
  /** As if this sequence had come before, and its reply been lost. */
  seenBefore = -1;
  /** Calls are taken and never answered. */
  silent = false;
  readonly program: RpcProgram;

  constructor(program: number = CALLBACK_PROGRAM) {
    this.program = { program, lowVersion: 1, highVersion: 1, dispatch: (call) => this.#dispatch(call) };
  }

  /** Names of what came, without CB_SEQUENCE: "" for one alone. */
  get names(): string[] {
    return this.received.map(({ operations }) => operations.map(({ name }) => name).join(" "));
  }

  #dispatch(call: RpcCall): void {
    const { minorVersion, callbackIdent, count } = decodeCallbackCompoundCall(call.args);
    const operations: { name: string; args: unknown }[] = [];
    let sequence: Callback["sequence"] = null;
    for (let i = 0; i < count; i++) {
      const operation = callbackByNumber(call.args.uint32());
      if (!operation) throw new Error("a callback that is none");
      const args = operation.decodeArguments(call.args);
      if (operation.number === OP_CB_SEQUENCE) sequence = args as Callback["sequence"];
      else operations.push({ name: operation.name, args: structuredClone(args) });
    }
    this.received.push({
      minor: minorVersion,
      ident: callbackIdent,
      credential: call.credential,
      sequence: sequence && structuredClone(sequence),
      operations,
    });
    if (!this.silent) this.#answer(call, sequence, operations);
  }

  #answer(call: RpcCall, sequence: Callback["sequence"], operations: readonly { readonly name: string }[]): void {
    const seen = sequence?.csa_sequenceid === this.seenBefore;
    const sequenceStatus = seen ? NFS4ERR_RETRY_UNCACHED_REP : this.sequenceStatus;
    call.reply((writer) => {
      const places = beginCompoundReply(writer, new Uint8Array(0));
      let results = 0;
      if (sequence) {
        results++;
        writer.uint32(OP_CB_SEQUENCE);
        if (sequenceStatus !== NFS4_OK) CALLBACKS.CB_SEQUENCE.encodeFailure(writer, sequenceStatus);
        else
          CALLBACKS.CB_SEQUENCE.encodeResult(writer, {
            csr_status: NFS4_OK,
            csr_resok4: {
              csr_sessionid: sequence.csa_sessionid,
              csr_sequenceid: sequence.csa_sequenceid,
              csr_slotid: sequence.csa_slotid,
              csr_highest_slotid: sequence.csa_highest_slotid,
              csr_target_highest_slotid: sequence.csa_highest_slotid,
            },
          });
      }
      if (sequenceStatus === NFS4_OK) {
        for (const { name } of operations) {
          results++;
          writer.uint32(CALLBACKS[name as keyof typeof CALLBACKS].number);
          writer.uint32(NFS4_OK);
        }
      }
      endCompoundReply(writer, places, sequenceStatus, results);
    });
  }
}

/** A 4.1 session (RFC 8881 §2.10): a fore channel of slots, a backchannel over the connections bound for it. */
import type { channel_attrs4 } from "@nfs4/protocol";
import type { AuthFlavorClient, RpcConnection } from "@nfs4/rpc";
import type { BackchannelSlots } from "./backchannel-slots.ts";
import type { Client } from "./client.ts";
import { SlotTable } from "./slot-table.ts";

export interface SessionParameters {
  readonly client: Client;
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** Of the CREATE_SESSION; callbacks must have the same, or Linux does not know the session. */
  readonly minorVersion: number;
  readonly fore: channel_attrs4;
  readonly back: channel_attrs4;
  readonly callbackProgram: number;
  readonly callbackCredential: AuthFlavorClient;
  readonly backchannel: BackchannelSlots;
  readonly wantsBackchannel: boolean;
  /** Taken from `ReplyMemory` for it. */
  readonly replyBytes: number;
}

export class Session {
  readonly client: Client;
  readonly id: Uint8Array;
  readonly minorVersion: number;
  readonly fore: channel_attrs4;
  readonly back: channel_attrs4;
  readonly slots: SlotTable;
  readonly backchannel: BackchannelSlots;
  callbackProgram: number;
  callbackCredential: AuthFlavorClient;
  /** Connections that may carry this session's calls, and those that its callbacks may take. */
  readonly foreConnections: Set<RpcConnection> = new Set();
  readonly backConnections: Set<RpcConnection> = new Set();
  /** Back connections that no callback has shown to work yet. */
  readonly unproven: Set<RpcConnection> = new Set();
  destroyed = false;
  readonly replyBytes: number;
  /** The client asked for callbacks, so it is told when there is no way to make them. */
  wantsBackchannel: boolean;

  constructor(parameters: SessionParameters) {
    this.client = parameters.client;
    this.id = parameters.id;
    this.minorVersion = parameters.minorVersion;
    this.fore = parameters.fore;
    this.back = parameters.back;
    this.callbackProgram = parameters.callbackProgram;
    this.callbackCredential = parameters.callbackCredential;
    this.backchannel = parameters.backchannel;
    this.replyBytes = parameters.replyBytes;
    this.wantsBackchannel = parameters.wantsBackchannel;
    this.slots = new SlotTable(parameters.fore.ca_maxrequests);
  }

  unbind(connection: RpcConnection): void {
    this.foreConnections.delete(connection);
    this.backConnections.delete(connection);
    this.unproven.delete(connection);
  }
}

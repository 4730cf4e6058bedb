/** Who a call comes from, as file systems see it: the credential after the export's squashing (exports(5)). */
import type { Credential, RpcCall } from "@nfs4/rpc";
import { ANONYMOUS_ID, type Export } from "../exports/export.ts";
import type { CallContext } from "../filesystem/types.ts";

const NO_GROUPS: readonly number[] = [];

export function callContextOf(call: RpcCall, exported: Export): CallContext {
  const { credential } = call;
  const { anonymousUid, anonymousGid, squash } = exported;
  const anonymous = credential.flavor !== 1 || squash === "all";
  const uid = anonymous ? anonymousUid : squash === "root" && credential.uid === 0 ? anonymousUid : credential.uid;
  const gid = anonymous ? anonymousGid : squash === "root" && credential.gid === 0 ? anonymousGid : credential.gid;
  let groups = anonymous ? NO_GROUPS : credential.gids;
  if (squash === "root" && groups.includes(0)) groups = groups.map((group) => (group === 0 ? anonymousGid : group));
  return new Caller(call, uid, gid, groups);
}

class Caller implements CallContext {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly #call: RpcCall;

  constructor(call: RpcCall, uid: number, gid: number, groups: readonly number[]) {
    this.#call = call;
    this.uid = uid;
    this.gid = gid;
    this.groups = groups;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

/** Names the RPC principal: who may speak for a client (RFC 8881 §2.4). */
export function principalOf(credential: Credential): string {
  return credential.flavor === 1 ? `sys:${credential.uid}` : `flavor:${credential.flavor}:${ANONYMOUS_ID}`;
}

import { NFS4_OK, type nfsstat4 } from "@nfs4/protocol";
import type { CompoundContext } from "../compound/context.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { whenReady } from "../filesystem/chain.ts";
import type { Awaitable } from "../filesystem/types.ts";

/** Makes what was found the current filehandle. */
export function setCurrent(context: CompoundContext, found: Awaitable<NodeReference | nfsstat4>): Awaitable<nfsstat4> {
  return whenReady(found, (node): nfsstat4 => {
    if (typeof node === "number") return node;
    context.setCurrent(node);
    return NFS4_OK;
  });
}

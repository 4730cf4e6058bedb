/** SETCLIENTID and SETCLIENTID_CONFIRM (RFC 7530 §16.33, §16.34): how a 4.0 client introduces itself. */
import {
  NFS4_OK,
  NFS4ERR_CLID_INUSE,
  NFS4ERR_RESOURCE,
  NFS4ERR_STALE_CLIENTID,
  type nfsstat4,
  type SETCLIENTID_CONFIRM4args,
  type SETCLIENTID4args,
  type SETCLIENTID4res,
} from "@nfs4/protocol";
import { principalOf } from "../compound/caller.ts";
import type { CompoundContext } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { fromLatin1, latin1 } from "../latin1.ts";
import type { CallbackPath } from "../state/callback-path.ts";
import type { ClientIdentity } from "../state/client.ts";

/** No universal address is longer (RFC 5665 §5.2.3.4); what is, cannot be called, and is not kept. */
const MAX_ADDRESS = 64;

const bounded = (text: string): string => (text.length > MAX_ADDRESS ? "" : text);

export const setclientid: Handler<SETCLIENTID4args, SETCLIENTID4res> = (context, args) => {
  const { clients, random } = context.services;
  const identity: ClientIdentity = {
    ownerId: latin1(args.client.id),
    verifier: latin1(args.client.verifier),
    principal: principalOf(context.call.credential),
    generation: "4.0",
  };
  const known = clients.confirmed("4.0", identity.ownerId);
  if (known && known.identity.principal !== identity.principal && known.hasState && !known.expired) {
    return {
      status: NFS4ERR_CLID_INUSE,
      client_using: { na_r_netid: "tcp", na_r_addr: known.callback?.universalAddress ?? "" },
    };
  }
  const callback: CallbackPath = {
    program: args.callback.cb_program,
    ident: args.callback_ident,
    netid: bounded(args.callback.cb_location.na_r_netid),
    universalAddress: bounded(args.callback.cb_location.na_r_addr),
    proven: false,
  };
  const confirmVerifier = latin1(random.fill(new Uint8Array(8)));
  if (known && known.identity.verifier === identity.verifier && known.identity.principal === identity.principal) {
    // The same incarnation: only its callback may change, once it has confirmed that (case 2).
    const unconfirmed = clients.unconfirmed("4.0", identity.ownerId);
    if (unconfirmed) clients.remove(unconfirmed, "replaced");
    known.pendingCallback = { callback, confirmVerifier };
    return { status: NFS4_OK, resok4: { clientid: known.id, setclientid_confirm: fromLatin1(confirmVerifier) } };
  }
  const client = clients.add(identity);
  if (!client) return NFS4ERR_RESOURCE;
  client.callback = callback;
  client.confirmVerifier = confirmVerifier;
  client.address = context.peerAddress;
  return { status: NFS4_OK, resok4: { clientid: client.id, setclientid_confirm: fromLatin1(confirmVerifier) } };
};

export function setclientidConfirm(context: CompoundContext, args: SETCLIENTID_CONFIRM4args): nfsstat4 {
  const { callbacks, clients } = context.services;
  const client = clients.find(args.clientid);
  if (client?.identity.generation !== "4.0") return NFS4ERR_STALE_CLIENTID;
  const verifier = latin1(args.setclientid_confirm);
  const principal = principalOf(context.call.credential);
  if (client.identity.principal !== principal) return NFS4ERR_CLID_INUSE;
  const { pendingCallback } = client;
  if (pendingCallback && pendingCallback.confirmVerifier === verifier) {
    client.callback = pendingCallback.callback;
    client.confirmVerifier = verifier;
    client.pendingCallback = null;
    clients.renew(client);
    callbacks.probe(client, context.call.connection);
    return NFS4_OK;
  }
  if (client.confirmVerifier !== verifier) return NFS4ERR_STALE_CLIENTID;
  if (client.confirmed) return NFS4_OK;
  clients.confirm(client);
  callbacks.probe(client, context.call.connection);
  return NFS4_OK;
}

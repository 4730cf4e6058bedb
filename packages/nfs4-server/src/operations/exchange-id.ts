/** EXCHANGE_ID (RFC 8881 §18.35): a client introduces itself, updates itself, or has restarted. */
import {
  type EXCHANGE_ID4args,
  type EXCHANGE_ID4res,
  EXCHGID4_FLAG_BIND_PRINC_STATEID,
  EXCHGID4_FLAG_CONFIRMED_R,
  EXCHGID4_FLAG_MASK_PNFS,
  EXCHGID4_FLAG_SUPP_FENCE_OPS,
  EXCHGID4_FLAG_SUPP_MOVED_MIGR,
  EXCHGID4_FLAG_SUPP_MOVED_REFER,
  EXCHGID4_FLAG_UPD_CONFIRMED_REC_A,
  EXCHGID4_FLAG_USE_NON_PNFS,
  NFS4_OK,
  NFS4ERR_CLID_INUSE,
  NFS4ERR_DELAY,
  NFS4ERR_ENCR_ALG_UNSUPP,
  NFS4ERR_INVAL,
  NFS4ERR_NOENT,
  NFS4ERR_NOT_SAME,
  NFS4ERR_PERM,
  type nfsstat4,
  SP4_NONE,
} from "@nfs4/protocol";
import { principalOf } from "../compound/caller.ts";
import type { CompoundContext } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { latin1 } from "../latin1.ts";
import type { Client, ClientIdentity } from "../state/client.ts";

const KNOWN_FLAGS =
  EXCHGID4_FLAG_SUPP_MOVED_REFER |
  EXCHGID4_FLAG_SUPP_MOVED_MIGR |
  EXCHGID4_FLAG_SUPP_FENCE_OPS |
  EXCHGID4_FLAG_BIND_PRINC_STATEID |
  EXCHGID4_FLAG_MASK_PNFS |
  EXCHGID4_FLAG_UPD_CONFIRMED_REC_A;

const NO_BYTES = new Uint8Array(0);
/** More of an implementation's name than this is not kept. */
const MAX_IMPLEMENTATION = 256;

export const exchangeId: Handler<EXCHANGE_ID4args, EXCHANGE_ID4res> = (context, args) => {
  if (args.eia_flags & ~KNOWN_FLAGS) return NFS4ERR_INVAL;
  // Protection of state by machine credentials or an SSV needs RPCSEC_GSS (RFC 8881 §18.35.3).
  if (args.eia_state_protect.spa_how !== SP4_NONE) return NFS4ERR_ENCR_ALG_UNSUPP;
  const identity: ClientIdentity = {
    ownerId: latin1(args.eia_clientowner.co_ownerid),
    verifier: latin1(args.eia_clientowner.co_verifier),
    principal: principalOf(context.call.credential),
    generation: "4.1",
  };
  const update = (args.eia_flags & EXCHGID4_FLAG_UPD_CONFIRMED_REC_A) !== 0;
  const client = update ? updated(context, identity) : introduced(context, identity);
  if (typeof client === "number") return client;
  const [implementation] = args.eia_client_impl_id;
  if (implementation)
    client.implementation = new TextDecoder().decode(implementation.nii_name.subarray(0, MAX_IMPLEMENTATION));
  client.address = context.peerAddress;
  const { identity: name } = context.services;
  return {
    eir_status: NFS4_OK,
    eir_resok4: {
      eir_clientid: client.id,
      eir_sequenceid: client.createSessionSequence,
      eir_flags: (EXCHGID4_FLAG_USE_NON_PNFS | (client.confirmed ? EXCHGID4_FLAG_CONFIRMED_R : 0)) >>> 0,
      eir_state_protect: { spr_how: SP4_NONE },
      eir_server_owner: { so_minor_id: 0n, so_major_id: name },
      eir_server_scope: name,
      eir_server_impl_id: [{ nii_domain: NO_BYTES, nii_name: NO_BYTES, nii_date: { seconds: 0, nseconds: 0 } }],
    },
  };
};

/** Cases 1 to 5 of RFC 8881 §18.35.5. */
function introduced({ services: { clients } }: CompoundContext, identity: ClientIdentity): Client | nfsstat4 {
  const known = clients.confirmed("4.1", identity.ownerId);
  if (known) {
    if (known.identity.principal !== identity.principal) {
      // Somebody else's name, and it is in use; an idle one may be taken over.
      if (!known.expired && known.hasState) return NFS4ERR_CLID_INUSE;
      clients.remove(known, "replaced");
    } else if (known.identity.verifier === identity.verifier) {
      clients.renew(known);
      return known;
    }
    // Another verifier: the client has restarted. What it had goes when the new record is confirmed.
  }
  return clients.add(identity) ?? NFS4ERR_DELAY;
}

/** Cases 6 to 9. */
function updated({ services: { clients } }: CompoundContext, identity: ClientIdentity): Client | nfsstat4 {
  const known = clients.confirmed("4.1", identity.ownerId);
  if (!known) return NFS4ERR_NOENT;
  if (known.identity.verifier !== identity.verifier) return NFS4ERR_NOT_SAME;
  if (known.identity.principal !== identity.principal) return NFS4ERR_PERM;
  clients.renew(known);
  return known;
}

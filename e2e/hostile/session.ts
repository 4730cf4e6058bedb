import { createSession, exchangeId, sequence, setclientid, setclientidConfirm } from "./operations.ts";
import { Peer } from "./peer.ts";
import type { Target } from "./report.ts";
import { call, compound, parseCompound, type Reply, type Wire } from "./wire.ts";

/** A peer that has gone through the front door: it is a client with a session of 4.1, and can do more harm. */
export interface SessionPeer {
  readonly peer: Peer;
  readonly session: Uint8Array;
  readonly clientid: readonly number[];
  /** A COMPOUND in slot 0, SEQUENCE in front of it. */
  run(...operations: Wire[]): Promise<Reply | null>;
  /** Its bytes, to be sent by somebody who may change them. */
  request(...operations: Wire[]): Wire;
}

export async function openSession(target: Target, owner: string, minorVersion = 1): Promise<SessionPeer> {
  const peer = await Peer.open(target.address, target.port);
  const introduced = await once(peer, exchangeId(owner));
  // Status, clientid, sequence.
  const clientid = [introduced.getUint32(8), introduced.getUint32(12)];
  const created = await once(peer, createSession(clientid, introduced.getUint32(16)));
  const session = new Uint8Array(created.buffer, created.byteOffset + 8, 16).slice();
  let seqid = 0;
  const request = (...operations: Wire[]): Wire => compound(minorVersion, [sequence(session, ++seqid), ...operations]);
  return {
    peer,
    session,
    clientid,
    request,
    run: async (...operations) => {
      peer.send(call(request(...operations).bytes()));
      return peer.reply();
    },
  };
}

/** A client of 4.0, known and confirmed. */
export async function openOldClient(
  target: Target,
  name: string,
): Promise<{ peer: Peer; clientid: readonly number[] }> {
  const peer = await Peer.open(target.address, target.port);
  const named = await once(peer, setclientid(name), 0);
  const word = (index: number): number => named.getUint32(4 * index);
  const clientid = [word(2), word(3)];
  await once(peer, setclientidConfirm(clientid, [word(4), word(5)]), 0);
  return { peer, clientid };
}

/** One operation alone; gives its result from the operation number on. */
async function once(peer: Peer, operation: Wire, minorVersion = 1): Promise<DataView> {
  peer.send(call(compound(minorVersion, [operation]).bytes()));
  const reply = await peer.reply();
  if (reply?.outcome !== "SUCCESS") throw new Error(`not introduced: ${reply?.outcome}`);
  const { status, body } = parseCompound(reply);
  if (status !== 0) throw new Error(`not introduced: status ${status}`);
  return body;
}

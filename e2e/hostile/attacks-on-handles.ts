/** Attacks on filehandles (DESIGN: a MAC under the server's key) and attributes. */
import { randomBytes } from "node:crypto";
import { Attribute, MAX_HANDLE, Status } from "./numbers.ts";
import { fattr, getattr, getfh, putfh, putrootfh, readdir, setattr, verify } from "./operations.ts";
import { Peer } from "./peer.ts";
import type { Attack, Report } from "./report.ts";
import { call, compound, parseCompound, Wire } from "./wire.ts";

/** The root's handle, as the server gives it to everybody. */
async function rootHandle(peer: Peer): Promise<Uint8Array> {
  peer.send(call(compound(0, [putrootfh(), getfh()]).bytes()));
  const { status, body } = parseCompound((await peer.reply())!);
  if (status !== 0) throw new Error(`GETFH: ${status}`);
  // PUTROOTFH, its status, GETFH, its status, length.
  return new Uint8Array(body.buffer, body.byteOffset + 20, body.getUint32(16)).slice();
}

async function expectStatus(
  peer: Peer,
  report: Report,
  handles: readonly Uint8Array[],
  status: number,
  what: string,
): Promise<void> {
  peer.send(...handles.map((handle) => call(compound(0, [putfh(handle), getattr(Attribute.TYPE)]).bytes())));
  for (const handle of handles)
    report.status(await peer.reply(), status, `${what}: ${Buffer.from(handle).toString("hex")}`);
}

function flipped(handle: Uint8Array, bit: number): Uint8Array {
  const forged = handle.slice();
  forged[bit >> 3] = forged[bit >> 3]! ^ (1 << (bit & 7));
  return forged;
}

/** Handles with a bit flipped, a MAC guessed, too short, too long, or of another server. */
export const forgedHandles: Attack = async (target, report) => {
  const peer = await Peer.open(target.address, target.port);
  const genuine = await rootHandle(peer);
  const bits = Array.from({ length: genuine.length * 8 }, (_, bit) => flipped(genuine, bit));
  await expectStatus(peer, report, bits, Status.BADHANDLE, "a bit flipped");
  const guesses = Array.from({ length: 2000 }, () => {
    const guess = genuine.slice();
    guess.set(randomBytes(8), guess.length - 8);
    return guess;
  });
  await expectStatus(peer, report, guesses, Status.BADHANDLE, "a MAC guessed");
  const shorter = Array.from({ length: genuine.length }, (_, length) => genuine.subarray(0, length));
  await expectStatus(peer, report, shorter, Status.BADHANDLE, "cut short");
  const noise = Array.from({ length: MAX_HANDLE + 1 }, (_, length) => randomBytes(length));
  await expectStatus(peer, report, noise, Status.BADHANDLE, "noise");
  await expectStatus(
    peer,
    report,
    [new Uint8Array(MAX_HANDLE + 1), new Uint8Array(60_000)],
    Status.BADXDR,
    "beyond NFS4_FHSIZE",
  );
  const elsewhere = await Peer.open(target.otherAddress, target.otherPort);
  const foreign = await rootHandle(elsewhere);
  report.expect(Buffer.compare(foreign, genuine) !== 0, () => "two servers give the same handle");
  await expectStatus(peer, report, [foreign], Status.BADHANDLE, "of another server");
  await expectStatus(peer, report, [genuine], Status.OK, "the genuine one, after all that");
  elsewhere.drop();
  peer.drop();
};

/** Attributes that do not exist, values that do not fit their mask, masks without end. */
export const junkAttributes: Attack = async ({ address, port }, report) => {
  const peer = await Peer.open(address, port);
  const all = Array.from({ length: 200 }, (_, i) => i);
  const mode = (value: number): Wire => new Wire().u32(value);
  for (const [what, operation, status] of [
    // Reading what nobody has is no error: it is left out (RFC 8881 §18.7.3).
    ["GETATTR of attributes beyond the last", getattr(100, 131, 3000), Status.OK],
    ["READDIR of attributes beyond the last", readdir(4096, 100, 131, 3000), Status.OK],
    ["GETATTR of what can only be set", getattr(Attribute.TIME_MODIFY_SET), Status.INVAL],
    ["SETATTR of an attribute beyond the last", setattr(fattr(mode(1), 100)), Status.ATTRNOTSUPP],
    ["SETATTR of all attributes there could be", setattr(fattr(new Wire(), ...all)), Status.ATTRNOTSUPP],
    ["SETATTR of what can only be read", setattr(fattr(mode(1), Attribute.TYPE)), Status.INVAL],
    ["SETATTR with values cut short", setattr(fattr(new Wire(), Attribute.MODE)), Status.BADXDR],
    ["SETATTR with values to spare", setattr(fattr(mode(0o755).u32(1), Attribute.MODE)), Status.BADXDR],
    ["SETATTR of a mode that is none", setattr(fattr(mode(0xffff_ffff), Attribute.MODE)), Status.INVAL],
    // An owner whose length nobody could send.
    ["VERIFY of junk", verify(fattr(new Wire().raw(randomBytes(64)), Attribute.OWNER, Attribute.MODE)), Status.BADXDR],
  ] as const) {
    peer.send(call(compound(0, [putrootfh(), operation]).bytes()));
    report.status(await peer.reply(), status, what);
  }
  // A mask of 200,000 words, and as many masks as there is room for in a record.
  const wide = new Wire().u32(9).count(200_000).raw(new Uint8Array(800_000).fill(255));
  peer.send(call(compound(0, [putrootfh(), wide]).bytes()));
  report.status(await peer.reply(), Status.INVAL, "GETATTR with a mask of 200,000 words");
  const masks = Array.from({ length: 200 }, (_, i) => getattr(i % 50, 3 + (i % 29), 20));
  peer.send(call(compound(0, [putrootfh(), ...masks]).bytes()));
  report.outcome(await peer.reply(), "SUCCESS", [], "200 GETATTRs with different masks");
  peer.drop();
};

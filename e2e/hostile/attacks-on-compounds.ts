/** Attacks on COMPOUND (RFC 8881 §16.2, RFC 7530 §14.2): lengths that lie, operations that are none, and far too many of them. */
import { randomInt } from "node:crypto";
import { Attribute, Op, Status } from "./numbers.ts";
import * as ops from "./operations.ts";
import { Peer } from "./peer.ts";
import type { Attack, Report, Target } from "./report.ts";
import { openOldClient, openSession } from "./session.ts";
import { call, compound, parseCompound, type Reply, Wire } from "./wire.ts";

const some = new Uint8Array(8).fill(7);

/** COMPOUNDs of 4.0 that need no client, as they should be. */
function samples(): Wire[] {
  const root = ops.putrootfh();
  const attributes = ops.modeAndOwner();
  // Where other checks come first, or values are compared as bytes, the lengths within the values do not matter.
  const mode = ops.mode(0o644);
  return [
    [ops.setclientid("sample")],
    [ops.putfh(new Uint8Array(28))],
    [root, ops.lookup("nothing")],
    [root, ops.getattr(Attribute.TYPE, Attribute.FILEID, Attribute.MODE)],
    [root, ops.readdir(4096, Attribute.TYPE, Attribute.OWNER)],
    [root, ops.setattr(attributes)],
    [root, ops.verify(mode)],
    [root, ops.nverify(mode)],
    [root, ops.symlink("sample", "target")],
    [root, ops.open("sample", { attributes: mode })],
    [root, ops.lock("owner")],
    [root, ops.write(0, some)],
    [root, ops.savefh(), ops.link("other")],
    [root, ops.savefh(), ops.rename("sample", "other")],
    [root, ops.remove("sample")],
    [root, ops.secinfo("sample")],
    [ops.releaseLockowner("owner")],
  ].map((operations) => compound(0, operations));
}

/** Those of 4.1 that stand alone. */
const loners = (): Wire[] =>
  [ops.exchangeId("sample"), ops.exchangeIdSsv(), ops.createSession([1, 2])].map((one) => compound(1, [one]));

/** What goes behind a SEQUENCE. */
const inSession = (): Wire[] => [
  ops.testStateid(),
  ops.backchannelCtl(),
  ops.setSsv(),
  ops.exchangeId("sample"),
  ops.lookup("nothing"),
];

const ABSURD = [0xffff_ffff, 0xffff_fffc, 0x8000_0000, 0x7fff_ffff, 0x4000_0001, 0x0010_0000];

function withWord(args: Uint8Array, offset: number, value: number): Uint8Array {
  const changed = args.slice();
  new DataView(changed.buffer).setUint32(offset, value);
  return changed;
}

/** An absurd value in every field that says how much follows: before the first operation GARBAGE_ARGS, in an operation BADXDR. */
export const absurdLengths: Attack = async (target, report) => {
  const peer = await Peer.open(target.address, target.port);
  let tried = 0;
  for (const sample of [...samples(), ...loners()]) {
    const args = sample.bytes();
    for (const offset of sample.lengths) {
      for (const value of ABSURD) {
        tried++;
        peer.send(call(withWord(args, offset, value)));
        const reply = await peer.reply();
        const what = `${describe(args)}, ${value} at ${offset}`;
        if (offset < OPERATIONS_AT) report.outcome(reply, "GARBAGE_ARGS", [], what);
        else report.status(reply, Status.BADXDR, what);
      }
    }
  }
  peer.drop();
  tried += await absurdInSession(target, report);
  report.note(`${tried} lies`);
};

/** Tag, minor version and count, with the empty tags used here. */
const OPERATIONS_AT = 12;
/** From there: the operation's number, session, sequence, slot, highest slot, cachethis. */
const BEHIND_SEQUENCE = OPERATIONS_AT + 4 + 16 + 16;

async function absurdInSession(target: Target, report: Report): Promise<number> {
  const { peer, request } = await openSession(target, "absurd");
  let tried = 0;
  for (const operation of inSession()) {
    for (const at of operation.lengths) {
      for (const value of ABSURD) {
        tried++;
        const args = request(ops.putrootfh(), operation).bytes();
        peer.send(call(withWord(args, BEHIND_SEQUENCE + 4 + at, value)));
        report.status(await peer.reply(), Status.BADXDR, `in a session: ${describe(args)}, ${value} at ${at}`);
      }
    }
  }
  peer.drop();
  return tried;
}

function describe(args: Uint8Array): string {
  return Buffer.from(args.buffer, args.byteOffset, args.length).toString("hex").slice(0, 64);
}

/** Every word of every sample replaced: one sound answer each, whatever it says, and never a fault of the server. */
export const mutatedCompounds: Attack = async ({ address, port }, report) => {
  const peer = await Peer.open(address, port);
  const statuses = new Map<string, number>();
  for (const sample of [...samples(), ...loners()]) {
    const args = sample.bytes();
    const calls: Uint8Array[] = [];
    for (let offset = 0; offset + 4 <= args.length; offset += 4) {
      for (const value of [0, 1, 2, 0x8000_0000, 0xffff_ffff, randomInt(2 ** 32)]) {
        // Not a truncation to a size that means something: it would be carried out.
        calls.push(call(withWord(args, offset, value)));
      }
    }
    peer.send(...calls);
    for (let i = 0; i < calls.length; i++) {
      const reply = await peer.reply();
      const outcome = reply?.outcome === "SUCCESS" ? String(soundStatus(reply, report)) : String(reply?.outcome);
      statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1);
      if (!reply) break;
    }
  }
  const known = [...statuses.keys()].every((one) => one === "GARBAGE_ARGS" || Number.isInteger(Number(one)));
  report.expect(known, () => `answers: ${[...statuses.keys()].join(" ")}`);
  report.expect(!statuses.has("10006"), () => `${statuses.get("10006")} times SERVERFAULT`);
  report.note([...statuses].map(([status, count]) => `${status} ×${count}`).join(", "));
  peer.drop();
};

/** The status of a COMPOUND; the last result must have the same. */
function soundStatus(reply: Reply, report: Report): number {
  const { status, results, body } = parseCompound(reply);
  // A failure says no more than its status, but for the bitmap of SETATTR and what LOCK and SETCLIENTID tell.
  if (status !== 0 && results > 0) {
    const last = [4, 8].some((back) => body.byteLength >= back && body.getUint32(body.byteLength - back) === status);
    report.expect(last || status === 10017, () => `status ${status}, and the last result has another`);
  }
  return status;
}

/** Operations that do not exist, exist only in other minor versions, or minor versions that do not exist. */
export const unknownOperations: Attack = async (target, report) => {
  const peer = await Peer.open(target.address, target.port);
  const bare = (number: number): Wire => new Wire().u32(number, 0, 0, 0, 0, 0, 0, 0);
  const result = (reply: Reply | null, results: number, at: number): (number | string | undefined)[] => {
    if (reply?.outcome !== "SUCCESS") return [reply?.outcome];
    const { status, results: count, body } = parseCompound(reply);
    return [status, count, ...(count === results ? [body.getUint32(at), body.getUint32(at + 4)] : [])];
  };
  const illegal = [Status.OP_ILLEGAL, 1, Op.ILLEGAL, Status.OP_ILLEGAL];
  for (const number of [
    0,
    1,
    2,
    Op.BACKCHANNEL_CTL,
    Op.EXCHANGE_ID,
    Op.SEQUENCE,
    58,
    Op.ALLOCATE,
    75,
    76,
    0x7fff_ffff,
    0xffff_ffff,
    Op.ILLEGAL,
  ]) {
    peer.send(call(compound(0, [bare(number)]).bytes()));
    report.equal(result(await peer.reply(), 1, 0), illegal, `4.0: operation ${number}`);
  }
  for (const minorVersion of [3, 4, 77, 0xffff_ffff]) {
    peer.send(call(compound(minorVersion, [ops.putrootfh()]).bytes()));
    report.equal(result(await peer.reply(), 1, 0), [Status.MINOR_VERS_MISMATCH, 0], `minor version ${minorVersion}`);
  }
  peer.drop();
  // SEQUENCE's result: number, status, session, and five words.
  const after = 8 + 16 + 20;
  for (const minorVersion of [1, 2]) {
    const { peer: inside, run } = await openSession(target, `unknown operations of 4.${minorVersion}`, minorVersion);
    const unknown = [
      0,
      1,
      2,
      ...(minorVersion === 1 ? [Op.ALLOCATE, Op.LAYOUTERROR, 75] : []),
      76,
      0xffff_ffff,
      Op.ILLEGAL,
    ];
    for (const number of unknown) {
      const wanted = [Status.OP_ILLEGAL, 2, Op.ILLEGAL, Status.OP_ILLEGAL];
      report.equal(result(await run(bare(number)), 2, after), wanted, `4.${minorVersion}: operation ${number}`);
    }
    // What a later minor version must not implement any more (RFC 8881 §17, RFC 7862 §13).
    const gone = [Op.OPEN_CONFIRM, Op.RENEW, Op.SETCLIENTID, Op.SETCLIENTID_CONFIRM, Op.RELEASE_LOCKOWNER];
    for (const number of [...gone, ...(minorVersion === 2 ? [Op.GETDEVICELIST] : [])]) {
      const wanted = [Status.NOTSUPP, 2, number, Status.NOTSUPP];
      report.equal(result(await run(bare(number)), 2, after), wanted, `4.${minorVersion}: operation ${number}`);
    }
    inside.drop();
  }
};

/** COMPOUNDs of 1,000 operations, and sessions used wrongly. */
export const thousandOperations: Attack = async (target, report) => {
  const many = (operation: Wire): Wire[] => Array.from({ length: 1000 }, () => operation);
  const peer = await Peer.open(target.address, target.port);
  const expectFirst = (reply: Reply | null, status: number, what: string): void => {
    report.status(reply, status, what);
    if (reply?.outcome === "SUCCESS") report.equal(parseCompound(reply).results, 1, `${what}: results`);
  };
  for (const [minorVersion, operation, status] of [
    [0, ops.putrootfh(), Status.RESOURCE],
    [1, ops.putrootfh(), Status.OP_NOT_IN_SESSION],
    [1, ops.exchangeId("many"), Status.NOT_ONLY_OP],
    [2, ops.sequence(new Uint8Array(16), 1), Status.BADSESSION],
  ] as const) {
    const args = compound(minorVersion, many(operation)).bytes();
    for (let i = 0; i < 20; i++) peer.send(call(args));
    for (let i = 0; i < 20; i++) expectFirst(await peer.reply(), status, `1,000 operations over 4.${minorVersion}`);
  }
  peer.drop();

  const inside = await openSession(target, "thousand");
  for (let i = 0; i < 20; i++)
    expectFirst(await inside.run(...many(ops.putrootfh())), Status.TOO_MANY_OPS, "1,000 operations in a session");
  inside.peer.drop();
  // A SEQUENCE that fails does not count (RFC 8881 §2.10.6.1), so the slot is not where this session thinks: another one.
  const again = await openSession(target, "again");
  report.status(await again.run(ops.putrootfh(), ops.sequence(again.session, 9)), Status.SEQUENCE_POS, "two SEQUENCEs");
  again.peer.drop();
};

const MANY = 250;

/** One small COMPOUND of 4.0 that asks for 250 MiB: 4.0 has no session to bound a reply, so the server must. */
export const greedyReads: Attack = async (target, report) => {
  const { peer, clientid } = await openOldClient(target, "greedy");
  const create = ops.open("big", { clientid, attributes: ops.mode(0o666) });
  peer.send(call(compound(0, [ops.putrootfh(), create]).bytes()));
  report.status(await peer.reply(), 0, "OPEN");
  const here = [ops.putrootfh(), ops.lookup("big")];
  peer.send(call(compound(0, [...here, ops.write(0, new Uint8Array(1 << 20))]).bytes()));
  report.status(await peer.reply(), 0, "WRITE");
  const args = compound(0, [...here, ...Array.from({ length: MANY }, () => ops.read(0, 1 << 20))]).bytes();
  for (let i = 0; i < 4; i++) {
    peer.send(call(args));
    const reply = await peer.reply();
    report.status(reply, Status.RESOURCE, "250 READs of 1 MiB");
    if (reply) report.expect(reply.body.byteLength < 2 << 20, () => `a reply of ${reply.body.byteLength} bytes`);
  }
  peer.drop();
};

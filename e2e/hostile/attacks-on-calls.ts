/** Attacks on the head of calls (RFC 5531 §9), and messages that nobody asked for. */
import { Peer } from "./peer.ts";
import type { Attack } from "./report.ts";
import { authSys, type CallOptions, call, compound, nullCall, record, Wire } from "./wire.ts";

/** Every way in which a head can be wrong has its own answer. */
export const brokenHeads: Attack = async ({ address, port }, report) => {
  const peer = await Peer.open(address, port);
  const ask = async (
    what: string,
    options: CallOptions,
    outcome: Parameters<typeof report.outcome>[1],
    ...details: number[]
  ) => {
    const xid = 0xdead_0000 + Math.floor(Math.random() * 0xffff);
    peer.send(nullCall({ xid, ...options }));
    const reply = await peer.reply();
    report.outcome(reply, outcome, details, what);
    report.equal(reply?.xid, xid, `${what}: xid`);
  };
  for (const rpcVersion of [0, 1, 3, 0xffff_ffff])
    await ask(`RPC version ${rpcVersion}`, { rpcVersion }, "RPC_MISMATCH", 2, 2);
  for (const program of [0, 100_000, 100_005, 100_021, 0x4000_0000, 0xffff_ffff])
    await ask(`program ${program}`, { program }, "PROG_UNAVAIL");
  for (const version of [0, 2, 3, 5, 0xffff_ffff]) await ask(`version ${version}`, { version }, "PROG_MISMATCH", 4, 4);
  await ask("a body of 404 bytes in the credential", { credential: [1, new Uint8Array(404)] }, "AUTH_ERROR", 1);
  await ask("a body of 404 bytes in the verifier", { verifier: [0, new Uint8Array(404)] }, "AUTH_ERROR", 3);
  for (const flavor of [2, 3, 6, 77, 0xffff_ffff])
    await ask(`flavor ${flavor}`, { credential: [flavor, new Uint8Array(8)] }, "AUTH_ERROR", 1);
  const groups = Array.from({ length: 17 }, (_, i) => i);
  const whole = authSys("evil", 0, [1, 2, 3]);
  const lying = whole.slice();
  lying[4] = 0xff;
  for (const [what, body] of [
    ["17 groups", authSys("evil", 0, groups)],
    ["a machine name of 256 bytes", authSys("x".repeat(256))],
    ["no body", new Uint8Array(0)],
    ["half a body", whole.subarray(0, 14)],
    ["more than a body", Buffer.concat([whole, new Uint8Array(4)])],
    ["a machine name of 4 GiB", lying],
  ] as const) {
    await ask(`AUTH_SYS with ${what}`, { credential: [1, body] }, "AUTH_ERROR", 1);
  }
  for (const procedure of [2, 3, 0xffff_ffff]) {
    peer.send(call(new Uint8Array(0), { procedure }));
    report.outcome(await peer.reply(), "PROC_UNAVAIL", [], `procedure ${procedure}`);
  }
  peer.drop();

  for (const messageType of [2, 0xffff_ffff]) {
    const other = await Peer.open(address, port);
    other.send(nullCall({ messageType }));
    report.equal(await other.ended(), "reset", `message type ${messageType}`);
    other.drop();
  }
};

/** Replies to calls that the server never made go nowhere and harm nothing. */
export const uninvitedReplies: Attack = async ({ address, port }, report) => {
  const peer = await Peer.open(address, port);
  const accepted = (xid: number): Wire => new Wire().u32(xid, 1, 0, 0, 0, 0);
  for (let xid = 0; xid < 2000; xid++) peer.send(record(accepted(xid * 2_146_961).bytes()));
  peer.send(nullCall());
  report.outcome(await peer.reply(), "SUCCESS", [], "a call behind 2,000 replies");
  // Their results are read by nobody, so they may be anything.
  peer.send(record(accepted(1).raw(new Uint8Array(100_000)).bytes()), nullCall());
  report.outcome(await peer.reply(), "SUCCESS", [], "a call behind a long reply");
  peer.drop();
};

/** A reply is echoed its tag; a tag longer than people need is refused. */
export const longTags: Attack = async ({ address, port }, report) => {
  const peer = await Peer.open(address, port);
  const args = (length: number): Uint8Array => new Wire().opaque("t".repeat(length)).u32(0).count(0).bytes();
  peer.send(call(args(1000)));
  report.status(await peer.reply(), 0, "a tag of 1,000 bytes");
  peer.send(call(args(500_000)));
  report.outcome(await peer.reply(), "GARBAGE_ARGS", [], "a tag of 500,000 bytes");
  peer.send(call(compound(0, []).bytes()));
  report.status(await peer.reply(), 0, "an empty COMPOUND");
  peer.drop();
};

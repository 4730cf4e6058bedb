/** Attacks on record marking (RFC 5531 §11): bytes that are no records, or not as promised. */
import { randomBytes, randomInt } from "node:crypto";
import { getattr, putrootfh } from "./operations.ts";
import { Peer } from "./peer.ts";
import type { Attack } from "./report.ts";
import { call, compound, mark, nullCall, record } from "./wire.ts";

/** Random bytes: whatever they happen to mean, the connection ends with ours at the latest. */
export const randomStreams: Attack = async ({ address, port }, report) => {
  const endings = { closed: 0, reset: 0 };
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        const peer = await Peer.open(address, port);
        peer.send(randomBytes(randomInt(1, 20_000)));
        peer.finish();
        endings[await peer.ended()]++;
        report.equal(peer.pending, 0, "bytes in answer to random bytes");
        peer.drop();
      }),
    );
  }
  report.note(`${endings.closed} closed, ${endings.reset} reset`);
};

/** Random bytes in sound records: closed, or answered with a sound refusal if they happen to look like a call. */
export const randomRecords: Attack = async ({ address, port }, report) => {
  await Promise.all(
    Array.from({ length: 200 }, async () => {
      const peer = await Peer.open(address, port);
      peer.send(record(randomBytes(randomInt(0, 400))));
      report.equal(await peer.reply(), null, "reply to a random record");
      peer.drop();
    }),
  );
};

/** A call cut off at every byte, the rest never coming: no answer, and an end. */
export const truncatedRecords: Attack = async ({ address, port }, report) => {
  const whole = call(compound(0, [putrootfh(), getattr(0, 1, 2, 3)]).bytes());
  await Promise.all(
    Array.from({ length: whole.length }, async (_, length) => {
      const peer = await Peer.open(address, port);
      peer.send(whole.subarray(0, length));
      peer.finish();
      report.equal(await peer.ended(), "closed", `cut at ${length}`);
      report.equal(peer.pending, 0, `bytes in answer to ${length} bytes`);
      peer.drop();
    }),
  );
};

/** Calls that the record ends too early: those that reach their arguments are GARBAGE_ARGS, or BADXDR; shorter ones are no messages. */
export const shortenedCalls: Attack = async ({ address, port }, report) => {
  const whole = call(compound(0, [putrootfh(), getattr(0, 1, 2, 3)]).bytes()).subarray(4);
  const header = whole.length - compound(0, [putrootfh(), getattr(0, 1, 2, 3)]).length;
  await Promise.all(
    Array.from({ length: whole.length }, async (_, length) => {
      const peer = await Peer.open(address, port);
      peer.send(record(whole.subarray(0, length)));
      const reply = await peer.reply();
      const what = `a record of ${length} of ${whole.length} bytes`;
      if (length < header) report.equal(reply, null, what);
      // Tag, minor version, count, and one word for each of two operations.
      else if (length < header + 20) report.outcome(reply, "GARBAGE_ARGS", [], what);
      else report.status(reply, 10036, what);
      peer.drop();
    }),
  );
};

/** Marks that announce more than anybody may send: closed at once, before a byte of it. */
export const oversizedRecords: Attack = async ({ address, port }, report) => {
  for (const length of [0x7fff_ffff, 0x4000_0000, 0x0100_0000, 0x0012_0001]) {
    const peer = await Peer.open(address, port);
    peer.send(mark(length));
    report.equal(await peer.ended(), "reset", `a record of ${length} bytes`);
    peer.drop();
  }
  // The same in fragments, each of them harmless.
  const peer = await Peer.open(address, port);
  const piece = Buffer.concat([mark(0x1_0000, false), Buffer.alloc(0x1_0000)]);
  for (let i = 0; i < 64 && !peer.ending; i++) await peer.sendAll(piece);
  report.equal(await peer.ended(), "reset", "4 MiB in fragments of 64 KiB");
  peer.drop();
};

/** Fragments of no bytes and of one byte by the thousand: legal, and answered; without end: closed. */
export const tinyFragments: Attack = async ({ address, port }, report) => {
  const content = nullCall().subarray(4);
  const bytewise = Buffer.concat(
    [...content].map((byte, i) => [...mark(1, i === content.length - 1), byte]).map((b) => Uint8Array.from(b)),
  );
  const empty = mark(0, false);
  const peer = await Peer.open(address, port);
  for (let i = 0; i < 50; i++) peer.send(bytewise);
  for (let i = 0; i < 50; i++) report.outcome(await peer.reply(), "SUCCESS", [], "a call in fragments of one byte");
  await peer.sendAll(Buffer.concat([...Array.from({ length: 10_000 }, () => empty), record(content)]));
  report.outcome(await peer.reply(), "SUCCESS", [], "a call behind 10,000 empty fragments");
  // A record of nothing at all is no message.
  peer.send(mark(0));
  report.equal(await peer.ended(), "reset", "an empty record");
  peer.drop();

  const endless = await Peer.open(address, port);
  const many = Buffer.concat(Array.from({ length: 16_384 }, () => empty));
  for (let i = 0; i < 20 && !endless.ending; i++) await endless.sendAll(many);
  report.equal(await endless.ended(), "reset", "empty fragments without end");
  endless.drop();
};

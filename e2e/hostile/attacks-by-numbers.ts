/** Attacks that are harmless once, and not ten thousand times. */

import { PATIENCE } from "../harness/patience.ts";
import { Status } from "./numbers.ts";
import * as ops from "./operations.ts";
import { Peer } from "./peer.ts";
import type { Attack, Report, Target } from "./report.ts";
import { openOldClient, openSession, type SessionPeer } from "./session.ts";
import { call, compound, mark, nullCall, parseCompound } from "./wire.ts";

/** Somebody new can be served, while `what` goes on. */
async function newcomerIsServed({ address, port }: Target, report: Report, what: string): Promise<void> {
  const began = performance.now();
  try {
    const peer = await Peer.open(address, port);
    peer.send(nullCall());
    report.outcome(await peer.reply(), "SUCCESS", [], `a newcomer's NULL during ${what}`);
    peer.drop();
  } catch (error) {
    report.expect(false, () => `a newcomer during ${what}: ${String(error)}`);
  }
  report.note(`a newcomer during ${what}: ${Math.round(performance.now() - began)} ms`);
}

/** NULLs without reading an answer: the server stops reading too. Then all answers come. */
export const nullFlood: Attack = async (target, report) => {
  const peers = await Promise.all(Array.from({ length: 8 }, () => Peer.open(target.address, target.port)));
  const count = 20_000;
  const flood = Buffer.concat(Array.from({ length: count }, () => nullCall()));
  await Promise.all(
    peers.map(async (peer) => {
      const sent = peer.sendAll(flood);
      let answers = 0;
      while (answers < count && (await peer.reply())?.outcome === "SUCCESS") answers++;
      report.equal(answers, count, "answers to NULLs");
      await sent;
      peer.drop();
    }),
  );
};

/** Calls by the thousand from peers that never read an answer. */
export const unreadReplies: Attack = async (target, report) => {
  const peers = await Promise.all(Array.from({ length: 50 }, () => Peer.open(target.address, target.port)));
  const greedy = call(compound(0, [ops.putrootfh(), ops.lookup("big"), ops.read(0, 1 << 20)]).bytes());
  const flood = Buffer.concat(Array.from({ length: 2000 }, () => greedy));
  for (const peer of peers) {
    peer.stopReading();
    peer.send(flood);
  }
  await pause(1500);
  await newcomerIsServed(target, report, "calls whose answers nobody reads");
  for (const peer of peers) peer.drop();
};

/** The same from clients with a session, who are trusted with more. */
export const unreadRepliesInSessions: Attack = async (target, report) => {
  const sessions = await Promise.all(Array.from({ length: 32 }, (_, i) => openSession(target, `never reads ${i}`)));
  for (const { peer, session } of sessions) {
    peer.stopReading();
    for (let slot = 0; slot < 8; slot++) {
      const args = compound(1, [
        ops.sequence(session, 1, slot),
        ops.putrootfh(),
        ops.lookup("big"),
        ops.read(0, 1_000_000),
      ]);
      peer.send(call(args.bytes()));
    }
  }
  await pause(1500);
  await newcomerIsServed(target, report, "sessions whose answers nobody reads");
  for (const { peer } of sessions) peer.drop();
};

const CROWD = 10_000;
let crowd: Peer[] = [];

/** Opens connections a few hundred at a time; gives those that could be had. */
async function assemble({ address, port }: Target, count: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  let started = 0;
  const open = async (): Promise<void> => {
    while (started < count) {
      started++;
      peers.push(await Peer.open(address, port));
    }
  };
  await Promise.all(Array.from({ length: 200 }, open));
  return peers;
}

/** 10,000 connections announce a record of 1 MiB each, give a few bytes of it, and go silent. */
export const silentCrowd: Attack = async (target, report) => {
  const began = performance.now();
  crowd = await assemble(target, CROWD);
  report.note(`${CROWD} connections in ${Math.round(performance.now() - began)} ms`);
  const announcement = Buffer.concat([mark(1 << 20), new Uint8Array(900)]);
  for (const [i, peer] of crowd.entries()) peer.send(announcement.subarray(0, 4 + (i % 900)));
  await pause(1000);
  await newcomerIsServed(target, report, "10,000 silent connections");
  const { peer, run } = await openSession(target, "newcomer");
  report.status(await run(ops.putrootfh(), ops.getattr(1)), Status.OK, "a new client's GETATTR beside the crowd");
  peer.drop();
  const gone = crowd.filter(({ ending }) => ending).length;
  report.note(`${gone} of them cut off so far`);
};

/** The same crowd sends on: as much of its records as it gets rid of. */
export const stuffingCrowd: Attack = async (target, report) => {
  const piece = new Uint8Array(64 * 1024);
  // At most 640 MB, if somebody takes it.
  for (const peer of crowd) peer.send(piece);
  await pause(2500);
  await newcomerIsServed(target, report, "10,000 connections in the middle of a record");
};

/** They all go. A reset that is lost would leave its connection to the deadline for strangers, so the cable must not overflow. */
export const crowdLeaves: Attack = async (target, report) => {
  for (const [i, peer] of crowd.entries()) {
    peer.drop();
    if (i % 200 === 199) await pause(5);
  }
  crowd = [];
  await newcomerIsServed(target, report, "10,000 resets");
};

/** A few connections that fill the window and more, each with one record that never ends. */
export const stuffedConnections: Attack = async (target, report) => {
  const peers = await assemble(target, 300);
  const most = Buffer.concat([mark(1 << 20), new Uint8Array((1 << 20) - 1)]);
  for (const peer of peers) peer.send(most);
  await pause(3000);
  await newcomerIsServed(target, report, "300 MiB of unfinished records");
  for (const peer of peers) peer.drop();
};

let loris: { readonly peers: readonly Peer[]; readonly timer: NodeJS.Timeout; readonly since: number } | null = null;

/** Records that come byte by byte, and connections that say nothing: both are still strangers when their time is up. */
export const slowLoris: Attack = async (target) => {
  const peers = await assemble(target, 200);
  const content = nullCall();
  let at = 0;
  const feed = (): void => {
    // The last bytes never come.
    const next = content.subarray(at, Math.min(at + 1, content.length - 1));
    at++;
    for (const peer of peers.slice(100)) if (next.length > 0) peer.send(next);
  };
  loris = { peers, timer: setInterval(feed, 250), since: performance.now() };
};

export const slowLorisIsCutOff: Attack = async (_, report) => {
  if (!loris) throw new Error("there are no slow connections");
  const { peers, timer, since } = loris;
  // A stranger has 30 s for a record.
  while (peers.some(({ ending }) => ending === null) && performance.now() - since < 35_000 * PATIENCE) await pause(500);
  clearInterval(timer);
  report.equal(peers.filter(({ ending }) => ending === null).length, 0, "slow connections that still stand");
  report.note(`the last was cut off within ${Math.round((performance.now() - since) / 1000)} s`);
  for (const peer of peers) peer.drop();
  loris = null;
};

/** Connections that come and go as fast as they can. */
export const churn: Attack = async (target, report) => {
  let started = 0;
  const once = async (): Promise<void> => {
    while (started < 3000) {
      const number = started++;
      const peer = await Peer.open(target.address, target.port);
      if (number % 3 === 0) peer.send(nullCall());
      if (number % 2 === 0) peer.drop();
      else peer.finish();
      if (number % 2 === 1) await peer.ended();
    }
  };
  await Promise.all(Array.from({ length: 64 }, once));
  await newcomerIsServed(target, report, "churn");
};

/** Clients that introduce themselves under ever new names, long ones, and never come back. */
export const clientFlood: Attack = async (target, report) => {
  const peers = await assemble(target, 4);
  const implementation = "i".repeat(200_000);
  await Promise.all(
    peers.map(async (peer, number) => {
      for (let round = 0; round < 30; round++) {
        for (let i = 0; i < 100; i++) {
          const name = `${number} ${round} ${i} `.padEnd(1000, "n");
          const operation =
            i % 2 === 0
              ? ops.exchangeId(name, 1, i % 20 === 0 ? implementation : "evil")
              : ops.setclientid(name, implementation.slice(0, i % 20 === 1 ? 200_000 : 20));
          peer.send(call(compound(i % 2 === 0 ? 1 : 0, [operation]).bytes()));
        }
        for (let i = 0; i < 100; i++) {
          const reply = await peer.reply();
          if (reply?.outcome !== "SUCCESS") report.equal(reply?.outcome, "SUCCESS", "a client's introduction");
        }
      }
    }),
  );
  await newcomerIsServed(target, report, "a flood of clients");
  for (const peer of peers) peer.drop();
};

/** One client with as many owners as there are requests. None of them has anything. */
export const ownerFlood: Attack = async (target, report) => {
  const { peer, clientid } = await openOldClient(target, "owner flood");
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < 100; i++) {
      const owner = `${round} ${i} `.padEnd(1000, "o");
      peer.send(call(compound(0, [ops.putrootfh(), ops.open("nowhere", { clientid, owner })]).bytes()));
    }
    for (let i = 0; i < 100; i++) {
      const reply = await peer.reply();
      report.expect(reply?.outcome === "SUCCESS", () => `an OPEN: ${reply?.outcome}`);
    }
  }
  await newcomerIsServed(target, report, "a flood of owners");
  peer.drop();
};

/** Sessions by the dozen, every slot's cached reply as large as it gets. */
export const cachedReplies: Attack = async (target, report) => {
  const one: SessionPeer = await openSession(target, "hoarder");
  const { peer } = one;
  // 120 GETATTRs of everything, about 20 KiB.
  const everything = Array.from({ length: 75 }, (_, i) => i).filter((i) => i !== 48 && i !== 54);
  const fat = Array.from({ length: 40 }, () => ops.getattr(...everything));
  let sessions = 0;
  for (let i = 0; i < 60; i++) {
    peer.send(call(compound(1, [ops.createSession(one.clientid, 2 + i, 64)]).bytes()));
    const created = parseCompound((await peer.reply())!);
    if (created.status !== 0) break;
    sessions++;
    const session = new Uint8Array(created.body.buffer, created.body.byteOffset + 8, 16).slice();
    for (let slot = 0; slot < 64; slot++)
      peer.send(call(compound(1, [ops.sequence(session, 1, slot, true), ops.putrootfh(), ...fat]).bytes()));
    for (let slot = 0; slot < 64; slot++) {
      const reply = await peer.reply();
      report.expect(reply?.outcome === "SUCCESS", () => `in a slot: ${reply?.outcome}`);
    }
  }
  report.note(`${sessions} sessions of 64 slots`);
  peer.drop();
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * The load generator: a process of its own, which runs every case on every server in alternating rounds and prints a line of JSON for each. Its argument
 * is an `Order`, in JSON. It looks at the server's CPU time itself, so that both clocks are read at the same moments.
 */
import { readFileSync } from "node:fs";
import { nodeConnector } from "@nfs4/bytestream";
import { nodeClock } from "@nfs4/timecounter";
import { CASES, type Case, MOST_SLOTS, type Work } from "./cases.ts";
import { NfsSession } from "./session.ts";

export interface Opponent {
  readonly name: string;
  readonly pid: number;
  readonly address: string;
  readonly port: number;
  /** Names from the root to the served directory. */
  readonly path: readonly string[];
}

export interface Order {
  readonly opponents: readonly Opponent[];
  /** What they all serve. */
  readonly directory: string;
  /** Of each measurement. */
  readonly seconds: number;
  readonly rounds: number;
  /** Names of cases; empty: all. */
  readonly only: readonly string[];
}

export interface Measurement {
  readonly case: string;
  readonly opponent: string;
  /** How often the case's work was done. */
  readonly count: number;
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly generatorCpuSeconds: number;
}

/** A case under way on one server. */
interface Contest {
  readonly opponent: Opponent;
  readonly session: NfsSession;
  readonly work: Work;
}

/** Of /proc/PID/stat (proc(5)): USER_HZ is 100 everywhere. */
const TICKS_PER_SECOND = 100;
/** The server is warm when it has worked for so long; on a busy machine that takes a while, but no more than so many turns. */
const WARM_UP_CPU_SECONDS = 0.7;
const WARM_UP_TURN_SECONDS = 0.5;
const WARM_UP_TURNS = 6;

const { opponents, directory, seconds, rounds, only }: Order = JSON.parse(process.argv[2] ?? "{}");
const clock = nodeClock();
for (const one of CASES.filter(({ name }) => only.length === 0 || only.some((part) => name.startsWith(part)))) {
  // A connection for each case: the kernel sizes its window by what has come so far, and small messages spoil it for large ones.
  const contests = await Promise.all(opponents.map((opponent) => prepare(one, opponent)));
  for (const contest of contests) await warmUp(one, contest);
  for (let round = 0; round < rounds; round++) {
    for (const contest of contests) console.log(JSON.stringify(await run(one, contest, seconds)));
  }
  for (const { work, session } of contests) {
    await work.finish?.();
    await session.close();
  }
}
clock.close();

async function prepare(one: Case, opponent: Opponent): Promise<Contest> {
  const stream = await nodeConnector({ clock }).connect(opponent, { timeoutMs: 5_000 });
  const session = await NfsSession.open(clock, stream, MOST_SLOTS);
  return { opponent, session, work: await one.prepare({ session, path: opponent.path, directory }) };
}

async function warmUp(one: Case, contest: Contest): Promise<void> {
  let worked = 0;
  for (let turn = 0; turn < WARM_UP_TURNS && worked < WARM_UP_CPU_SECONDS; turn++) {
    worked += (await run(one, contest, WARM_UP_TURN_SECONDS)).serverCpuSeconds;
  }
}

async function run(of: Case, { opponent, session, work }: Contest, duration: number): Promise<Measurement> {
  const slots = session.slots.slice(0, of.depth);
  let count = 0;
  const own = process.cpuUsage();
  const server = cpuSecondsOf(opponent.pid);
  const began = performance.now();
  const until = began + duration * 1000;
  await Promise.all(
    slots.map(async (slot) => {
      while (performance.now() < until) {
        await work.once(slot);
        count++;
      }
    }),
  );
  const ended = performance.now();
  const used = process.cpuUsage(own);
  const serverCpuSeconds = cpuSecondsOf(opponent.pid) - server;
  work.check?.();
  return {
    case: of.name,
    opponent: opponent.name,
    count,
    seconds: (ended - began) / 1000,
    serverCpuSeconds,
    generatorCpuSeconds: (used.user + used.system) / 1e6,
  };
}

/** Of all threads, in user mode and in the kernel. */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field, the program's name in parentheses, may contain anything. utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

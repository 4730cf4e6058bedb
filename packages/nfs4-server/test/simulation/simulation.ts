/**
 * Clients of 4.0, 4.1 and 4.2 at work on a server that crashes, over a network that fails, with a disk that loses what was not synced; and the promises
 * that must hold all the same. The seed decides everything.
 */
import { RpcEnvironment } from "@nfs4/rpc";
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { BadNetwork } from "./bad-network.ts";
import { Board } from "./board-job.ts";
import { Chaos } from "./chaos.ts";
import { DirectNetwork } from "./direct-network.ts";
import { LastingWire } from "./lasting-wire.ts";
import { LockBelief } from "./lock-belief.ts";
import { type Counts, Promises } from "./promises.ts";
import { ServerHost } from "./server-host.ts";
import { SimulatedClient } from "./simulated-client.ts";
import { Worker } from "./worker.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Minor versions of the clients. Default: two or three, as the seed has it. */
  readonly minors?: readonly (0 | 1 | 2)[];
  /** Things that each client does. Default 12. */
  readonly rounds?: number;
  /** Without it the network is perfect and the server crashes only where told. Default true. */
  readonly chaos?: boolean;
  /** Operation of the disk at which the power goes first. */
  readonly crashAt?: number;
}

export interface SimulationResult extends Counts {
  readonly seed: number;
  /** Virtual time, s. */
  readonly seconds: number;
  readonly crashes: number;
  readonly partitions: number;
  /** Requests that were sent more than once, and those that the server answered from memory. */
  readonly repeated: number;
  readonly replays: number;
  readonly reclaimed: number;
  readonly lost: number;
  readonly diskErrors: number;
  readonly diskOperations: number;
  /** Of everything that happened, and when. */
  readonly hash: string;
}

const SHARED = "/shared";

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, chaos: chaotic = true, rounds = 12 } = options;
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const minors =
    options.minors ??
    random.pick([
      [0, 1],
      [0, 1, 2],
      [1, 2],
      [0, 0, 1],
    ] as const);
  const network = chaotic ? new BadNetwork(clock, random.fork(), minors.length) : new DirectNetwork(clock);
  const host = new ServerHost({ clock, random: random.fork(), network });
  const environment = new RpcEnvironment({ clock, random: random.fork(), poison: true });
  const promises = new Promises(host);
  const clients = minors.map(
    (minor, index) =>
      new SimulatedClient({
        name: `client${index}`,
        minor,
        clock,
        random: random.fork(),
        wire: new LastingWire({
          clock,
          random: random.fork(),
          environment,
          connector: network.connector(index),
          address: network.addressFor(index),
        }),
      }),
  );
  const counter = { file: promises.file(`${SHARED}/counter`), belief: new LockBelief(), highest: 0 };
  const boards = clients.map(({ name }) => new Board(`${SHARED}/board-${name}`));
  const workers = clients.map(
    (client, index) => new Worker({ client, promises, counter, boards, own: boards[index] as Board, rounds }),
  );
  const chaos = new Chaos({ clock, random: random.fork(), host, network, wires: clients.map(({ wire }) => wire) });
  const work = async (): Promise<void> => {
    await host.boot();
    await workers[0]?.prepare(SHARED);
    await Promise.all(workers.map((worker) => worker.prepare()));
    host.disk.crashAt = options.crashAt ?? Number.POSITIVE_INFINITY;
    if (chaotic) void chaos.run();
    await Promise.all(workers.map((worker) => worker.run()));
    chaos.stop();
    await Promise.all(workers.map((worker) => worker.finish()));
    for (const { wire } of clients) await wire.close();
    await host.shutDown();
    promises.check();
    await network.close();
  };
  if (!chaotic) chaos.stop();
  await clock.runToSettle(Promise.race([work(), host.failure]), { limit: 3600e6 });
  if (host.faults > 0 && host.disk.failedSyncs === 0)
    throw new Error(`the server has answered ${host.faults} requests by SERVERFAULT`);
  const sum = (of: (client: SimulatedClient) => number): number => clients.reduce((all, one) => all + of(one), 0);
  return {
    ...promises.counts,
    seed,
    seconds: clock.coarse() / 1e6,
    crashes: host.crashes,
    partitions: chaos.partitions,
    repeated: sum(({ wire }) => wire.repeated),
    replays: host.replays,
    reclaimed: sum(({ reclaimed }) => reclaimed),
    lost: sum(({ lost }) => lost),
    diskErrors: sum(({ diskErrors }) => diskErrors),
    diskOperations: host.disk.operations,
    hash: clock.eventHash(),
  };
}

/** Two clients, a server, and whatever can happen to them: nobody counts wrong, nothing stays open, no lock is believed to be held that another was given. */
import {
  bitmapOf,
  FATTR4_SIZE,
  NFS4ERR_BAD_SEQID,
  NFS4ERR_SEQ_FALSE_RETRY,
  NFS4ERR_SEQ_MISORDERED,
  OPEN4_SHARE_ACCESS_BOTH,
} from "@nfs4/protocol";
import { SeededRandom, sleepOn } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { Compound, type Mount, type NfsVersion } from "../src/index.ts";
import { WRITE_LT } from "../src/state/file-locks.ts";
import type { OpenFile } from "../src/state/open-file.ts";
import { World } from "./world.ts";

const NAMES = ["a", "b", "c"];
/** Each of them has found something. */
const SEEDS = [7, 22, 29, 50, 85];

class Chaos {
  readonly world: World;
  readonly random: SeededRandom;
  /** Who was given a file's lock last, and how often it was given. */
  readonly given = new Map<string, { readonly to: OpenFile; readonly count: number }>();
  /** Those that believe to have it. */
  readonly holders = new Set<OpenFile>();
  readonly counts = { locks: 0, writes: 0, failures: new Map<string, number>() };
  readonly wrong: string[] = [];

  constructor(world: World, seed: number) {
    this.world = world;
    this.random = new SeededRandom(seed);
  }

  /** What a program does with files, until it has had enough. */
  async work(mount: Mount, rounds: number): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      await this.#idle();
      try {
        await this.#useFile(mount, NAMES[this.random.below(NAMES.length)]!);
      } catch (error) {
        const { code = "" } = error as { readonly code?: string };
        this.counts.failures.set(code, (this.counts.failures.get(code) ?? 0) + 1);
        if (!["EIO", "ETIMEDOUT", "ABORT_ERR"].includes(code)) throw error;
      }
    }
  }

  #idle(): Promise<void> {
    return sleepOn(this.world.clock)(this.random.below(this.random.below(8) === 0 ? 60e6 : 2e6));
  }

  async #useFile(mount: Mount, name: string): Promise<void> {
    const { client } = mount;
    const { file } = await client.open(
      {
        toDirectory: (compound) => mount.enter(compound, []),
        name,
        access: OPEN4_SHARE_ACCESS_BOTH,
        create: { exclusive: false, attributes: { mode: 0o666 } },
        mask: bitmapOf(FATTR4_SIZE),
      },
      this.#patience(),
    );
    try {
      for (let left = this.random.below(8); left > 0; left--) {
        await this.#use(mount, file, name);
        await this.#idle();
      }
    } finally {
      await client.close(file);
    }
  }

  async #use(mount: Mount, file: OpenFile, name: string): Promise<void> {
    const { client } = mount;
    const patience = this.#patience();
    switch (this.random.below(6)) {
      case 0: {
        const { compound, denied } = await file.locks.lock((one) => client.attempt(one, patience), WRITE_LT, 0n, 10n);
        if (denied !== null) return;
        if (!compound.succeeded) throw compound.error();
        this.counts.locks++;
        this.holders.add(file);
        if (file.lost === null) this.given.set(name, { to: file, count: (this.given.get(name)?.count ?? 0) + 1 });
        return;
      }
      case 1:
        // Side by side, which in 4.0 owners cannot.
        await Promise.all([
          file.locks.lock((one) => client.attempt(one, patience), WRITE_LT, 20n, 10n),
          file.locks.lock((one) => client.attempt(one, patience), WRITE_LT, 25n, 20n),
          file.locks.unlock((one) => client.attempt(one, patience), 35n, 2n),
        ]);
        return;
      case 2:
        this.holders.delete(file);
        await file.locks.unlock((one) => client.attempt(one, patience), 0n, 10n);
        return;
      default: {
        const before = this.given.get(name);
        const held = this.holders.has(file);
        const compound = new Compound("write").putFh(() => file.handle);
        compound.op("WRITE", () => ({ stateid: file.ioStateid, offset: 0, stable: 2, data: new Uint8Array(10) }));
        await client.run(compound, { file, ...patience });
        this.counts.writes++;
        if (held && this.holders.has(file) && before === this.given.get(name) && before?.to !== file)
          this.wrong.push(`${name} at ${this.world.clock.now()}`);
      }
    }
  }

  #patience(): { readonly timeoutMs?: number; readonly signal?: AbortSignal } {
    if (this.random.below(8) > 0) return { timeoutMs: 600_000 };
    const controller = new AbortController();
    this.world.clock.callout(() => controller.abort()).scheduleAfter(this.random.below(10_000));
    return { signal: controller.signal };
  }

  /** What the instance that runs must not have had to say. */
  judgeServer(): void {
    for (const status of [NFS4ERR_BAD_SEQID, NFS4ERR_SEQ_FALSE_RETRY, NFS4ERR_SEQ_MISORDERED])
      if (this.world.server.counters.errors.has(status)) this.wrong.push(`${status} until ${this.world.clock.now()}`);
  }

  /** What happens to them. */
  async trouble(clients: number, done: () => boolean): Promise<void> {
    const { world, random } = this;
    while (!done()) {
      await world.clock.runFor(random.below(4e6));
      if (done()) return;
      const client = random.below(clients);
      switch (random.below(6)) {
        case 0:
          this.judgeServer();
          await world.restart();
          break;
        case 1:
          world.cut(client);
          await world.clock.runFor(random.below(2) === 0 ? random.below(5e6) : 100e6 + random.below(200e6));
          world.mend(client);
          break;
        case 2:
          await world.clock.runFor(random.below(30e6));
          break;
        default:
          world.cut(client);
          world.mend(client);
      }
    }
  }
}

describe.each<NfsVersion>(["4.2", "4.1", "4.0"])("NFSv%s", (version) => {
  it.each(SEEDS)("keeps its promises (seed %i)", async (seed) => {
    const world = await World.create({ delayUs: 700 });
    const chaos = new Chaos(world, seed);
    const mounts = [(await world.connect({ version })).mount, (await world.connect({ version })).mount];
    // Two programs each.
    let working = 2 * mounts.length;
    const work = Promise.all([...mounts, ...mounts].map((mount) => chaos.work(mount, 15).finally(() => working--)));
    const failed = work.catch((error: unknown) => ({ error }));
    await chaos.trouble(mounts.length, () => working === 0);
    expect(await failed).not.toMatchObject({ error: expect.anything() });
    // What nobody waited for.
    await world.pass(300);
    chaos.judgeServer();
    expect(chaos.wrong).toEqual([]);
    expect([...world.server.clients].flatMap(({ states }) => [...states].map(({ kind }) => kind))).toEqual([]);
    expect(mounts.map(({ client }) => client.openFiles)).toEqual([0, 0]);
    expect(chaos.counts.locks).toBeGreaterThan(0);
    expect(chaos.counts.writes).toBeGreaterThan(0);
    await world.finish();
  });
});

/** Connections that are cut at every point of an exchange: what was asked for happens, and happens once (RFC 7530 §9.1.7, RFC 8881 §2.10.6). */
import {
  bitmapOf,
  FATTR4_MODE,
  NFS4ERR_BAD_SEQID,
  NFS4ERR_CONN_NOT_BOUND_TO_SESSION,
  OPEN4_SHARE_ACCESS_BOTH,
  OPERATIONS,
} from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { Compound, type Mount, type NfsVersion } from "../src/index.ts";
import type { OpenFile } from "../src/state/open-file.ts";
import { World } from "./world.ts";

const DELAY_US = 1000;
/** From before the request is at the server until after the reply is at the client, both of a request of two round trips. */
const POINTS = Array.from({ length: 21 }, (_, i) => i * 250 - 1);

async function begin(version: NfsVersion): Promise<{ readonly world: World; readonly mount: Mount }> {
  const world = await World.create({ delayUs: DELAY_US });
  return { world, mount: (await world.connect({ version })).mount };
}

function open(mount: Mount, name: string, exclusive = false): Promise<OpenFile> {
  return mount.client
    .open({
      toDirectory: (compound) => mount.enter(compound, []),
      name,
      access: OPEN4_SHARE_ACCESS_BOTH,
      create: { exclusive, attributes: { mode: 0o640 } },
      mask: bitmapOf(FATTR4_MODE),
    })
    .then(({ file }) => file);
}

async function make(world: World, mount: Mount, name: string): Promise<void> {
  const file = await world.run(open(mount, name));
  await world.run(mount.client.close(file));
}

/** Runs something whose connection is lost after so long. */
async function cutAt<T>(world: World, us: number, task: Promise<T>): Promise<T> {
  const settled = task.catch(() => undefined);
  await world.clock.runFor(Math.max(0, us));
  world.cut(0);
  world.mend(0);
  await world.run(settled);
  return task;
}

function removing(mount: Mount, name: string): Compound {
  const compound = mount.enter(new Compound("remove"), []);
  compound.op("REMOVE", { target: Buffer.from(name) });
  return compound;
}

function renaming(mount: Mount, oldname: string, newname: string): Compound {
  const compound = mount.enter(new Compound("rename"), []).saveFh();
  compound.op("RENAME", { oldname: Buffer.from(oldname), newname: Buffer.from(newname) });
  return compound;
}

function linking(mount: Mount, name: string, newname: string): Compound {
  const compound = mount.enter(new Compound("link"), [name]).saveFh();
  mount.enter(compound, []).op("LINK", { newname: Buffer.from(newname) });
  return compound;
}

function makingDirectory(mount: Mount, name: string): Compound {
  const compound = mount.enter(new Compound("mkdir"), []);
  compound.op("CREATE", {
    objtype: { type: 2 },
    objname: Buffer.from(name),
    createattrs: { attrmask: [], attr_vals: new Uint8Array(0) },
  });
  return compound;
}

describe.each<NfsVersion>(["4.2", "4.1", "4.0"])("NFSv%s over a connection that is lost", (version) => {
  it("removes, renames, links and makes directories once", async () => {
    const { world, mount } = await begin(version);
    const run = (us: number, compound: Compound): Promise<void> => cutAt(world, us, mount.client.run(compound));
    for (const us of POINTS) {
      await make(world, mount, "a");
      await run(us, linking(mount, "a", "b"));
      await run(us, renaming(mount, "a", "c"));
      await run(us, removing(mount, "b"));
      await run(us, removing(mount, "c"));
      await run(us, makingDirectory(mount, "d"));
      await run(us, removing(mount, "d"));
    }
    const { counters } = world.server;
    expect(counters.replays).toBeGreaterThanOrEqual(6 * 4);
    expect([...counters.errors.keys()].filter((status) => status !== NFS4ERR_CONN_NOT_BOUND_TO_SESSION)).toEqual([]);
    expect(counters.operations[OPERATIONS.REMOVE.number]).toBe(3 * POINTS.length);
    await world.finish();
  });

  it("so do many at once, whichever of them have been answered", async () => {
    const { world, mount } = await begin(version);
    const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
    for (const name of names) await make(world, mount, name);
    for (const [round, us] of POINTS.entries()) {
      const slow = names.slice(6).map((name) => mount.client.run(renaming(mount, `${name}`, `${name}.`)));
      const pause = world.clock.runFor(300 + round * 20);
      await pause;
      const late = names.slice(0, 6).map((name) => mount.client.run(renaming(mount, `${name}`, `${name}.`)));
      await cutAt(world, us, Promise.all([...slow, ...late]));
      await world.run(Promise.all(names.map((name) => mount.client.run(renaming(mount, `${name}.`, name)))));
    }
    await world.finish();
  });

  it("opens exclusively, locks, unlocks and closes once", async () => {
    const { world, mount } = await begin(version);
    const send = (compound: Compound): Promise<void> => mount.client.attempt(compound);
    for (const us of [...POINTS, 5500, 6000, 6500, 7000, 7500]) {
      const file = await cutAt(world, us, open(mount, "a", true));
      for (const offset of [0n, 100n]) {
        const { compound, denied } = await cutAt(world, us, file.locks.lock(send, 2, offset, 10n));
        expect([compound.succeeded, denied]).toEqual([true, null]);
      }
      expect((await cutAt(world, us, file.locks.unlock(send, 0n, 10n))).succeeded).toBe(true);
      await cutAt(world, us, mount.client.close(file));
      expect(world.server.services.states.stateCount).toBe(0);
      await world.run(mount.client.run(removing(mount, "a")));
    }
    expect(world.server.counters.errors.get(NFS4ERR_BAD_SEQID)).toBeUndefined();
    await world.finish();
  });

  it("closes what is open when it leaves", async () => {
    const { world, mount } = await begin(version);
    const [plain, locked] = [await world.run(open(mount, "a")), await world.run(open(mount, "b"))];
    await world.run(locked.locks.lock((compound) => mount.client.attempt(compound), 2, 0n, 10n));
    expect(plain.wanted && locked.wanted).toBe(true);
    await world.run(mount.client.disconnect());
    expect(world.server.services.states.stateCount).toBe(0);
    await world.finish();
  });
});

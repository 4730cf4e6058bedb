/** What only NFSv4.0 has: client IDs and their lease, seqids of state-owners, OPEN_CONFIRM, RELEASE_LOCKOWNER (RFC 7530 §9). */
import {
  bitmapOf,
  decodeFattr4,
  FATTR4_MODE,
  FATTR4_SIZE,
  FATTR4_TIME_MODIFY,
  NFS4ERR_BAD_SEQID,
  NFS4ERR_GRACE,
  NFS4ERR_MINOR_VERS_MISMATCH,
  NFS4ERR_NO_GRACE,
  OP_LOCK,
  OP_OPEN,
  OPEN4_SHARE_ACCESS_BOTH,
  OPERATIONS,
  type OperationName,
} from "@nfs4/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Compound, type ConnectOptions, connect, type Mount } from "../src/index.ts";
import { WRITE_LT } from "../src/state/file-locks.ts";
import type { OpenFile, OpenRequest } from "../src/state/open-file.ts";
import { startProxy } from "./proxy.ts";
import { World } from "./world.ts";

const DELAY_US = 1000;
let world: World;

beforeEach(async () => {
  world = await World.create({ delayUs: DELAY_US });
});
afterEach(() => world.finish());

async function connect40(options: ConnectOptions = {}): Promise<Mount> {
  return (await world.connect({ version: "4.0", ...options })).mount;
}

function request(mount: Mount, name: string, more: Partial<OpenRequest> = {}): OpenRequest {
  return {
    toDirectory: (compound) => mount.enter(compound, []),
    name,
    access: OPEN4_SHARE_ACCESS_BOTH,
    create: { exclusive: false, attributes: { mode: 0o640 } },
    mask: bitmapOf(FATTR4_SIZE),
    ...more,
  };
}

async function open(mount: Mount, name: string, more: Partial<OpenRequest> = {}): Promise<OpenFile> {
  return (await world.run(mount.client.open(request(mount, name, more)))).file;
}

function writing(mount: Mount, file: OpenFile): Promise<void> {
  const compound = new Compound("write").putFh(() => file.handle);
  compound.op("WRITE", () => ({ stateid: file.ioStateid, offset: 0, stable: 2, data: new Uint8Array(10) }));
  return mount.client.run(compound, { file });
}

function write(mount: Mount, file: OpenFile): Promise<void> {
  return world.run(writing(mount, file));
}

/** Resolves to whether the range is locked; false: another has it. */
async function lock(mount: Mount, file: OpenFile, offset = 0n): Promise<boolean> {
  const { compound, denied } = await file.locks.lock((one) => mount.client.attempt(one), WRITE_LT, offset, 10n);
  if (denied === null && !compound.succeeded) throw compound.error();
  return denied === null;
}

function times(name: OperationName): number {
  return world.server.counters.operations[OPERATIONS[name].number] ?? 0;
}

function errors(status: number): number {
  return world.server.counters.errors.get(status) ?? 0;
}

describe("the lease", () => {
  it("is renewed by RENEW while only special stateids are used, and by nothing more where I/O does it (RFC 7530 §9.5)", async () => {
    const mount = await connect40();
    const file = await open(mount, "a");
    for (let i = 0; i < 60; i++) {
      await world.run(mount.client.run(mount.enter(new Compound(), [])));
      await world.pass(10);
    }
    const renewals = times("RENEW");
    expect(renewals).toBeGreaterThan(9);
    for (let i = 0; i < 60; i++) {
      await write(mount, file);
      await world.pass(10);
    }
    expect(times("RENEW")).toBe(renewals);
    expect([...world.server.clients].map(({ expired }) => expired)).toEqual([false]);
  });

  it("is as long as the new instance of a server says (RFC 7530 §9.6.2)", async () => {
    const mount = await connect40();
    const file = await open(mount, "a");
    world.leaseSeconds = 12;
    await world.restart();
    await write(mount, file);
    await world.pass(120);
    expect(times("RENEW")).toBeGreaterThan(20);
  });

  it("that is over has left nothing to claim back: files are opened anew, what was locked is lost", async () => {
    const [mount, other] = [await connect40(), await connect40()];
    const [plain, locked] = [await open(mount, "a"), await open(mount, "b")];
    await world.run(lock(mount, locked));
    world.cut(0);
    await world.pass(200);
    expect(await world.run(lock(other, await open(other, "b")))).toBe(true);
    world.mend(0);
    // Long enough for RENEW, which is told.
    await world.pass(60);
    expect(times("SETCLIENTID")).toBe(3);
    await write(mount, plain);
    await expect(write(mount, locked)).rejects.toMatchObject({ code: "EIO", message: expect.stringMatching(/locks/) });
    expect(errors(NFS4ERR_NO_GRACE)).toBe(0);
    await world.run(mount.client.close(locked));
    await world.run(mount.client.close(plain));
    expect(world.server.services.states.openFileCount).toBe(1);
  });
});

describe("state-owners", () => {
  it("confirm, lock, unlock, close and are released", async () => {
    const mount = await connect40();
    const file = await open(mount, "a");
    expect(times("OPEN_CONFIRM")).toBe(1);
    expect(await world.run(Promise.all([lock(mount, file), lock(mount, file, 20n), lock(mount, file, 40n)]))).toEqual([
      true,
      true,
      true,
    ]);
    await write(mount, file);
    expect((await world.run(file.locks.unlock((one) => mount.client.attempt(one), 20n, 10n))).succeeded).toBe(true);
    await world.run(mount.client.close(file));
    expect([times("LOCKU"), times("CLOSE"), times("RELEASE_LOCKOWNER")]).toEqual([2, 1, 1]);
    expect(world.server.services.states.stateCount).toBe(0);
    expect([...world.server.clients][0]!.lockOwners.size).toBe(0);
    expect(world.server.counters.errors.size).toBe(0);
  });

  it("go on counting after a lock was denied", async () => {
    const [mount, other] = [await connect40(), await connect40()];
    const [file, theirs] = [await open(mount, "a"), await open(other, "a")];
    expect(await world.run(lock(other, theirs))).toBe(true);
    for (let i = 0; i < 3; i++) expect(await world.run(lock(mount, file))).toBe(false);
    expect(await world.run(lock(mount, file, 20n))).toBe(true);
    await world.run(other.client.close(theirs));
    expect(await world.run(lock(mount, file))).toBe(true);
    expect(errors(NFS4ERR_BAD_SEQID)).toBe(0);
  });

  it("that the server counts otherwise are given up for others; with them go locks (NFS4ERR_BAD_SEQID)", async () => {
    const mount = await connect40();
    const [plain, locked] = [await open(mount, "a"), await open(mount, "b")];
    await world.run(lock(mount, locked));
    const [client] = [...world.server.clients];
    for (const { sequence } of client!.openOwners.values()) sequence?.finish(1000, OP_OPEN, 0, null, null);
    for (const { sequence } of client!.lockOwners.values()) sequence?.finish(1000, OP_LOCK, 0, null, null);
    expect(await world.run(lock(mount, plain))).toBe(true);
    await write(mount, plain);
    await expect(world.run(lock(mount, locked, 20n))).rejects.toMatchObject({ code: "EIO" });
    expect(errors(NFS4ERR_BAD_SEQID)).toBe(2);
  });
});

describe("callers that give up (RFC 7530 §9.7)", () => {
  it("leave no open file behind", async () => {
    const mount = await connect40();
    for (let us = 0; us < 4 * DELAY_US; us += DELAY_US / 2) {
      const controller = new AbortController();
      const late = mount.client.open(request(mount, "a"), { signal: controller.signal });
      const outcome = expect(late).rejects.toMatchObject({ name: "AbortError" });
      await world.clock.runFor(us);
      controller.abort(new Error("enough"));
      await outcome;
      await world.pass(1);
      expect([world.server.services.states.stateCount, mount.client.openFiles]).toEqual([0, 0]);
    }
    expect(errors(NFS4ERR_BAD_SEQID)).toBe(0);
  });

  it("leave no lock behind, and the owner's next operation waits until it is known what came of theirs", async () => {
    const [mount, other] = [await connect40(), await connect40()];
    const [file, theirs] = [await open(mount, "a"), await open(other, "a")];
    world.cut(0);
    const given = file.locks.lock((one) => mount.client.attempt(one, { timeoutMs: 1000 }), WRITE_LT, 0n, 10n);
    await expect(world.run(given)).rejects.toMatchObject({ code: "ETIMEDOUT" });
    const next = lock(mount, file, 20n);
    world.mend(0);
    expect(await world.run(next)).toBe(true);
    await world.pass(1);
    expect(await world.run(lock(other, theirs))).toBe(true);
    expect(await world.run(lock(other, theirs, 20n))).toBe(false);
    expect(errors(NFS4ERR_BAD_SEQID)).toBe(0);
  });
});

/** Until after the last of so many round trips. */
function pointsOf(roundTrips: number): number[] {
  return Array.from({ length: roundTrips * 4 + 2 }, (_, i) => i * (DELAY_US / 2));
}

describe("a server that restarts", () => {
  /** A file that is held over the restart, so that there is a time of grace. */
  let mount: Mount;
  let held: OpenFile;

  beforeEach(async () => {
    mount = await connect40();
    held = await open(mount, "held");
    await world.run(lock(mount, held));
  });

  async function during<T>(us: number, task: Promise<T>): Promise<T> {
    const settled = task.catch(() => undefined);
    await world.clock.runFor(us);
    await world.restart();
    await world.run(settled);
    await write(mount, held);
    expect(held.locks.held).toBe(true);
    expect([times("SETCLIENTID"), errors(NFS4ERR_BAD_SEQID)]).toEqual([1, 0]);
    return task;
  }

  it("in the middle of an OPEN gets it once grace is over", async () => {
    for (const us of pointsOf(2)) {
      const { file } = await during(us, mount.client.open(request(mount, "a")));
      expect(await world.run(lock(mount, file))).toBe(true);
      await write(mount, file);
      await world.run(mount.client.close(file));
      expect(world.server.services.states.openFileCount).toBe(1);
    }
  });

  it("in the middle of an exclusive OPEN knows that it has made the file", async () => {
    for (const us of pointsOf(3)) {
      const how = { create: { exclusive: true, attributes: { mode: 0o604 } }, mask: bitmapOf(FATTR4_MODE) };
      const { file, attributes } = await during(us, mount.client.open(request(mount, `x${us}`, how)));
      const decoded = decodeFattr4(attributes.body.obj_attributes);
      expect(decoded).toMatchObject({ ok: true, values: { mode: 0o604 } });
      await world.run(mount.client.close(file));
    }
  });

  it("in the middle of a LOCK or LOCKU", async () => {
    for (const us of pointsOf(1)) {
      const file = await open(mount, "a");
      expect(await during(us, lock(mount, file))).toBe(true);
      expect(await during(us, lock(mount, file, 20n))).toBe(true);
      const unlocking = file.locks.unlock((one) => mount.client.attempt(one), 0n, 10n);
      expect((await during(us, unlocking)).succeeded).toBe(true);
      expect(file.lost).toBeNull();
      await world.run(mount.client.close(file));
      expect(world.server.services.states.openFileCount).toBe(1);
    }
  });

  it("in the middle of a CLOSE", async () => {
    for (const us of pointsOf(3)) {
      const file = await open(mount, "a");
      await world.run(lock(mount, file));
      await during(us, mount.client.close(file));
      expect(world.server.services.states.openFileCount).toBe(1);
      expect(mount.client.openFiles).toBe(1);
    }
  });

  it("puts off what is new until grace is over, I/O without an open as well", async () => {
    const other = await connect40();
    await world.restart();
    const compound = other.enter(new Compound("read"), ["held"]);
    compound.op("READ", { stateid: { seqid: 0, other: new Uint8Array(12) }, offset: 0, count: 10 });
    await world.run(Promise.all([other.client.run(compound), other.client.open(request(other, "b"))]));
    expect(errors(NFS4ERR_GRACE)).toBeGreaterThan(4);
    // The one who waits for grace to end has not let its lease go.
    expect(errors(NFS4ERR_BAD_SEQID)).toBe(0);
  });

  it("without memory of us gives files only as anew, and no locks (NFS4ERR_NO_GRACE)", async () => {
    const plain = await open(mount, "a");
    await world.run(world.storage.replace("recovery.journal", new Uint8Array(0)));
    await world.restart();
    await write(mount, plain);
    await expect(write(mount, held)).rejects.toMatchObject({ code: "EIO" });
    expect(errors(NFS4ERR_NO_GRACE)).toBe(2);
  });

  it("twice gives back what was held between the two, and what was not is lost (RFC 7530 §9.6.3.4.4)", async () => {
    let partly = 0;
    for (let us = 0; us < 20_000; us += 500) {
      const files: OpenFile[] = [];
      for (const name of ["a", "b"]) {
        const file = await open(mount, name);
        await world.run(lock(mount, file));
        files.push(file);
      }
      await world.restart();
      const going = Promise.all([held, ...files].map((file) => writing(mount, file).catch(() => undefined)));
      await world.clock.runFor(us);
      const given = [...world.server.clients]
        .flatMap(({ states }) => [...states])
        .filter(({ kind }) => kind === "lock");
      await world.restart();
      await world.run(going);
      const kept = [held, ...files].filter(({ lost }) => lost === null).length;
      // The last answer may not have come.
      if (given.length > 0) expect([given.length, given.length - 1]).toContain(kept);
      if (kept > 0 && kept < 3) partly++;
      for (const file of [held, ...files]) await world.run(mount.client.close(file));
      expect(world.server.services.states.stateCount).toBe(0);
      held = await open(mount, "held");
      await world.run(lock(mount, held));
    }
    expect(partly).toBeGreaterThan(3);
  });
});

describe("an exclusive create", () => {
  const exclusive = { create: { exclusive: true, attributes: { mode: 0o600, size: 5n } }, mask: bitmapOf(FATTR4_MODE) };

  it("sets attributes afterwards, times among them that kept the verifier (RFC 7530 §16.16.6)", async () => {
    const mount = await connect40();
    const mask = bitmapOf(FATTR4_MODE, FATTR4_SIZE, FATTR4_TIME_MODIFY);
    const { attributes } = await world.run(mount.client.open(request(mount, "a", { ...exclusive, mask })));
    const decoded = decodeFattr4(attributes.body.obj_attributes);
    const now = world.clock.wall().seconds;
    expect(decoded).toMatchObject({ ok: true, values: { mode: 0o600, size: 5n } });
    expect(decoded.ok && Math.abs(Number(decoded.values.time_modify?.seconds) - now)).toBeLessThan(2);
  });

  it("fails if there is such a file, and leaves nothing open if attributes cannot be set", async () => {
    const mount = await connect40();
    await world.run(mount.client.close(await open(mount, "a")));
    await expect(open(mount, "a", exclusive)).rejects.toMatchObject({ code: "EEXIST" });
    const odd = { create: { exclusive: true, attributes: { owner: Buffer.from("nobody@nowhere") } } };
    await expect(open(mount, "b", odd)).rejects.toMatchObject({ operation: "SETATTR" });
    expect([world.server.services.states.stateCount, mount.client.openFiles]).toEqual([0, 0]);
  });
});

describe("COMPOUNDs", () => {
  it("are under way no more than so many at once", async () => {
    const mount = await connect40({ slots: 2 });
    const before = world.clock.now();
    await world.run(Promise.all(Array.from({ length: 6 }, () => mount.client.run(mount.enter(new Compound(), [])))));
    expect(world.clock.now() - before).toBeGreaterThanOrEqual(3 * 2 * DELAY_US);
  });

  it("go again with pauses where a server ends every connection", async () => {
    const mount = await connect40();
    let connections = 0;
    await world.stop();
    const listener = world.network.listen({ address: "10.0.0.1", port: 2049 });
    listener.accept((stream) => {
      connections++;
      stream.setSink({
        data: (_slab, _offset, length) => {
          stream.abort();
          return length;
        },
        end: () => undefined,
      });
    });
    const given = mount.client.run(mount.enter(new Compound(), []), { timeoutMs: 60_000 });
    await expect(world.run(given)).rejects.toMatchObject({ code: "ETIMEDOUT" });
    expect(connections).toBeLessThan(20);
    await listener.close();
    await world.start();
  });
});

describe("connect", () => {
  it("goes down to the minor version that the server has, unless another is asked for", async () => {
    const asked: number[] = [];
    const server = await startProxy(world, "10.0.0.2", (minorVersion) => {
      asked.push(minorVersion);
      return minorVersion > 0 ? NFS4ERR_MINOR_VERS_MISMATCH : null;
    });
    const { clock, network } = world;
    const options = { clock, random: world.random.fork(), connector: network.connector("10.0.1.9") };
    const nfs = await world.run(connect("nfs://10.0.0.2/", options));
    expect(nfs.mount.client.dialect.minorVersion).toBe(0);
    expect([...new Set(asked)]).toEqual([2, 1, 0]);
    const refused = connect("nfs://10.0.0.2/?version=4.1", options);
    await expect(world.run(refused)).rejects.toMatchObject({ nfsStatus: "NFS4ERR_MINOR_VERS_MISMATCH" });
    await world.run(nfs.close());
    await world.run(server.close({ graceMs: 0 }));
  });
});

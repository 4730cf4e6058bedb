/** COMPOUNDs, sessions and open files of the client, against our server in virtual time. */
import { bitmapOf, decodeFattr4, FATTR4_SIZE, NFS4ERR_INVAL, OPEN4_SHARE_ACCESS_BOTH } from "@nfs4/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Compound, connect, type Mount, type NfsVersion } from "../src/index.ts";
import type { OpenFile } from "../src/state/open-file.ts";
import { startProxy } from "./proxy.ts";
import { World } from "./world.ts";

let world: World;

beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world.finish());

async function openFile(mount: Mount, name: string): Promise<OpenFile> {
  const { file } = await world.run(
    mount.client.open({
      toDirectory: (compound) => mount.enter(compound, []),
      name,
      access: OPEN4_SHARE_ACCESS_BOTH,
      create: { exclusive: false, attributes: { mode: 0o644 } },
      mask: bitmapOf(FATTR4_SIZE),
    }),
  );
  return file;
}

function writing(file: OpenFile, offset: number, data: Uint8Array): Compound {
  const compound = new Compound("write").putFh(() => file.handle);
  compound.op("WRITE", () => ({ stateid: file.ioStateid, offset, stable: 2, data }));
  return compound;
}

async function sizeOf(mount: Mount, name: string): Promise<bigint | undefined> {
  const compound = mount.enter(new Compound(), [name]);
  const step = compound.getAttributes(bitmapOf(FATTR4_SIZE));
  await world.run(mount.client.run(compound));
  const decoded = decodeFattr4(step.body.obj_attributes);
  return decoded.ok ? decoded.values.size : undefined;
}

describe.each<NfsVersion>(["4.2", "4.1", "4.0"])("NFSv%s", (version) => {
  it("connects, makes a file, writes to it, asks for its size, closes it", async () => {
    const { mount } = await world.connect({ version });
    const file = await openFile(mount, "a");
    await world.run(mount.client.run(writing(file, 0, new Uint8Array(1000)), { file }));
    expect(await sizeOf(mount, "a")).toBe(1000n);
    await world.run(mount.client.close(file));
    expect(world.server.services.states.openFileCount).toBe(0);
  });

  it("an operation that fails is an error as Node's are, with the server's status", async () => {
    const { mount } = await world.connect({ version });
    const compound = mount.enter(new Compound(), ["nowhere"]);
    const failure = await world.run(
      mount.client.run(compound, { syscall: "stat", path: "/nowhere" }).catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({
      message: "ENOENT: no such file or directory, stat '/nowhere'",
      code: "ENOENT",
      errno: -2,
      syscall: "stat",
      path: "/nowhere",
      nfsStatus: "NFS4ERR_NOENT",
      operation: "LOOKUP",
    });
  });

  it("goes on over another connection when one is lost", async () => {
    const { mount } = await world.connect({ version });
    const file = await openFile(mount, "a");
    for (let i = 0; i < 5; i++) {
      const write = mount.client.run(writing(file, i * 100, new Uint8Array(100)), { file });
      for (const connection of world.server.rpc.connections) connection.abort();
      await world.run(write);
    }
    expect(await sizeOf(mount, "a")).toBe(500n);
  });

  it("claims back what it had open when the server restarts", async () => {
    const { mount } = await world.connect({ version });
    const file = await openFile(mount, "a");
    await world.run(file.locks.lock((compound) => mount.client.attempt(compound), 2, 0n, 10n));
    await world.restart();
    await world.run(mount.client.run(writing(file, 0, new Uint8Array(10)), { file }));
    expect(file.lost).toBeNull();
    expect(file.locks.held).toBe(true);
    expect(world.server.services.states.openFileCount).toBe(1);
  });

  it("keeps its lease while nothing is asked of it", async () => {
    const { mount } = await world.connect({ version });
    const file = await openFile(mount, "a");
    await world.pass(3600);
    await world.run(mount.client.run(writing(file, 0, new Uint8Array(10)), { file }));
    expect(file.lost).toBeNull();
  });

  it("opens again what it had when it was away for longer than its lease; what was locked is lost, and said to be", async () => {
    const { mount } = await world.connect({ version });
    const { mount: other } = await world.connect({ version });
    const [plain, locked] = [await openFile(mount, "a"), await openFile(mount, "b")];
    await world.run(locked.locks.lock((compound) => mount.client.attempt(compound), 2, 0n, 10n));
    world.cut(0);
    // The server keeps state that nobody else wants, whatever the lease: so another wants it.
    await world.pass(200);
    const wanted = await openFile(other, "b");
    await world.run(wanted.locks.lock((compound) => other.client.attempt(compound), 2, 0n, 10n));
    world.mend(0);
    await world.run(mount.client.run(writing(plain, 0, new Uint8Array(10)), { file: plain }));
    const late = mount.client.run(writing(locked, 0, new Uint8Array(10)), { file: locked });
    await expect(world.run(late)).rejects.toMatchObject({ code: "EIO", message: expect.stringMatching(/locks/) });
  });

  it("gives up at the caller's signal, and when time is over", async () => {
    const { mount } = await world.connect({ version });
    await world.stop();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(world.run(mount.client.run(mount.enter(new Compound(), []), { signal }))).rejects.toMatchObject({
      name: "AbortError",
      cause: { message: "enough" },
    });
    const late = mount.client.run(mount.enter(new Compound(), []), { timeoutMs: 5000, syscall: "stat" });
    await expect(world.run(late)).rejects.toMatchObject({ code: "ETIMEDOUT", syscall: "stat" });
    await world.start();
  });

  it("what the server refuses as a whole fails, and the next goes on", async () => {
    const proxy = await startProxy(world, "10.0.0.2", (_, tag) => (tag === "unreadable" ? NFS4ERR_INVAL : null));
    const { clock, random, network } = world;
    const options = { version, clock, random: random.fork(), connector: network.connector("10.0.1.9") };
    const nfs = await world.run(connect("nfs://10.0.0.2/", options));
    const { client } = nfs.mount;
    for (let i = 0; i < 3; i++) {
      const refused = client.run(nfs.mount.enter(new Compound("unreadable"), []), { syscall: "stat" });
      await expect(world.run(refused)).rejects.toMatchObject({ code: "EINVAL", operation: "COMPOUND" });
      await world.run(client.run(nfs.mount.enter(new Compound(), [])));
    }
    expect(client.epoch).toBe(1);
    await world.run(nfs.close());
    await world.run(proxy.close({ graceMs: 0 }));
  });
});

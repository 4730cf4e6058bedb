/** What was true before a file system, the journal or a client was waited for may be so no more: it is looked at again. */
import { ANONYMOUS_STATEID } from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import type { MemoryFileSystem } from "../../src/filesystem/memory/memory-file-system.ts";
import type { FileSystem } from "../../src/filesystem/types.ts";
import { MemoryStorage } from "../../src/storage/memory-storage.ts";
import { utf8 } from "../harness/bytes.ts";
import type { Client40 } from "../harness/client40.ts";
import type { Client41 } from "../harness/client41.ts";
import { DENY_BOTH, lockArgs, READ, WRITE } from "../harness/open-options.ts";
import { ALICE } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

/** Holds a member of a file system for one user until it is opened. */
class Gate {
  #open: () => void = () => {};
  readonly #opened: Promise<void> = new Promise((resolve) => {
    this.#open = resolve;
  });

  around(inner: MemoryFileSystem, member: keyof FileSystem, uid: number): FileSystem {
    return new Proxy(inner, {
      get: (_target, name) => {
        const its: unknown = Reflect.get(inner, name);
        if (typeof its !== "function") return its;
        if (name !== member) return its.bind(inner);
        return (...args: unknown[]) => {
          const context = args.find((arg) => typeof arg === "object" && arg !== null && "groups" in arg);
          const held = (context as { uid?: number } | undefined)?.uid === uid;
          return held ? this.#opened.then(() => its.apply(inner, args)) : its.apply(inner, args);
        };
      },
    }) as unknown as FileSystem;
  }

  open(): void {
    this.#open();
  }
}

describe.each([0, 1])("after a wait, in 4.%i", (minor) => {
  it("a READ without an open that meets a share reservation is LOCKED, though there was none when it came", async () => {
    const gate = new Gate();
    const world = await World.create({
      exports: ({ files }) => [{ path: "/", fileSystem: gate.around(files, "open", ALICE.uid), squash: "none" }],
    });
    const client = await world.mount(minor);
    const handle = await client.writeFile("/f", "x");
    const other = await world.mount(minor, "other");
    const reading = client.compound().as(ALICE).putfh(handle).read(ANONYMOUS_STATEID, 0, 1).start();
    await world.pass(1);
    const file = await other.open("/f", { deny: DENY_BOTH });
    gate.open();
    expect((await world.run(reading)).status).toBe("NFS4ERR_LOCKED");
    (await other.close(file)).ok();
    await world.finish();
  });

  it("an OPEN whose client has gone meanwhile makes no state, and its file is closed: EXPIRED", async () => {
    const gate = new Gate();
    const world = await World.create({
      leaseSeconds: 10,
      courtesySeconds: 1,
      exports: ({ files }) => [{ path: "/", fileSystem: gate.around(files, "open", ALICE.uid), squash: "none" }],
    });
    const client = await world.mount(minor);
    await client.writeFile("/f", "x", 0o666);
    const opening = client.addOpen(client.compound().as(ALICE).putroot(), "f", {}).start();
    await world.pass(60);
    expect([...world.server.clients]).toEqual([]);
    gate.open();
    expect((await world.run(opening)).status).toBe("NFS4ERR_EXPIRED");
    expect(world.services.states.stateCount).toBe(0);
    expect(nodeOf(world, "f").openCount).toBe(0);
    await world.finish();
  });

  it("upgrades and closes at the same time leave no file open", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = await World.create({ delayed: true, seed });
      const client = await world.mount(minor);
      await client.writeFile("/f", "x");
      const file = await client.open("/f", { access: READ });
      const upgrade = client.addOpen(compoundOn(client, 1).putroot(), "f", { access: WRITE }).start();
      if (minor === 0) (client as Client40).seqids.set("owner", (client as Client40).seqid("owner") + 1);
      const closing = compoundOn(client, 2)
        .putroot()
        .lookup("f")
        .close(file.stateid, minor === 0 ? (client as Client40).seqid("owner") : 0)
        .start();
      const [opened, closed] = await world.run(Promise.all([upgrade, closing]));
      expect(opened.status).toBe("NFS4_OK");
      expect(["NFS4_OK", "NFS4ERR_OLD_STATEID"]).toContain(closed.status);
      await world.finish();
    }
  });
});

describe("after a wait for the journal", () => {
  it("a 4.1 lock-owner is one, however many LOCKs of it came to nothing meanwhile", async () => {
    const storage = new MemoryStorage();
    const world = await World.create({ storage });
    const client = await world.client41();
    await client.writeFile("/f", "x");
    const file = await client.open("/f");
    const other = await world.client41("other");
    const append = storage.append.bind(storage);
    let written: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      written = resolve;
    });
    storage.append = (name, bytes) => gate.then(() => append(name, bytes));
    const opening = other.addOpen(other.compound().putroot(), "f", { access: READ }).start();
    await world.pass(1);
    const lock = (slot: number, options: Parameters<typeof lockArgs>[0]) => {
      const lock_owner = { clientid: client.clientid, owner: utf8("locker") };
      const open_owner = { open_seqid: 0, open_stateid: file.stateid, lock_seqid: 0, lock_owner };
      const args = lockArgs(options, { new_lock_owner: true, open_owner });
      return client.compound().on({ slot }).putfh(file.handle).op("LOCK", args).start();
    };
    const first = lock(1, {});
    await world.pass(1);
    expect((await world.run(lock(2, { reclaim: true }))).status).toBe("NFS4ERR_NO_GRACE");
    const second = lock(3, {});
    await world.pass(1);
    written();
    const replies = await world.run(Promise.all([first, second, opening]));
    expect(replies.map(({ status }) => status)).toEqual(["NFS4_OK", "NFS4_OK", "NFS4_OK"]);
    await world.finish();
  });
});

function compoundOn(client: Client40 | Client41, slot: number) {
  return "session" in client ? client.compound().on({ slot }) : client.compound();
}

function nodeOf(world: World, name: string) {
  const node = world.files.lookup(world.files.root(), name);
  if (typeof node === "string") throw new Error(node);
  return node;
}

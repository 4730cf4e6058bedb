/** What every operation with a stateid answers to one that will not do (RFC 8881 §8.2.4, §15.2; RFC 7530 §9.1.4.4, §13.2). */
import type { stateid4 } from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { utf8 } from "../harness/bytes.ts";
import type { Client40 } from "../harness/client40.ts";
import type { Client41 } from "../harness/client41.ts";
import type { Compound } from "../harness/compound.ts";
import { DENY_BOTH, lockArgs, READ } from "../harness/open-options.ts";
import { World } from "../harness/world.ts";

type Use = (compound: Compound, stateid: stateid4) => Compound;

const LAST_NUMBER = 0xffff_fff0;
const UNLOCK = { locktype: 2, seqid: LAST_NUMBER, offset: 0n, length: 1n } as const;

/** Operations that take the stateid of an OPEN; in 4.0 the number of their owner is judged after it. */
const BY_OPEN: readonly (readonly [name: string, since: number, use: Use])[] = [
  ["READ", 0, (compound, stateid) => compound.read(stateid, 0, 1)],
  ["WRITE", 0, (compound, stateid) => compound.write(stateid, 0, "x")],
  ["SETATTR", 0, (compound, stateid) => compound.setattr({ size: 0n }, stateid)],
  ["DELEGRETURN", 0, (compound, deleg_stateid) => compound.op("DELEGRETURN", { deleg_stateid })],
  ["SEEK", 2, (compound, sa_stateid) => compound.op("SEEK", { sa_stateid, sa_offset: 0n, sa_what: 0 })],
  ["ALLOCATE", 2, (compound, aa_stateid) => compound.op("ALLOCATE", { aa_stateid, aa_offset: 0n, aa_length: 1n })],
  ["DEALLOCATE", 2, (compound, da_stateid) => compound.op("DEALLOCATE", { da_stateid, da_offset: 0n, da_length: 1n })],
];
/** Those whose sequence in 4.0 goes first: there only what has no owner can be told. */
const IN_SEQUENCE: readonly (readonly [name: string, use: Use])[] = [
  ["CLOSE", (compound, stateid) => compound.close(stateid, LAST_NUMBER)],
  [
    "OPEN_DOWNGRADE",
    (compound, open_stateid) =>
      compound.op("OPEN_DOWNGRADE", { open_stateid, seqid: LAST_NUMBER, share_access: READ, share_deny: 0 }),
  ],
  [
    "LOCK",
    (compound, open_stateid) => {
      const lock_owner = { clientid: { hi: 0, lo: 0 }, owner: utf8("locker") };
      const open_owner = { open_seqid: LAST_NUMBER, open_stateid, lock_seqid: 0, lock_owner };
      return compound.op("LOCK", lockArgs({}, { new_lock_owner: true, open_owner }));
    },
  ],
  ["LOCKU", (compound, lock_stateid) => compound.op("LOCKU", { ...UNLOCK, lock_stateid })],
];

function uses(minor: number): (readonly [string, Use])[] {
  const plain = BY_OPEN.filter(([, since]) => since <= minor).map(([name, , use]) => [name, use] as const);
  return [...plain, ...IN_SEQUENCE];
}

async function begin(minor: number) {
  const world = await World.create({ leaseSeconds: 30 });
  const client: Client40 | Client41 = await world.mount(minor);
  await client.writeFile("/f", "x");
  const file = await client.open("/f", { owner: "upgrader" });
  return { world, client, file };
}

describe.each([0, 1, 2])("a stateid in 4.%i", (minor) => {
  it("without a filehandle: NOFILEHANDLE", async () => {
    const { world, client, file } = await begin(minor);
    for (const [name, use] of uses(minor))
      expect((await use(client.compound(), file.stateid).send()).status, name).toBe("NFS4ERR_NOFILEHANDLE");
    await world.finish();
  });

  it("that nobody gave: BAD_STATEID", async () => {
    const { world, client, file } = await begin(minor);
    const other = file.stateid.other.slice();
    other[11]! ^= 0x55;
    for (const [name, use] of uses(minor)) {
      const compound = use(client.compound().putfh(file.handle), { seqid: 1, other });
      expect((await compound.send()).status, name).toBe("NFS4ERR_BAD_STATEID");
    }
    await world.finish();
  });

  it("that has been superseded: OLD_STATEID", async () => {
    const { world, client, file } = await begin(minor);
    const old = { ...file.stateid };
    await client.open("/f", { access: READ, owner: "upgrader" });
    await client.open("/f", { access: READ, owner: "upgrader" });
    for (const [name, use] of uses(minor)) {
      // In 4.0 the sequence of the owner is judged first; LOCKU takes stateids of locks.
      if (name === "LOCKU" || (minor === 0 && IN_SEQUENCE.some(([one]) => one === name))) continue;
      const compound = use(client.compound().putfh(file.handle), old);
      expect((await compound.send()).status, name).toBe("NFS4ERR_OLD_STATEID");
    }
    await world.finish();
  });
});

describe("a stateid of 4.0", () => {
  it("that was lost with its client's lease: EXPIRED; of an earlier life of the server: STALE_STATEID", async () => {
    const { world, client, file } = await begin(0);
    client.wire.abort();
    await world.pass(60);
    const other = await world.client40("other");
    await other.open("/f", { deny: DENY_BOTH });
    const statusOf = async (use: Use) => (await use(other.compound().putfh(file.handle), file.stateid).send()).status;
    for (const [name, use] of uses(0)) expect(await statusOf(use), name).toBe("NFS4ERR_EXPIRED");
    await world.restart();
    other.wire = await world.wire();
    for (const [name, use] of uses(0)) expect(await statusOf(use), name).toBe("NFS4ERR_STALE_STATEID");
    await world.finish();
  });
});

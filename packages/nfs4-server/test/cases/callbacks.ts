/** Calls from the server: proving the way, what SEQUENCE says of it, CB_NOTIFY_LOCK (RFC 8881 §2.10.3.1, §18.33, §20.9, §20.11; RFC 7530 §10.2). */
import {
  type CallbackTypes,
  CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
  NFS4ERR_BADSESSION,
  SEQ4_STATUS_CB_PATH_DOWN,
  SEQ4_STATUS_CB_PATH_DOWN_SESSION,
} from "@nfs4/protocol";
import { RpcServer } from "@nfs4/rpc";
import { SeededRandom } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { text } from "../harness/bytes.ts";
import { CallbackReceiver } from "../harness/callbacks.ts";
import { Client40 } from "../harness/client40.ts";
import { CALLBACK_PROGRAM, Client41 } from "../harness/client41.ts";
import { WRITEW_LT } from "../harness/open-options.ts";
import { World } from "../harness/world.ts";

const BOTH_DOWN = SEQ4_STATUS_CB_PATH_DOWN | SEQ4_STATUS_CB_PATH_DOWN_SESSION;
const BACK = { csa_flags: CREATE_SESSION4_FLAG_CONN_BACK_CHAN };

async function withBackchannel(
  world: World,
  receiver: CallbackReceiver,
  name = "alpha",
  session: Parameters<Client41["createSession"]>[0] = {},
): Promise<Client41> {
  const client = new Client41(await world.wire("10.0.0.2", [receiver.program]), name);
  await client.introduce({ session: { ...BACK, ...session } });
  await world.pass(1);
  return client;
}

async function flagsOf(client: Client41): Promise<number> {
  return (await client.compound().send()).ok().get("SEQUENCE").sr_status_flags;
}

describe("a backchannel of 4.1", () => {
  it("is proven by CB_NULL and CB_SEQUENCE once the client uses the session", async () => {
    const world = await World.create();
    const receiver = new CallbackReceiver();
    const client = await withBackchannel(world, receiver);
    expect(receiver.received).toMatchObject([
      { minor: 1, sequence: { csa_sessionid: client.session.id, csa_sequenceid: 1, csa_slotid: 0 }, operations: [] },
    ]);
    expect(world.services.callbacks.counters).toMatchObject({ proven: 1, failed: 0 });
    expect(await flagsOf(client)).toBe(0);
    await world.finish();
  });

  it("that does not answer is given up, and SEQUENCE says CB_PATH_DOWN until another is bound", async () => {
    const world = await World.create();
    const client = new Client41(await world.wire(), "alpha");
    await client.introduce({ session: BACK });
    await world.pass(1);
    expect(await flagsOf(client)).toBe(BOTH_DOWN);
    const receiver = new CallbackReceiver();
    client.wire = await world.wire("10.0.0.2", [receiver.program]);
    (
      await client
        .bare()
        .op("BIND_CONN_TO_SESSION", {
          bctsa_sessid: client.session.id,
          bctsa_dir: 3,
          bctsa_use_conn_in_rdma_mode: false,
        })
        .send()
    ).ok();
    await flagsOf(client);
    await world.pass(1);
    expect(await flagsOf(client)).toBe(0);
    expect(receiver.received.length).toBe(1);
    await world.finish();
  });

  it("that is lost with its connection is missed: CB_PATH_DOWN; with another session's left: CB_PATH_DOWN_SESSION", async () => {
    const world = await World.create();
    const receiver = new CallbackReceiver();
    const client = await withBackchannel(world, receiver);
    const first = client.session;
    const second = await world.wire("10.0.0.2", [receiver.program]);
    const old = client.wire;
    client.wire = second;
    (await client.createSession(BACK)).ok();
    old.abort();
    await world.pass(1);
    const flags = (await client.compound(first).send()).ok().get("SEQUENCE").sr_status_flags;
    expect(flags).toBe(SEQ4_STATUS_CB_PATH_DOWN_SESSION);
    expect(await flagsOf(client)).toBe(0);
    await world.finish();
  });

  it("is nobody's concern if the client asked for none", async () => {
    const world = await World.create();
    const client = await world.client41();
    expect(await flagsOf(client)).toBe(0);
    await world.finish();
  });

  it("calls with the flavor and the user that the client chose (csa_sec_parms)", async () => {
    const world = await World.create();
    const receiver = new CallbackReceiver();
    const cbsp_sys_cred = { stamp: 0, machinename: "me", uid: 7, gid: 8, gids: [9] };
    await withBackchannel(world, receiver, "alpha", { csa_sec_parms: [{ cb_secflavor: 1, cbsp_sys_cred }] });
    expect(receiver.received[0]?.credential).toMatchObject({ flavor: 1, uid: 7, gid: 8, gids: [9] });
    const none = new CallbackReceiver();
    await withBackchannel(world, none, "beta", { csa_sec_parms: [{ cb_secflavor: 0 }] });
    expect(none.received[0]?.credential.flavor).toBe(0);
    await world.finish();
  });

  it("BACKCHANNEL_CTL gives it another program and another user", async () => {
    const world = await World.create();
    const [before, after] = [new CallbackReceiver(), new CallbackReceiver(CALLBACK_PROGRAM + 5)];
    const client = new Client41(await world.wire("10.0.0.2", [before.program, after.program]), "alpha");
    await client.introduce({ session: BACK });
    await world.pass(1);
    const cbsp_sys_cred = { stamp: 0, machinename: "", uid: 70, gid: 80, gids: [] };
    const args = { bca_cb_program: CALLBACK_PROGRAM + 5, bca_sec_parms: [{ cb_secflavor: 1, cbsp_sys_cred }] as const };
    (
      await client
        .compound()
        .op("BACKCHANNEL_CTL", { ...args, bca_sec_parms: [...args.bca_sec_parms] })
        .send()
    ).ok();
    const file = await contended(world, client);
    expect(after.names).toEqual(["CB_NOTIFY_LOCK"]);
    expect(after.received[0]?.credential).toMatchObject({ uid: 70 });
    expect(before.names).toEqual([""]);
    expect(file.handle.length).toBeGreaterThan(0);
    const handle = new Uint8Array(4);
    const gss = {
      cb_secflavor: 6,
      cbsp_gss_handles: { gcbp_service: 1, gcbp_handle_from_server: handle, gcbp_handle_from_client: handle },
    } as const;
    const refused = await client
      .compound()
      .op("BACKCHANNEL_CTL", { bca_cb_program: 1, bca_sec_parms: [gss] })
      .send();
    expect(refused.status).toBe("NFS4ERR_NOENT");
    await world.finish();
  });
});

/** The client waits for a lock of another, which then gives it up. */
async function contended(world: World, client: Client41) {
  const holder = await world.client41("holder");
  await holder.writeFile("/f", "x");
  const theirs = await holder.open("/f");
  const ours = await client.open("/f");
  expect((await holder.lock(theirs)).status).toBe("NFS4_OK");
  expect((await client.lock(ours, { type: WRITEW_LT })).status).toBe("NFS4ERR_DENIED");
  (await holder.unlock(theirs)).ok();
  await world.pass(0.1);
  return ours;
}

describe("CB_NOTIFY_LOCK (RFC 8881 §20.11)", () => {
  it("tells a client that waits for a lock that it is free, with file and owner, by the next sequence of the slot", async () => {
    const world = await World.create();
    const receiver = new CallbackReceiver();
    const client = await withBackchannel(world, receiver);
    const file = await contended(world, client);
    const [, told] = receiver.received;
    if (!told) throw new Error("nobody was told");
    expect(told.sequence).toMatchObject({ csa_slotid: 0, csa_sequenceid: 2 });
    const { cnla_fh, cnla_lock_owner } = told.operations[0]!.args as CallbackTypes["CB_NOTIFY_LOCK"][0];
    expect([...cnla_fh]).toEqual([...file.handle]);
    expect(cnla_lock_owner.clientid).toEqual(client.clientid);
    expect(text(cnla_lock_owner.owner)).toBe("locker");
    expect((await client.lock(file, { type: WRITEW_LT })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("that cannot be delivered harms nobody: the client asks again", async () => {
    const world = await World.create();
    const receiver = new CallbackReceiver();
    const client = await withBackchannel(world, receiver);
    receiver.silent = true;
    const file = await contended(world, client);
    await world.pass(11);
    expect(world.services.callbacks.counters.failed).toBe(1);
    expect((await client.lock(file, { type: WRITEW_LT })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("gets over a reply that was lost: the client has seen that sequence, so the next one is sent (RFC 8881 §20.9.3)", async () => {
    const world = await World.create();
    const receiver = new CallbackReceiver();
    const client = await withBackchannel(world, receiver);
    receiver.seenBefore = 2;
    await contended(world, client);
    const sequences = receiver.received.map(({ sequence }) => sequence?.csa_sequenceid);
    expect(sequences).toEqual([1, 2, 3]);
    await world.finish();
  });

  it("is told once, however often the lock comes and goes, until the client has asked again", async () => {
    const world = await World.create();
    const receiver = new CallbackReceiver();
    const client = await withBackchannel(world, receiver);
    const file = await contended(world, client);
    const other = await world.client41("third");
    const theirs = await other.open("/f");
    for (let i = 0; i < 5; i++) {
      expect((await other.lock(theirs)).status).toBe("NFS4_OK");
      (await other.unlock(theirs)).ok();
    }
    expect(receiver.names.filter((name) => name === "CB_NOTIFY_LOCK")).toHaveLength(1);
    expect((await other.lock(theirs)).status).toBe("NFS4_OK");
    expect((await client.lock(file, { type: WRITEW_LT })).status).toBe("NFS4ERR_DENIED");
    (await other.unlock(theirs)).ok();
    await world.pass(1);
    expect(receiver.names.filter((name) => name === "CB_NOTIFY_LOCK")).toHaveLength(2);
    await world.finish();
  });

  it("CB_SEQUENCE that a client refuses counts as failed", async () => {
    const world = await World.create();
    const receiver = new CallbackReceiver();
    receiver.sequenceStatus = NFS4ERR_BADSESSION;
    await withBackchannel(world, receiver);
    expect(world.services.callbacks.counters).toMatchObject({ proven: 0, failed: 1 });
    await world.finish();
  });
});

describe("callbacks of 4.0 (RFC 7530 §16.33, §10.2)", () => {
  it("SETCLIENTID_CONFIRM has the server dial the address and prove it by CB_NULL", async () => {
    const world = await World.create();
    const receiver = new CallbackReceiver(0x4000_0123);
    const rpc = new RpcServer({
      clock: world.clock,
      random: new SeededRandom(3),
      programs: [receiver.program],
      poison: true,
    });
    rpc.serve(world.network.listen({ address: "10.0.0.9", port: 1027 }));
    const client = new Client40(await world.wire("10.0.0.9"), "alpha");
    const callback = { cb_program: 0x4000_0123, cb_location: { na_r_netid: "tcp", na_r_addr: "10.0.0.9.4.3" } };
    await client.introduce({ callback });
    await world.pass(1);
    expect(world.services.callbacks.counters).toMatchObject({ sent: 1, proven: 1 });
    expect([...world.server.clients][0]?.callback?.proven).toBe(true);
    await world.run(rpc.close());
    await world.finish();
  });

  it.each([
    ["nobody listens there", { cb_program: 1, cb_location: { na_r_netid: "tcp", na_r_addr: "10.0.0.8.4.3" } }],
    ["the address is none", { cb_program: 1, cb_location: { na_r_netid: "tcp", na_r_addr: "nonsense" } }],
    [
      "the program is 0, as libnfs says it",
      { cb_program: 0, cb_location: { na_r_netid: "tcp", na_r_addr: "10.0.0.8.4.3" } },
    ],
  ])("work goes on without them if %s", async (_why, callback) => {
    const world = await World.create();
    const client = new Client40(await world.wire(), "alpha");
    await client.introduce({ callback });
    await world.pass(1);
    expect(world.services.callbacks.counters.proven).toBe(0);
    await client.writeFile("/f", "x");
    await world.finish();
  });
});

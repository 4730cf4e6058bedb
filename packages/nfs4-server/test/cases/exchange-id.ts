/** EXCHANGE_ID, CREATE_SESSION, DESTROY_CLIENTID: clients of 4.1 and later (RFC 8881 §18.35, §18.36, §18.50). */
import {
  CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
  CREATE_SESSION4_FLAG_PERSIST,
  type EXCHANGE_ID4args,
  EXCHGID4_FLAG_CONFIRMED_R,
  EXCHGID4_FLAG_UPD_CONFIRMED_REC_A,
  EXCHGID4_FLAG_USE_NON_PNFS,
} from "@nfs4/protocol";
import { describe, expect, it } from "vitest";
import { hex, text } from "../harness/bytes.ts";
import { CHANNEL, Client41 } from "../harness/client41.ts";
import { ALICE } from "../harness/wire.ts";
import { World } from "../harness/world.ts";

async function stranger(world: World, name = "alpha"): Promise<Client41> {
  return new Client41(await world.wire(), name);
}

describe("EXCHANGE_ID (RFC 8881 §18.35.4)", () => {
  it("case 1, a new owner: an unconfirmed client, no pNFS, the server named", async () => {
    const world = await World.create();
    const client = await stranger(world);
    const { eir_flags, eir_sequenceid, eir_server_owner, eir_server_scope } = (await client.exchangeId())
      .ok()
      .get("EXCHANGE_ID");
    expect(eir_flags & EXCHGID4_FLAG_CONFIRMED_R).toBe(0);
    expect(eir_flags & EXCHGID4_FLAG_USE_NON_PNFS).not.toBe(0);
    expect(eir_sequenceid).toBe(1);
    expect(hex(eir_server_owner.so_major_id)).toBe(hex(eir_server_scope));
    await world.finish();
  });

  it("case 2, the same again on a confirmed client: the same id, said to be confirmed", async () => {
    const world = await World.create();
    const client = await world.client41();
    const before = client.clientid;
    const again = (await client.exchangeId()).ok().get("EXCHANGE_ID");
    expect(again.eir_clientid).toEqual(before);
    expect(again.eir_flags & EXCHGID4_FLAG_CONFIRMED_R).not.toBe(0);
    await world.finish();
  });

  it("case 3, another principal: CLID_INUSE while there is state, replaced when there is none", async () => {
    const world = await World.create();
    const client = await world.client41();
    const other = await stranger(world);
    other.user = ALICE;
    expect((await other.exchangeId()).status).toBe("NFS4ERR_CLID_INUSE");
    (await client.bare().op("DESTROY_SESSION", { dsa_sessionid: client.session.id }).send()).ok();
    expect((await other.exchangeId()).status).toBe("NFS4_OK");
    expect(other.clientid).not.toEqual(client.clientid);
    await world.finish();
  });

  it("case 4, an unconfirmed record is replaced, and its id is no good any more", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    const first = client.clientid;
    (await client.exchangeId()).ok();
    expect(client.clientid).not.toEqual(first);
    expect((await client.createSession({ csa_clientid: first, csa_sequence: 1 })).status).toBe(
      "NFS4ERR_STALE_CLIENTID",
    );
    expect((await client.createSession()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("case 5, a client that has restarted: the old state stays until CREATE_SESSION confirms the new id", async () => {
    const world = await World.create();
    const old = await world.client41();
    await old.writeFile("/f", "x");
    const file = await old.open("/f", { deny: 3 });
    const reborn = await stranger(world);
    (await reborn.exchangeId({ verifier: 2 })).ok();
    expect(reborn.clientid).not.toEqual(old.clientid);
    expect((await old.compound().putfh(file.handle).read(file.stateid, 0, 1).send()).status).toBe("NFS4_OK");
    (await reborn.createSession()).ok();
    expect((await old.compound().send()).status).toBe("NFS4ERR_BADSESSION");
    (await reborn.reclaimComplete()).ok();
    expect((await reborn.tryOpen("/f")).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("case 6, an update of a confirmed record", async () => {
    const world = await World.create();
    const client = await world.client41();
    const before = client.clientid;
    const flags = { eia_flags: EXCHGID4_FLAG_UPD_CONFIRMED_REC_A };
    expect((await client.exchangeId(flags)).ok().get("EXCHANGE_ID").eir_clientid).toEqual(before);
    await world.finish();
  });

  it("case 7, an update without a confirmed record: NOENT", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    const flags = { eia_flags: EXCHGID4_FLAG_UPD_CONFIRMED_REC_A };
    expect((await client.exchangeId(flags)).status).toBe("NFS4ERR_NOENT");
    expect((await client.createSession()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("case 8, an update with another verifier: NOT_SAME", async () => {
    const world = await World.create();
    const client = await world.client41();
    const reply = await client.exchangeId({ eia_flags: EXCHGID4_FLAG_UPD_CONFIRMED_REC_A, verifier: 2 });
    expect(reply.status).toBe("NFS4ERR_NOT_SAME");
    await world.finish();
  });

  it("case 9, an update by another principal: PERM", async () => {
    const world = await World.create();
    const client = await world.client41();
    client.user = ALICE;
    const reply = await client.exchangeId({ eia_flags: EXCHGID4_FLAG_UPD_CONFIRMED_REC_A });
    expect(reply.status).toBe("NFS4ERR_PERM");
    await world.finish();
  });

  it("refuses flags that only the server may set, and state protection that it does not have", async () => {
    const world = await World.create();
    const client = await stranger(world);
    expect((await client.exchangeId({ eia_flags: EXCHGID4_FLAG_CONFIRMED_R })).status).toBe("NFS4ERR_INVAL");
    expect((await client.exchangeId({ eia_flags: 4 << 8 })).status).toBe("NFS4ERR_INVAL");
    const machine: EXCHANGE_ID4args["eia_state_protect"] = {
      spa_how: 1,
      spa_mach_ops: { spo_must_enforce: [], spo_must_allow: [] },
    };
    expect((await client.exchangeId({ eia_state_protect: machine })).status).toBe("NFS4ERR_ENCR_ALG_UNSUPP");
    await world.finish();
  });

  it("without SEQUENCE must be alone: NOT_ONLY_OP; behind SEQUENCE it may stand", async () => {
    const world = await World.create();
    const client = await world.client41();
    const args = client.exchangeIdArgs();
    expect((await client.bare().op("EXCHANGE_ID", args).putroot().send()).summary).toBe(
      "EXCHANGE_ID=NFS4ERR_NOT_ONLY_OP",
    );
    expect((await client.compound().op("EXCHANGE_ID", args).putroot().send()).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("an unconfirmed id goes with the lease time (RFC 8881 §18.35.4)", async () => {
    const world = await World.create({ leaseSeconds: 30 });
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    await world.pass(31);
    expect([...world.server.clients]).toEqual([]);
    // The connection of a stranger that said nothing for so long has gone, too.
    client.wire = await world.wire();
    expect((await client.createSession()).status).toBe("NFS4ERR_STALE_CLIENTID");
    await world.finish();
  });

  it("keeps the implementation's name for people", async () => {
    const world = await World.create();
    const client = await stranger(world);
    const nii_name = new TextEncoder().encode("Linux 6.18");
    await client.exchangeId({
      eia_client_impl_id: [{ nii_domain: new Uint8Array(0), nii_name, nii_date: { seconds: 0, nseconds: 0 } }],
    });
    expect([...world.server.clients].map(({ implementation }) => implementation)).toEqual(["Linux 6.18"]);
    expect(text(nii_name)).toBe("Linux 6.18");
    await world.finish();
  });
});

describe("CREATE_SESSION (RFC 8881 §18.36.4)", () => {
  it("confirms the client and lowers what is asked for, never raising it", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    const asked = {
      ...CHANNEL,
      ca_maxrequestsize: 0x7fff_ffff,
      ca_maxresponsesize: 2048,
      ca_maxrequests: 9999,
      ca_maxoperations: 9999,
      ca_headerpadsize: 512,
    };
    const back = { ...CHANNEL, ca_maxrequests: 3, ca_maxoperations: 2 };
    const { csr_fore_chan_attrs, csr_back_chan_attrs, csr_sequence } = (
      await client.createSession({ csa_fore_chan_attrs: asked, csa_back_chan_attrs: back })
    )
      .ok()
      .get("CREATE_SESSION");
    const { limits } = world.services;
    expect(csr_fore_chan_attrs).toMatchObject({
      ca_maxrequestsize: limits.maxMessage,
      ca_maxresponsesize: 2048,
      ca_maxrequests: limits.maxSlots,
      ca_maxoperations: limits.maxOperations,
      ca_headerpadsize: 0,
    });
    expect(csr_back_chan_attrs).toMatchObject({ ca_maxrequests: 3, ca_maxoperations: 2 });
    expect(csr_sequence).toBe(1);
    expect([...world.server.clients][0]?.confirmed).toBe(true);
    await world.finish();
  });

  it("grants no persistence, and a backchannel only where it was asked for", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    const plain = (await client.createSession({ csa_flags: CREATE_SESSION4_FLAG_PERSIST })).ok().get("CREATE_SESSION");
    expect(plain.csr_flags).toBe(0);
    const both = CREATE_SESSION4_FLAG_PERSIST | CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
    const withBack = (await client.createSession({ csa_flags: both })).ok().get("CREATE_SESSION");
    expect(withBack.csr_flags).toBe(CREATE_SESSION4_FLAG_CONN_BACK_CHAN);
    await world.finish();
  });

  it("answers a replay with the reply that it gave, to the last byte, and makes one session only", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    const args = client.createSessionArgs();
    const first = (await client.bare().op("CREATE_SESSION", args).send()).ok();
    const again = await client.bare().op("CREATE_SESSION", args).send();
    expect(hex(again.bytes)).toBe(hex(first.bytes));
    expect([...world.server.clients][0]?.sessions.size).toBe(1);
    await world.finish();
  });

  it("answers SEQ_MISORDERED to any other sequence, and so to a replay before the first", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    expect((await client.createSession({ csa_sequence: 0 })).status).toBe("NFS4ERR_SEQ_MISORDERED");
    expect((await client.createSession({ csa_sequence: 3 })).status).toBe("NFS4ERR_SEQ_MISORDERED");
    expect((await client.createSession({ csa_sequence: 1 })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("counts a failed one too, and replays the failure", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    const small = { csa_fore_chan_attrs: { ...CHANNEL, ca_maxresponsesize: 16 } };
    expect((await client.createSession(small)).status).toBe("NFS4ERR_TOOSMALL");
    expect((await client.createSession()).status).toBe("NFS4ERR_TOOSMALL");
    expect((await client.createSession({ csa_sequence: 2 })).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("answers STALE_CLIENTID to an id that it does not know, CLID_INUSE to another principal's confirmation", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    expect((await client.createSession({ csa_clientid: { hi: 1, lo: 1 } })).status).toBe("NFS4ERR_STALE_CLIENTID");
    client.user = ALICE;
    expect((await client.createSession()).status).toBe("NFS4ERR_CLID_INUSE");
    await world.finish();
  });

  it("refuses unknown flags, no slots, no operations, and flavors of callbacks that it does not have", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    const attempt = async (changes: Parameters<Client41["createSession"]>[0]) => {
      const { status } = await client.createSession(changes);
      client.sequence++;
      return status;
    };
    expect(await attempt({ csa_flags: 0x80 })).toBe("NFS4ERR_INVAL");
    expect(await attempt({ csa_fore_chan_attrs: { ...CHANNEL, ca_maxrequests: 0 } })).toBe("NFS4ERR_INVAL");
    expect(await attempt({ csa_fore_chan_attrs: { ...CHANNEL, ca_maxoperations: 1 } })).toBe("NFS4ERR_INVAL");
    const handle = new Uint8Array(4);
    const gss = { gcbp_service: 1, gcbp_handle_from_server: handle, gcbp_handle_from_client: handle } as const;
    expect(await attempt({ csa_sec_parms: [{ cb_secflavor: 6, cbsp_gss_handles: gss }] })).toBe("NFS4ERR_NOENT");
    await world.finish();
  });

  it("refuses a backchannel that carries no callback: TOOSMALL; without one its sizes do not matter", async () => {
    const world = await World.create();
    const client = await stranger(world);
    (await client.exchangeId()).ok();
    const tiny = { ...CHANNEL, ca_maxrequestsize: 100 };
    const none = { ...CHANNEL, ca_maxrequests: 0 };
    for (const csa_back_chan_attrs of [tiny, none, { ...CHANNEL, ca_maxoperations: 1 }]) {
      const csa_flags = CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
      expect((await client.createSession({ csa_flags, csa_back_chan_attrs })).status).toBe("NFS4ERR_TOOSMALL");
      client.sequence++;
    }
    (await client.createSession({ csa_back_chan_attrs: tiny })).ok();
    await world.finish();
  });

  it("that is the first again, by another principal: CLID_INUSE", async () => {
    const world = await World.create();
    const client = await world.client41();
    (await client.bare().op("DESTROY_SESSION", { dsa_sessionid: client.session.id }).send()).ok();
    client.user = ALICE;
    expect((await client.createSession()).status).toBe("NFS4ERR_CLID_INUSE");
    await world.finish();
  });

  it("may stand behind a SEQUENCE of another session; without one it must be alone", async () => {
    const world = await World.create();
    const client = await world.client41();
    const args = client.createSessionArgs();
    expect((await client.bare().op("CREATE_SESSION", args).putroot().send()).status).toBe("NFS4ERR_NOT_ONLY_OP");
    (await client.compound().op("CREATE_SESSION", args).putroot().send()).ok();
    await world.finish();
  });

  it("bounds the sessions of a client: NOSPC", async () => {
    const world = await World.create({ limits: { maxSessionsPerClient: 2 } });
    const client = await world.client41();
    (await client.createSession()).ok();
    expect((await client.createSession()).status).toBe("NFS4ERR_NOSPC");
    await world.finish();
  });
});

describe("DESTROY_CLIENTID (RFC 8881 §18.50)", () => {
  it("answers CLIENTID_BUSY while there are sessions, in its own session too, and STALE_CLIENTID afterwards", async () => {
    const world = await World.create();
    const client = await world.client41();
    const args = { dca_clientid: client.clientid };
    expect((await client.bare().op("DESTROY_CLIENTID", args).send()).status).toBe("NFS4ERR_CLIENTID_BUSY");
    expect((await client.compound().op("DESTROY_CLIENTID", args).send()).status).toBe("NFS4ERR_CLIENTID_BUSY");
    expect((await client.bare().op("DESTROY_CLIENTID", args).putroot().send()).status).toBe("NFS4ERR_NOT_ONLY_OP");
    (await client.bare().op("DESTROY_SESSION", { dsa_sessionid: client.session.id }).send()).ok();
    (await client.bare().op("DESTROY_CLIENTID", args).send()).ok();
    expect((await client.bare().op("DESTROY_CLIENTID", args).send()).status).toBe("NFS4ERR_STALE_CLIENTID");
    await world.finish();
  });

  it("answers CLIENTID_BUSY while there are opens, though no session is left", async () => {
    const world = await World.create();
    const client = await world.client41();
    await client.writeFile("/f", "x");
    await client.open("/f");
    (await client.bare().op("DESTROY_SESSION", { dsa_sessionid: client.session.id }).send()).ok();
    const reply = await client.bare().op("DESTROY_CLIENTID", { dca_clientid: client.clientid }).send();
    expect(reply.status).toBe("NFS4ERR_CLIENTID_BUSY");
    await world.finish();
  });
});

describe("RECLAIM_COMPLETE (RFC 8881 §18.51)", () => {
  it("comes once: COMPLETE_ALREADY; before it an OPEN gets GRACE", async () => {
    const world = await World.create();
    const client = await stranger(world);
    await client.introduce({ reclaimComplete: false });
    const create = { create: "unchecked" } as const;
    expect((await client.tryOpen("/f", create)).status).toBe("NFS4ERR_GRACE");
    expect((await client.reclaimComplete()).status).toBe("NFS4_OK");
    expect((await client.reclaimComplete()).status).toBe("NFS4ERR_COMPLETE_ALREADY");
    expect((await client.tryOpen("/f", create)).status).toBe("NFS4_OK");
    await world.finish();
  });

  it("for one file system needs a filehandle and changes nothing", async () => {
    const world = await World.create();
    const client = await world.client41();
    const args = { rca_one_fs: true };
    expect((await client.compound().op("RECLAIM_COMPLETE", args).send()).status).toBe("NFS4ERR_NOFILEHANDLE");
    expect((await client.compound().putroot().op("RECLAIM_COMPLETE", args).send()).status).toBe("NFS4_OK");
    await world.finish();
  });
});

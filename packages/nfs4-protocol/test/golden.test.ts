import { uint64FromBigint, XdrReader, XdrWriter } from "@xdr-ts/xdr";
import { describe, expect, it } from "vitest";
import {
  beginCallbackCompoundCall,
  beginCompoundCall,
  beginCompoundReply,
  CALLBACKS,
  callbackByNumber,
  decodeCallbackCompoundCall,
  decodeCompoundCall,
  decodeCompoundReply,
  decodeFattr4,
  endCompoundReply,
  OPERATIONS,
  type Operation,
  operationByNumber,
} from "../src/index.ts";
import * as vectors from "./vectors.ts";

/** An operation's name with its arguments or result. */
type Step = readonly [name: string, value: unknown];
type Find = (number: number) => Operation | undefined;

function decodeSteps(reader: XdrReader, count: number, find: Find, part: "decodeArguments" | "decodeResult"): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < count; i++) {
    const operation = find(reader.uint32())!;
    steps.push([operation.name, operation[part](reader)]);
  }
  reader.expectEnd();
  return steps;
}

function encodeSteps(writer: XdrWriter, steps: readonly Step[], part: "encodeArguments" | "encodeResult"): void {
  const table = { ...OPERATIONS, ...CALLBACKS } as unknown as Record<string, Operation>;
  for (const [name, value] of steps) {
    writer.uint32(table[name]!.number);
    table[name]![part](writer, value);
  }
}

/** Decodes a call, checks that encoding it again gives the same bytes, and returns its operations. */
function call(bytes: Uint8Array): Step[] {
  const reader = new XdrReader(bytes);
  const header = decodeCompoundCall(reader);
  const steps = decodeSteps(reader, header.count, operationByNumber, "decodeArguments");
  const writer = new XdrWriter();
  const countAt = beginCompoundCall(writer, header.tag, header.minorVersion);
  encodeSteps(writer, steps, "encodeArguments");
  writer.patchUint32(countAt, steps.length);
  expect(writer.bytes()).toEqual(bytes);
  return steps;
}

function reply(bytes: Uint8Array, find: Find = operationByNumber): Step[] {
  const reader = new XdrReader(bytes);
  const header = decodeCompoundReply(reader);
  const steps = decodeSteps(reader, header.count, find, "decodeResult");
  const writer = new XdrWriter();
  const places = beginCompoundReply(writer, header.tag);
  encodeSteps(writer, steps, "encodeResult");
  endCompoundReply(writer, places, header.status, steps.length);
  expect(writer.bytes()).toEqual(bytes);
  return steps;
}

const text = new TextEncoder();
const hex = (digits: string) => Uint8Array.from(digits.match(/../g)!, (pair) => Number.parseInt(pair, 16));
const SESSION = hex("00112233445566778899aabbccddeeff");
const OTHER = hex("0102030405060708090a0b0c");
const CLIENT = uint64FromBigint(0xdeadbeef_00000009n);

describe("golden vectors", () => {
  it("SEQUENCE, PUTROOTFH, GETATTR (RFC 8881 §18.46, §18.21, §18.7)", () => {
    expect(call(vectors.GETATTR_CALL)).toEqual([
      [
        "SEQUENCE",
        { sa_sessionid: SESSION, sa_sequenceid: 7, sa_slotid: 0, sa_highest_slotid: 63, sa_cachethis: false },
      ],
      ["PUTROOTFH", undefined],
      ["GETATTR", { attr_request: [0x0010011a, 0x00b0a23a] }],
    ]);
  });

  it("the attributes of a directory (RFC 8881 §5.8)", () => {
    const steps = reply(vectors.GETATTR_REPLY);
    expect(steps.map(([name]) => name)).toEqual(["SEQUENCE", "PUTROOTFH", "GETATTR"]);
    expect(steps[0]![1]).toMatchObject({ sr_status: 0, sr_resok4: { sr_status_flags: 0x80 } });
    const result = steps[2]![1] as ReturnType<typeof OPERATIONS.GETATTR.decodeResult>;
    expect(result.status).toBe(0);
    if (result.status !== 0) return;
    expect(decodeFattr4(result.resok4.obj_attributes)).toEqual({
      ok: true,
      values: {
        type: 2,
        change: 2n ** 63n - 1n,
        size: 4096n,
        fsid: { major: 1n, minor: 2n },
        fileid: 2n ** 63n + 1n,
        mode: 0o755,
        numlinks: 3,
        owner: text.encode("0"),
        owner_group: text.encode("1000"),
        rawdev: { specdata1: 0, specdata2: 0 },
        space_used: 4096n,
        time_access: { seconds: 1694498816, nseconds: 1 },
        time_metadata: { seconds: -1, nseconds: 999999999 },
        time_modify: { seconds: 1694498817, nseconds: 0 },
        mounted_on_fileid: 1n,
      },
    });
  });

  it("EXCHANGE_ID (RFC 8881 §18.35)", () => {
    expect(call(vectors.EXCHANGE_ID_CALL)).toEqual([
      [
        "EXCHANGE_ID",
        {
          eia_clientowner: { co_verifier: hex("0102030405060708"), co_ownerid: text.encode("cli4\0") },
          eia_flags: 0x0001_0101,
          eia_state_protect: { spa_how: 0 },
          eia_client_impl_id: [
            {
              nii_domain: text.encode("kernel.org\0"),
              nii_name: text.encode("Linux"),
              nii_date: { seconds: 0, nseconds: 0 },
            },
          ],
        },
      ],
    ]);
    expect(reply(vectors.EXCHANGE_ID_REPLY)).toEqual([
      [
        "EXCHANGE_ID",
        {
          eir_status: 0,
          eir_resok4: {
            eir_clientid: CLIENT,
            eir_sequenceid: 1,
            eir_flags: 0x8001_0001,
            eir_state_protect: {
              spr_how: 1,
              spr_mach_ops: { spo_must_enforce: [0x200], spo_must_allow: [0, 0x0020_0000] },
            },
            eir_server_owner: { so_minor_id: 2n, so_major_id: text.encode("srv4") },
            eir_server_scope: text.encode("sc"),
            eir_server_impl_id: [],
          },
        },
      ],
    ]);
  });

  it("CREATE_SESSION with two security flavors (RFC 8881 §18.36)", () => {
    expect(call(vectors.CREATE_SESSION_CALL)).toEqual([
      [
        "CREATE_SESSION",
        {
          csa_clientid: CLIENT,
          csa_sequence: 1,
          csa_flags: 3,
          csa_fore_chan_attrs: {
            ca_headerpadsize: 0,
            ca_maxrequestsize: 0x100400,
            ca_maxresponsesize: 0x100400,
            ca_maxresponsesize_cached: 0x1800,
            ca_maxoperations: 8,
            ca_maxrequests: 64,
            ca_rdma_ird: [],
          },
          csa_back_chan_attrs: {
            ca_headerpadsize: 0,
            ca_maxrequestsize: 4096,
            ca_maxresponsesize: 4096,
            ca_maxresponsesize_cached: 0,
            ca_maxoperations: 2,
            ca_maxrequests: 16,
            ca_rdma_ird: [4],
          },
          csa_cb_program: 0x4000_0000,
          csa_sec_parms: [
            { cb_secflavor: 0 },
            {
              cb_secflavor: 1,
              cbsp_sys_cred: { stamp: 0x539, machinename: "lnx01", uid: 1000, gid: 1000, gids: [10, 20] },
            },
          ],
        },
      ],
    ]);
  });

  it("SETCLIENTID and its refusal, 4.0 (RFC 7530 §16.33)", () => {
    expect(call(vectors.SETCLIENTID_CALL)).toEqual([
      [
        "SETCLIENTID",
        {
          client: { verifier: hex("aabbccdd00112233"), id: text.encode("Linux!") },
          callback: {
            cb_program: 0x4000_0000,
            cb_location: { na_r_netid: "tcp", na_r_addr: "10.0.0.2.132.120" },
          },
          callback_ident: 1,
        },
      ],
    ]);
    expect(reply(vectors.SETCLIENTID_IN_USE_REPLY)).toEqual([
      ["SETCLIENTID", { status: 10017, client_using: { na_r_netid: "tcp6", na_r_addr: "::1.0.111" } }],
    ]);
  });

  it("OPEN that creates (RFC 8881 §18.16)", () => {
    expect(call(vectors.OPEN_CALL)).toEqual([
      ["PUTFH", { object: hex("f0f1f2f3") }],
      [
        "OPEN",
        {
          seqid: 0,
          share_access: 0x403,
          share_deny: 0,
          owner: { clientid: { hi: 0, lo: 0 }, owner: text.encode("open id") },
          openhow: {
            opentype: 1,
            how: { mode: 1, createattrs: { attrmask: [0, 2], attr_vals: hex("000001a4") } },
          },
          claim: { claim: 0, file: text.encode("€") },
        },
      ],
    ]);
    expect(reply(vectors.OPEN_REPLY)).toEqual([
      ["PUTFH", { status: 0 }],
      [
        "OPEN",
        {
          status: 0,
          resok4: {
            stateid: { seqid: 1, other: OTHER },
            cinfo: { atomic: true, before: 1n, after: 2n },
            rflags: 0x24,
            attrset: [0, 2],
            delegation: {
              delegation_type: 3,
              od_whynone: { ond_why: 2, ond_server_will_signal_avail: true },
            },
          },
        },
      ],
    ]);
  });

  it("READDIR gives its entries as an array (RFC 8881 §18.23)", () => {
    expect(reply(vectors.READDIR_REPLY)).toEqual([
      [
        "READDIR",
        {
          status: 0,
          resok4: {
            cookieverf: hex("0000000000000001"),
            reply: {
              entries: [
                {
                  cookie: 2n ** 64n - 2n,
                  name: text.encode("a"),
                  attrs: { attrmask: [0x802], attr_vals: hex("0000000100000000") },
                },
                { cookie: 3n, name: hex("c328"), attrs: { attrmask: [], attr_vals: new Uint8Array(0) } },
              ],
              eof: true,
            },
          },
        },
      ],
    ]);
  });

  it("LOCK denied says by whom (RFC 7530 §16.10)", () => {
    expect(reply(vectors.LOCK_DENIED_REPLY)).toEqual([
      [
        "LOCK",
        {
          status: 10010,
          denied: {
            offset: 16n,
            length: 2n ** 64n - 1n,
            locktype: 2,
            owner: { clientid: { hi: 1, lo: 2 }, owner: text.encode("x") },
          },
        },
      ],
    ]);
  });

  it("READ_PLUS (RFC 7862 §15.10)", () => {
    expect(reply(vectors.READ_PLUS_REPLY)).toEqual([
      [
        "READ_PLUS",
        {
          rp_status: 0,
          rp_resok4: {
            rpr_eof: true,
            rpr_contents: [
              { rpc_content: 0, rpc_data: { d_offset: 0n, d_data: hex("010203") } },
              { rpc_content: 1, rpc_hole: { di_offset: 3n, di_length: 2n ** 32n } },
            ],
          },
        },
      ],
    ]);
  });

  it("CB_SEQUENCE, CB_RECALL (RFC 8881 §20.9, §20.2)", () => {
    const reader = new XdrReader(vectors.CB_RECALL_CALL);
    const { count, minorVersion, callbackIdent, tag } = decodeCallbackCompoundCall(reader);
    const steps = decodeSteps(reader, count, callbackByNumber, "decodeArguments");
    expect(steps).toEqual([
      [
        "CB_SEQUENCE",
        {
          csa_sessionid: SESSION,
          csa_sequenceid: 1,
          csa_slotid: 0,
          csa_highest_slotid: 0,
          csa_cachethis: false,
          csa_referring_call_lists: [
            { rcl_sessionid: SESSION, rcl_referring_calls: [{ rc_sequenceid: 7, rc_slotid: 0 }] },
          ],
        },
      ],
      ["CB_RECALL", { stateid: { seqid: 2, other: OTHER }, truncate: false, fh: hex("f0f1f2f3") }],
    ]);
    const writer = new XdrWriter();
    const countAt = beginCallbackCompoundCall(writer, tag, minorVersion, callbackIdent);
    encodeSteps(writer, steps, "encodeArguments");
    writer.patchUint32(countAt, steps.length);
    expect(writer.bytes()).toEqual(vectors.CB_RECALL_CALL);

    expect(reply(vectors.CB_RECALL_REPLY, callbackByNumber)).toEqual([
      [
        "CB_SEQUENCE",
        {
          csr_status: 0,
          csr_resok4: {
            csr_sessionid: SESSION,
            csr_sequenceid: 1,
            csr_slotid: 0,
            csr_highest_slotid: 0,
            csr_target_highest_slotid: 0,
          },
        },
      ],
      ["CB_RECALL", { status: 10001 }],
    ]);
  });
});

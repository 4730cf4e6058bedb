import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Guest, startGuest } from "./harness/guest.ts";
import type { Metrics } from "./harness/metrics.ts";
import { type Mount, mountExport } from "./harness/mount.ts";
import { createNamespace, type Namespace } from "./harness/namespace.ts";
import { type Nfs4Server, startNfs4 } from "./harness/nfs4-command.ts";
import { type BridgedServer, startNfs4Server } from "./harness/nfs4-server.ts";
import { type Passage, watchPassage } from "./harness/passage.ts";
import { createScratchDirectory, type ScratchDirectory } from "./harness/scratch.ts";
import { type Attackers, startAttackers } from "./hostile/attackers.ts";
import { type Bystander, startBystander } from "./hostile/bystander.ts";
import { forgetPeak, residentMemory } from "./hostile/resident-memory.ts";

/** What hostile peers may cost, in MiB. */
const ALLOWED_GROWTH = 64;

/** Counters that tell what was refused, by how much at least an attack has moved them. */
type Counted = Readonly<Record<string, number>>;

const error = (status: string): string => `nfs4_errors_total{status="NFS4ERR_${status}"}`;

/** Attacks on one server, with a guest at work on it: everything that an attack may not do is looked at after each. */
function siege(name: string, attacks: (make: Make) => void): void {
  describe(name, () => {
    let scratch: ScratchDirectory;
    let namespace: Namespace;
    let server: BridgedServer;
    let other: Nfs4Server;
    let guest: Guest;
    let mount: Mount;
    let passage: Passage;
    let bystander: Bystander;
    let attackers: Attackers;
    let before: number;

    beforeAll(async () => {
      scratch = createScratchDirectory("hostile");
      namespace = await createNamespace();
      const elsewhere = [
        "--memory",
        "--host",
        "127.0.0.1",
        "--port",
        "2050",
        "--no-admin",
        "--state-dir",
        scratch.path,
      ];
      [server, other, guest] = await Promise.all([
        startNfs4Server(namespace, { fileSystem: "local" }),
        startNfs4(elsewhere, { namespace }),
        startGuest({ namespace }),
      ]);
      attackers = await startAttackers(namespace, {
        ...{ address: server.address, port: server.port },
        ...{ otherAddress: other.address, otherPort: other.port },
      });
      mount = await mountExport(guest, server.source, { version: "4.2" });
      passage = await watchPassage(namespace, server, [mount], { strangers: true });
      // What a single client takes is not the attackers' doing. They read this, too.
      await guest.must(
        `cd ${mount.path} && head -c 64M /dev/urandom > big && sync big && drop_caches && cat big > /dev/null && chmod 666 big`,
      );
      bystander = await startBystander(guest, `${mount.path}/steady`);
      before = residentMemory(server.process.pid).now;
    });

    afterAll(async () => {
      await attackers?.stop();
      await guest?.stop();
      await server?.stop();
      await other?.stop();
      await namespace?.close();
      scratch?.remove();
    });

    const make = (attack: string, how: keyof Pick<Attackers, "overSockets" | "bySegments">, counted: Counted): void => {
      test(attack, async () => {
        forgetPeak(server.process.pid);
        const earlier = await server.metrics();
        const { surprises, notes } = await attackers[how](attack);
        const slowest = await bystander.getsOn();
        const { now, peak } = residentMemory(server.process.pid);
        const memory = `${before} MiB before all, ${now} now, ${peak} at the peak`;
        console.log([...notes, memory, `the guest's slowest call: ${slowest}`].join("; "));
        expect(surprises).toEqual([]);
        expectCounted(earlier, await server.metrics(), counted);
        expect(peak - before, `growth of resident memory, in MiB (${memory})`).toBeLessThanOrEqual(ALLOWED_GROWTH);
      });
    };
    attacks({
      overSockets: (attack, counted = {}) => make(attack, "overSockets", counted),
      bySegments: (attack, counted = {}) => make(attack, "bySegments", counted),
    });

    test("then the server is well, has complained of nothing, and the guest has noticed nothing", async () => {
      const { rounds, errors } = await bystander.stop();
      console.log(`${rounds} rounds of work`);
      expect(errors).toEqual([]);
      await passage.assertThroughOurStack();
      await mount.unmount();
      expect(await server.ask("/healthz")).toMatchObject({ healthy: true, problems: [] });
      expect((await server.metrics()).get("nfs4_faults_total")).toBe(0);
      expect(server.process.running).toBe(true);
      expect(server.complaints).toEqual([]);
      expect(guest.kernelComplaints()).toEqual([]);
    });
  });
}

/** Each gives what counters must have grown by at least. */
interface Make {
  overSockets(attack: string, counted?: Counted): void;
  bySegments(attack: string, counted?: Counted): void;
}

function expectCounted(earlier: Metrics, later: Metrics, counted: Counted): void {
  const grown = Object.keys(counted).map((name) => [name, later.get(name) - earlier.get(name)] as const);
  const tooFew = grown.filter(([name, by]) => by < (counted[name] ?? 0));
  expect(Object.fromEntries(tooFew), `counted less than ${JSON.stringify(counted)}`).toEqual({});
}

describe("hostile input, our stack over TAP, beside a guest at work", () => {
  siege("what makes no sense", ({ overSockets, bySegments }) => {
    overSockets("randomStreams", { nfs4_rpc_records_too_long_total: 200 });
    overSockets("randomRecords", { nfs4_rpc_bad_messages_total: 190 });
    overSockets("truncatedRecords", { nfs4_rpc_records_truncated_total: 90 });
    overSockets("shortenedCalls", { nfs4_rpc_bad_messages_total: 10, nfs4_rpc_garbage_args_total: 20 });
    overSockets("oversizedRecords", { nfs4_rpc_records_too_long_total: 5 });
    overSockets("tinyFragments", { nfs4_rpc_records_of_too_many_fragments_total: 1, nfs4_rpc_bad_messages_total: 1 });
    overSockets("brokenHeads", {
      nfs4_rpc_rpc_mismatches_total: 4,
      nfs4_rpc_programs_unavailable_total: 6,
      nfs4_rpc_program_mismatches_total: 5,
      nfs4_rpc_auth_errors_total: 13,
      nfs4_rpc_procedures_unavailable_total: 3,
      nfs4_rpc_bad_messages_total: 2,
    });
    overSockets("uninvitedReplies", { nfs4_rpc_replies_unmatched_total: 2001 });
    overSockets("longTags", { nfs4_rpc_garbage_args_total: 1 });
    overSockets("absurdLengths", {
      nfs4_rpc_garbage_args_total: 100,
      nfs4_undecodable_total: 100,
      [error("BADXDR")]: 100,
    });
    overSockets("mutatedCompounds", { nfs4_rpc_garbage_args_total: 100, [error("BADXDR")]: 100 });
    overSockets("unknownOperations", { [error("OP_ILLEGAL")]: 28, [error("NOTSUPP")]: 11 });
    overSockets("thousandOperations", {
      [error("RESOURCE")]: 20,
      [error("OP_NOT_IN_SESSION")]: 20,
      [error("NOT_ONLY_OP")]: 20,
      [error("BADSESSION")]: 20,
      [error("TOO_MANY_OPS")]: 20,
      [error("SEQUENCE_POS")]: 1,
    });
    overSockets("greedyReads", { [error("RESOURCE")]: 4 });
    overSockets("forgedHandles", { [error("BADHANDLE")]: 2000, [error("BADXDR")]: 2 });
    overSockets("junkAttributes", { [error("ATTRNOTSUPP")]: 2, [error("INVAL")]: 4, [error("BADXDR")]: 2 });
    bySegments("broken_packets", {
      nfs4_ip_bad_addr_total: 4,
      nfs4_ip_no_proto_total: 200,
      nfs4_tcp_rcv_short_total: 1,
    });
    bySegments("fragments", { nfs4_ip_frag_dropped_total: 1000 });
    bySegments("broken_segments", {
      nfs4_tcp_rcv_bad_sum_total: 500,
      nfs4_tcp_rcv_bad_off_total: 400,
      nfs4_tcp_rcv_bad_opt_total: 500,
      nfs4_tcp_rcv_short_total: 20,
    });
    bySegments("inside_a_connection", { nfs4_tcp_rcv_pack_after_win_total: 100, nfs4_tcp_rcv_ack_too_much_total: 1 });
    bySegments("tiny_segments");
    bySegments("scattered_bytes", { nfs4_tcp_rcv_oo_pack_total: 1000 });
    bySegments("closed_windows", { nfs4_tcp_persist_timeo_total: 1 });
    bySegments("syn_flood", { nfs4_tcp_sc_added_total: 100, nfs4_tcp_sc_send_cookie_total: 5000 });
  });

  siege("slow ones", ({ overSockets }) => {
    overSockets("slowLoris", { nfs4_rpc_connections_total: 200 });
    overSockets("slowLorisIsCutOff", { nfs4_rpc_receive_timeouts_total: 200 });
  });

  siege("calls and connections without end", ({ overSockets }) => {
    overSockets("nullFlood", { nfs4_rpc_calls_total: 160_000 });
    overSockets("churn", { nfs4_rpc_connections_total: 3000 });
  });

  siege("replies that nobody reads", ({ overSockets }) => {
    overSockets("unreadReplies", { nfs4_rpc_evicted_total: 1, nfs4_rpc_calls_delayed_total: 700 });
  });

  siege("replies that no client reads", ({ overSockets }) => {
    overSockets("unreadRepliesInSessions", { nfs4_rpc_calls_delayed_total: 100 });
  });

  siege("records that nobody ends", ({ overSockets }) => {
    overSockets("stuffedConnections", { nfs4_rpc_evicted_total: 1, nfs4_rpc_memory_pauses_total: 1 });
  });

  siege("names without end", ({ overSockets }) => {
    overSockets("clientFlood", { nfs4_rpc_calls_total: 12_000 });
    overSockets("ownerFlood", { [error("NOENT")]: 30_000 });
  });

  siege("replies to be kept", ({ overSockets }) => {
    overSockets("cachedReplies");
  });

  siege("a crowd", ({ overSockets }) => {
    overSockets("silentCrowd", { nfs4_rpc_strangers_replaced_total: 8_900 });
    overSockets("stuffingCrowd", { nfs4_rpc_memory_pauses_total: 1 });
    overSockets("crowdLeaves");
  });
});

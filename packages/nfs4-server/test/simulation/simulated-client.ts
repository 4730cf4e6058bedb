/**
 * A client that gets on with it: waits out DELAY and GRACE, makes sessions and client ids anew when the server has forgotten them, and takes back
 * what it held (RFC 8881 §8.4.2.1, RFC 7530 §9.6.2), or learns that it has lost it.
 */
import { CLAIM_PREVIOUS } from "@nfs4/protocol";
import { type Clock, type SeededRandom, sleepOn } from "@nfs4/timecounter";
import { Client40 } from "../harness/client40.ts";
import { Client41 } from "../harness/client41.ts";
import type { LockOptions, Opened, OpenOptions } from "../harness/open-options.ts";
import type { Reply } from "../harness/reply.ts";
import type { LastingWire } from "./lasting-wire.ts";
import { LEASE_SECONDS } from "./server-host.ts";

/** A file that is open, through all restarts. */
export interface Held {
  readonly options: OpenOptions;
  opened: Opened;
  lock: LockOptions | null;
  /** The open, or the lock on it, could not be taken back. */
  lost: boolean;
}

/** What was held is gone, and with it the reason for what was to be done. */
export class StateLost extends Error {}

export interface DoOptions {
  readonly held?: Held;
  readonly renews?: boolean;
  readonly idempotent?: boolean;
}

/** SERVERFAULT: the recovery journal cannot be written now. */
const LATER = new Set(["NFS4ERR_DELAY", "NFS4ERR_GRACE", "NFS4ERR_IO", "NFS4ERR_SERVERFAULT"]);
const DISK_HAS_FAILED = new Set(["NFS4ERR_IO", "NFS4ERR_SERVERFAULT"]);
const FORGOTTEN = new Set([
  "NFS4ERR_BADSESSION",
  "NFS4ERR_DEADSESSION",
  "NFS4ERR_STALE_CLIENTID",
  "NFS4ERR_STALE_STATEID",
  "NFS4ERR_EXPIRED",
]);
const NOT_RECLAIMED = new Set(["NFS4ERR_NO_GRACE", "NFS4ERR_RECLAIM_CONFLICT", "NFS4ERR_RECLAIM_BAD", "NFS4ERR_STALE"]);

export class SimulatedClient {
  readonly name: string;
  readonly minor: number;
  readonly held: Set<Held> = new Set();
  /** Uptime (µs) at which the last request that renewed the lease was sent. */
  renewedAt = Number.NEGATIVE_INFINITY;
  recoveries = 0;
  reclaimed = 0;
  lost = 0;
  /** Times that the server said so. */
  diskErrors = 0;
  readonly sleep: (us: number) => Promise<void>;
  readonly wire: LastingWire;
  readonly clock: Clock;
  readonly random: SeededRandom;
  #mount: Client40 | Client41;
  #verifier = 1;

  constructor(options: {
    readonly name: string;
    readonly minor: 0 | 1 | 2;
    readonly clock: Clock;
    readonly random: SeededRandom;
    readonly wire: LastingWire;
  }) {
    this.name = options.name;
    this.minor = options.minor;
    this.clock = options.clock;
    this.random = options.random;
    this.wire = options.wire;
    this.sleep = sleepOn(options.clock);
    this.#mount = this.#newMount();
  }

  get mount(): Client40 | Client41 {
    return this.#mount;
  }

  /** By its own reckoning; the server's lease for it runs at least as long (RFC 8881 §8.3). */
  get leaseRuns(): boolean {
    return this.clock.coarse() < this.renewedAt + LEASE_SECONDS * 1e6;
  }

  #newMount(): Client40 | Client41 {
    const { wire, name, minor } = this;
    return minor === 0 ? new Client40(wire, name) : new Client41(wire, name, minor as 1 | 2);
  }

  /** Introduces itself for the first time, or after its own restart. */
  begin(): Promise<void> {
    return this.#recover("NFS4ERR_STALE_CLIENTID");
  }

  /** It loses its memory, and comes back as another incarnation. */
  async restart(): Promise<void> {
    this.wire.abort();
    this.held.clear();
    this.#verifier++;
    this.#mount = this.#newMount();
    await this.begin();
  }

  /**
   * Sends what `request` makes until the answer is about the request itself. With `held`, which the request is for: throws `StateLost` when that is gone.
   * `renews`: the request names the client or its state (4.0); every request of 4.1 does. `idempotent`: it may run again, if its reply was not kept (RFC 8881
   * §2.10.6.1.3).
   */
  async do(
    request: () => Promise<Reply>,
    { held, renews = false, idempotent = false }: DoOptions = {},
  ): Promise<Reply> {
    for (;;) {
      if (held?.lost) throw new StateLost();
      const sent = this.clock.coarse();
      const reply = await request();
      const { status } = reply;
      if (FORGOTTEN.has(status)) {
        await this.#recover(status);
      } else if (LATER.has(status)) {
        if (DISK_HAS_FAILED.has(status)) this.diskErrors++;
        await this.sleep(this.random.between(100_000, 1_000_000));
      } else if (!(idempotent && status === "NFS4ERR_RETRY_UNCACHED_REP")) {
        if (this.minor > 0 || (renews && status === "NFS4_OK")) this.renewedAt = sent;
        return reply;
      }
    }
  }

  async open(path: string, options: OpenOptions = {}): Promise<Held | Reply> {
    // A new owner each time: nothing of an earlier open is in its way.
    const owner = `${this.name}-${this.random.uint32()}`;
    const own = { owner, ...options };
    const reply = await this.do(() => this.#mount.tryOpen(path, own), { renews: true });
    if (reply.status !== "NFS4_OK") return reply;
    const { stateid, rflags } = reply.get("OPEN");
    const opened: Opened = { handle: reply.get("GETFH").object, owner, stateid, rflags };
    const held: Held = { options: own, opened, lock: null, lost: false };
    this.held.add(held);
    if (this.#mount instanceof Client40 && rflags & 2) {
      // After a restart in between it was taken back, and needs no confirmation.
      let before = held.opened;
      const confirmed = await this.do(
        async () => {
          if (held.opened !== before) return this.#confirmedByReclaim(held);
          before = held.opened;
          return (this.#mount as Client40).openConfirm(held.opened);
        },
        { held, renews: true },
      );
      if (confirmed.status !== "NFS4_OK") throw new Error(`OPEN_CONFIRM: ${confirmed.summary}`);
    }
    return held;
  }

  /** Any request that shows the state to be good. */
  #confirmedByReclaim({ opened }: Held): Promise<Reply> {
    return this.#mount.compound().putfh(opened.handle).read(opened.stateid, 0, 1).send();
  }

  async close(held: Held): Promise<void> {
    const reply = await this.do(() => this.#mount.close(held.opened), { held, renews: true });
    this.held.delete(held);
    // It was closed, the answer was lost, and a client that holds nothing was forgotten with its lease.
    if (this.minor === 0 && reply.status === "NFS4ERR_BAD_STATEID" && !this.leaseRuns) return;
    if (reply.status !== "NFS4_OK") throw new Error(`CLOSE: ${reply.summary}`);
  }

  async #recover(why: string): Promise<void> {
    for (let status: string | null = why; status; ) {
      this.recoveries++;
      const sent = this.clock.coarse();
      status =
        this.#mount instanceof Client41 ? await this.#recover41(this.#mount) : await this.#recover40(this.#mount);
      if (!status) this.renewedAt = sent;
      else if (LATER.has(status)) await this.sleep(500_000);
      else if (!FORGOTTEN.has(status)) throw new Error(`${this.name} cannot recover: ${status}`);
    }
  }

  /** Null when it is done, or why it must begin anew. */
  async #recover41(mount: Client41): Promise<string | null> {
    if (mount.session) {
      const { status } = await mount.createSession();
      // Only the session was gone.
      if (status === "NFS4_OK") return null;
      if (status !== "NFS4ERR_STALE_CLIENTID") return status;
    }
    const introduced = await mount.exchangeId({ verifier: this.#verifier });
    if (introduced.status !== "NFS4_OK") return introduced.status;
    const made = await mount.createSession();
    if (made.status !== "NFS4_OK") return made.status;
    mount.locks.clear();
    const failed = await this.#reclaimAll();
    if (failed) return failed;
    const { status } = await this.#patiently(() => mount.reclaimComplete());
    return status === "NFS4_OK" ? null : status;
  }

  async #recover40(mount: Client40): Promise<string | null> {
    const introduced = await mount.setClientId({ verifier: this.#verifier });
    if (introduced.status !== "NFS4_OK") return introduced.status;
    const { clientid, setclientid_confirm } = introduced.get("SETCLIENTID");
    const confirmed = await mount.confirm(clientid, setclientid_confirm);
    if (confirmed.status !== "NFS4_OK") return confirmed.status;
    mount.begin(clientid);
    return this.#reclaimAll();
  }

  async #reclaimAll(): Promise<string | null> {
    for (const held of this.held) {
      if (held.lost) continue;
      const status = await this.#reclaim(held);
      if (NOT_RECLAIMED.has(status)) {
        held.lost = true;
        this.lost++;
        this.held.delete(held);
      } else if (status !== "NFS4_OK") {
        return status;
      } else {
        this.reclaimed++;
      }
    }
    return null;
  }

  async #reclaim(held: Held): Promise<string> {
    const { handle, owner, rflags } = held.opened;
    const claim = { claim: CLAIM_PREVIOUS, delegate_type: 0 } as const;
    const { create: _, ...options } = held.options;
    const reply = await this.#patiently(async () => {
      const mount = this.#mount;
      const answer = await mount.addOpen(mount.compound().putfh(handle), "", { ...options, claim }).send();
      if (mount instanceof Client40) mount.advance(owner, answer);
      return answer;
    });
    if (reply.status !== "NFS4_OK") return reply.status;
    held.opened = { handle, owner, stateid: reply.get("OPEN").stateid, rflags };
    if (!held.lock) return "NFS4_OK";
    for (;;) {
      const { status } = await this.#mount.lock(held.opened, { ...held.lock, reclaim: true });
      if (!LATER.has(status)) return status;
      await this.sleep(500_000);
    }
  }

  async #patiently(request: () => Promise<Reply>): Promise<Reply> {
    for (;;) {
      const reply = await request();
      if (!LATER.has(reply.status)) return reply;
      await this.sleep(500_000);
    }
  }
}

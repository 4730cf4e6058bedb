import {
  ANONYMOUS_STATEID,
  NFS4_OK,
  NFS4ERR_DELAY,
  NFS4ERR_EXPIRED,
  NFS4ERR_STALE_CLIENTID,
  READ_BYPASS_STATEID,
  type stateid4,
} from "@nfs4/protocol";
import { type Clock, type RandomSource, type Sleep, sleepOn } from "@nfs4/timecounter";
import type { Uint64Pair } from "@xdr-ts/xdr";
import { NfsError } from "../errors.ts";
import { Compound, type Step } from "./compound.ts";
import { type Acquaintance, AcquaintanceLost, type Dialect, type SendOptions } from "./dialect.ts";
import { isConnectionLoss, type Link } from "./link.ts";
import { SlotTable } from "./slots.ts";

/** No program at no address: servers that cannot call back grant no delegations (RFC 7530 §16.33.5, RFC 5665 §5.2.3.3). */
const NO_CALLBACK = { cb_program: 0, cb_location: { na_r_netid: "tcp", na_r_addr: "0.0.0.0.0.0" } };
/** How long a server may put us off, each time. */
const DELAY_US = 100_000;
const ATTEMPT_MS = 60_000;
/** How often a client ID may be forgotten before it is confirmed: by a restart, say. */
const MOST_INTRODUCTIONS = 10;

export interface ClientIdOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly link: Link;
  /** nfs_client_id4.id: the same for as long as the client lives. */
  readonly ownerId: Uint8Array;
  /** nfs_client_id4.verifier: another once a lease was lost. */
  readonly verifier: Uint8Array;
  /** Bytes of data in a READ or WRITE, and COMPOUNDs under way, at most. */
  readonly transferBytes: number;
  readonly slots: number;
}

/**
 * NFSv4.0: a client ID whose lease must be renewed (RFC 7530 §9.1.1, §9.5). What makes calls happen once is not here but in the seqids of state-owners,
 * and in the server's duplicate request cache, which knows a call again by its xid.
 */
export class ClientIdDialect implements Dialect {
  readonly minorVersion = 0;
  clientId: Uint64Pair = { hi: 0, lo: 0 };
  lastRenewal = 0;
  readonly #options: ClientIdOptions;
  readonly #link: Link;
  readonly #sleep: Sleep;
  readonly #places: SlotTable;
  #verifier: Uint8Array;
  #standing: "unknown" | "known" | "forgotten" | "expired" = "unknown";
  #nextXid: number;
  /** Of calls under way, over however many connections. */
  readonly #xids = new Set<number>();

  constructor(options: ClientIdOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#sleep = sleepOn(options.clock);
    this.#places = new SlotTable(options.slots);
    this.#verifier = options.verifier;
    this.#nextXid = options.random.uint32();
  }

  get maxRead(): number {
    return this.#options.transferBytes;
  }

  get maxWrite(): number {
    return this.#options.transferBytes;
  }

  get concurrency(): number {
    return this.#options.slots;
  }

  // ——— Acquaintance ———

  async introduce(): Promise<Acquaintance> {
    if (this.#standing === "known" && (await this.#isKnown())) return { stateLost: false, mayReclaim: true };
    const { clientId: before } = this;
    const isFirst = this.#standing === "unknown";
    const expired = this.#standing === "expired";
    // As a new incarnation the client finds nothing left of the lease, nor of the numbers of its owners (RFC 7530 §9.1.7), even if the server has kept some.
    if (expired) this.#verifier = this.#options.random.fill(new Uint8Array(8));
    for (let left = MOST_INTRODUCTIONS; !(await this.#setClientId()); left--)
      if (left === 1) throw new NfsError("EIO", "the server forgets client IDs as soon as it gives them");
    this.#standing = "known";
    // The same client ID again: only the callback was set, and everything else is as it was (RFC 7530 §16.33.5).
    const isOther = before.hi !== this.clientId.hi || before.lo !== this.clientId.lo;
    return { stateLost: isFirst || expired || isOther, mayReclaim: !expired };
  }

  forget(what: "client" | "lease"): void {
    // What was lost with a lease is not to be claimed back after a restart either (RFC 7530 §9.6.3.4).
    if (this.#standing !== "expired") this.#standing = what === "lease" ? "expired" : "forgotten";
  }

  /** False: the server has forgotten the client ID before it could be confirmed. */
  async #setClientId(): Promise<boolean> {
    const compound = new Compound("set client id");
    const step = compound.op("SETCLIENTID", {
      client: { verifier: this.#verifier, id: this.#options.ownerId },
      callback: NO_CALLBACK,
      callback_ident: 0,
    });
    await this.#ask(compound);
    const { clientid, setclientid_confirm } = step.body;
    const confirmation = new Compound("confirm client id");
    const confirmed = confirmation.op("SETCLIENTID_CONFIRM", { clientid, setclientid_confirm });
    await this.#ask(confirmation);
    if (confirmed.status === NFS4ERR_STALE_CLIENTID) return false;
    if (!confirmed.succeeded) throw confirmation.error();
    this.clientId = clientid;
    return true;
  }

  async renew(): Promise<void> {
    await this.#isKnown();
    if (this.#standing === "expired") throw new AcquaintanceLost("lease");
    if (this.#standing !== "known") throw new AcquaintanceLost("client");
  }

  /** Whether there is still a lease; renews it. NFS4ERR_CB_PATH_DOWN renews it as well (RFC 7530 §16.28.5). */
  async #isKnown(): Promise<boolean> {
    const compound = new Compound("renew");
    const step = compound.op("RENEW", () => ({ clientid: this.clientId }));
    await this.#ask(compound);
    if (step.status === NFS4ERR_STALE_CLIENTID) this.forget("client");
    else if (step.status === NFS4ERR_EXPIRED) this.forget("lease");
    return this.#standing === "known";
  }

  async reclaimComplete(): Promise<void> {
    // Servers of 4.0 find out by the end of grace.
  }

  async leave(): Promise<void> {
    // Servers of 4.0 find out by the lease.
  }

  /** Sends until it is not put off any more. */
  async #ask(compound: Compound): Promise<void> {
    for (;;) {
      await this.send(compound, { attemptTimeoutMs: ATTEMPT_MS });
      if (compound.failed?.status !== NFS4ERR_DELAY) return;
      await this.#sleep(DELAY_US);
    }
  }

  // ——— COMPOUNDs ———

  async send(compound: Compound, { attemptTimeoutMs }: SendOptions): Promise<void> {
    const place = await this.#places.acquire();
    const xid = this.#takeXid();
    try {
      compound.prepare();
      await this.#exchange(xid, compound, attemptTimeoutMs);
    } finally {
      this.#xids.delete(xid);
      this.#places.release(place);
    }
  }

  /** Sends the same call over one connection after the other until there is an answer (RFC 7530 §3.1.1). */
  async #exchange(xid: number, compound: Compound, timeoutMs: number): Promise<void> {
    for (;;) {
      const rpc = await this.#link.connect();
      const sentAt = this.#options.clock.coarse();
      try {
        await this.#link.send(
          rpc,
          xid,
          {
            encode: (writer) => compound.encode(writer, this.minorVersion, null),
            decode: (reader) => compound.decode(reader, null),
          },
          timeoutMs,
        );
      } catch (error) {
        if (isConnectionLoss(error)) continue;
        throw error;
      }
      if (compound.steps.some(renewsLease)) this.lastRenewal = Math.max(this.lastRenewal, sentAt);
      return;
    }
  }

  /** One that no call under way has, on whichever connection: the server would answer it with what the other came to. */
  #takeXid(): number {
    while (this.#xids.has(this.#nextXid)) this.#nextXid = (this.#nextXid + 1) >>> 0;
    const xid = this.#nextXid;
    this.#nextXid = (xid + 1) >>> 0;
    this.#xids.add(xid);
    return xid;
  }
}

/** Operations with a client ID, or a stateid that is never special. */
const RENEWING: ReadonlySet<string> = new Set([
  "CLOSE",
  "LOCK",
  "LOCKT",
  "LOCKU",
  "OPEN",
  "OPEN_CONFIRM",
  "OPEN_DOWNGRADE",
  "RELEASE_LOCKOWNER",
  "RENEW",
]);

/** Whether the server has renewed the lease with this operation (RFC 7530 §9.5). Where servers may differ, no: a RENEW too many does no harm. */
function renewsLease({ name, sent, status }: Step): boolean {
  if (status !== NFS4_OK) return false;
  if (name !== "READ" && name !== "WRITE") return RENEWING.has(name);
  return !isSpecial((sent as { readonly stateid: stateid4 }).stateid);
}

function isSpecial({ other }: stateid4): boolean {
  return Buffer.compare(other, ANONYMOUS_STATEID.other) === 0 || Buffer.compare(other, READ_BYPASS_STATEID.other) === 0;
}

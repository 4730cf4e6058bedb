/**
 * Every client, by its number, its owner string and its session; leases and what becomes of clients that let theirs run out.
 *
 * An expired client's state is kept until somebody conflicts with it, or until the server needs the room (courtesy, as knfsd does): most such clients
 * were only cut off for a while.
 */
import type { Clock } from "@nfs4/timecounter";
import type { Uint64Pair } from "@xdr-ts/xdr";
import { latin1 } from "../latin1.ts";
import { Client, type ClientIdentity } from "./client.ts";
import { ReplyMemory } from "./reply-memory.ts";
import type { Session } from "./session.ts";

export interface ClientRegistryOptions {
  readonly clock: Clock;
  /** hi half of every clientid: tells our own from those of earlier boots. */
  readonly epoch: number;
  readonly leaseSeconds: number;
  /** How long an expired client's state may wait for its owner. */
  readonly courtesySeconds: number;
  readonly maxClients: number;
  readonly maxUnconfirmedClients: number;
  /** Bytes that the reply caches of all sessions may take. */
  readonly replyMemory: number;
  /** Takes a client's state away and lets go of everything that hangs off it. */
  readonly destroyed: (client: Client, why: "expired" | "replaced" | "destroyed") => void;
  readonly sessionDestroyed: (session: Session) => void;
}

type Generation = ClientIdentity["generation"];

export class ClientRegistry {
  /** For the reply caches of all sessions. */
  readonly replyMemory: ReplyMemory;
  readonly #options: ClientRegistryOptions;
  readonly #byNumber: Map<number, Client> = new Map();
  readonly #confirmed: Record<Generation, Map<string, Client>> = { "4.0": new Map(), "4.1": new Map() };
  readonly #unconfirmed: Record<Generation, Map<string, Client>> = { "4.0": new Map(), "4.1": new Map() };
  readonly #sessions: Map<string, Session> = new Map();
  #nextNumber = 1;

  constructor(options: ClientRegistryOptions) {
    this.#options = options;
    this.replyMemory = new ReplyMemory(options.replyMemory);
  }

  get all(): IterableIterator<Client> {
    return this.#byNumber.values();
  }

  get size(): number {
    return this.#byNumber.size;
  }

  get leaseMicroseconds(): number {
    return this.#options.leaseSeconds * 1e6;
  }

  /** True if this boot gave the number out: it has gone since, rather than never been. */
  isOurs(id: Uint64Pair): boolean {
    return id.hi === this.#options.epoch && id.lo < this.#nextNumber;
  }

  find(id: Uint64Pair): Client | undefined {
    return id.hi === this.#options.epoch ? this.#byNumber.get(id.lo) : undefined;
  }

  confirmed(generation: Generation, ownerId: string): Client | undefined {
    return this.#confirmed[generation].get(ownerId);
  }

  unconfirmed(generation: Generation, ownerId: string): Client | undefined {
    return this.#unconfirmed[generation].get(ownerId);
  }

  /** A new, unconfirmed client; replaces an unconfirmed one of the same owner. Null: the table is full of live clients. */
  add(identity: ClientIdentity): Client | null {
    const earlier = this.unconfirmed(identity.generation, identity.ownerId);
    if (earlier) this.remove(earlier, "replaced");
    this.#forgetUnconfirmed(identity.generation);
    if (this.#byNumber.size >= this.#options.maxClients && !this.#evict()) return null;
    const number = this.#nextNumber++;
    const lease = this.#options.clock.callout(() => this.#leaseRanOut(client));
    const client: Client = new Client({ hi: this.#options.epoch, lo: number }, identity, lease);
    this.#byNumber.set(number, client);
    this.#unconfirmed[identity.generation].set(identity.ownerId, client);
    this.renew(client);
    return client;
  }

  /** The client has shown that it knows its id: it takes the place of an earlier incarnation, whose state goes. */
  confirm(client: Client): void {
    const { generation, ownerId } = client.identity;
    const earlier = this.#confirmed[generation].get(ownerId);
    if (earlier && earlier !== client) this.remove(earlier, "replaced");
    this.#unconfirmed[generation].delete(ownerId);
    this.#confirmed[generation].set(ownerId, client);
    client.confirmed = true;
    this.renew(client);
  }

  renew(client: Client): void {
    const now = this.#options.clock.coarse();
    client.renewedAt = now;
    client.expired = false;
    client.lease.schedule(now + this.leaseMicroseconds);
  }

  /** Takes away expired clients whose state stands in somebody's way. */
  expireForConflict(holders: Iterable<Client>): void {
    for (const client of holders) if (client.expired) this.remove(client, "expired");
  }

  remove(client: Client, why: "expired" | "replaced" | "destroyed"): void {
    if (!this.#byNumber.delete(client.id.lo)) return;
    client.removed = true;
    const { generation, ownerId } = client.identity;
    if (this.#confirmed[generation].get(ownerId) === client) this.#confirmed[generation].delete(ownerId);
    if (this.#unconfirmed[generation].get(ownerId) === client) this.#unconfirmed[generation].delete(ownerId);
    client.lease.cancel();
    for (const session of client.sessions) this.removeSession(session);
    this.#options.destroyed(client, why);
  }

  addSession(session: Session): void {
    this.#sessions.set(latin1(session.id), session);
    session.client.sessions.add(session);
  }

  findSession(id: Uint8Array): Session | undefined {
    return this.#sessions.get(latin1(id));
  }

  removeSession(session: Session): void {
    if (session.destroyed) return;
    session.destroyed = true;
    this.replyMemory.give(session.replyBytes);
    this.#sessions.delete(latin1(session.id));
    session.client.sessions.delete(session);
    this.#options.sessionDestroyed(session);
  }

  #leaseRanOut(client: Client): void {
    if (!client.confirmed) {
      this.remove(client, "expired");
      return;
    }
    const courtesyEnds = client.renewedAt + this.leaseMicroseconds + this.#options.courtesySeconds * 1e6;
    if (client.expired && this.#options.clock.coarse() >= courtesyEnds) {
      this.remove(client, "expired");
      return;
    }
    client.expired = true;
    // A client without open files or locks has nothing to be kept for.
    if (client.states.size === 0) this.remove(client, "expired");
    else client.lease.schedule(courtesyEnds);
  }

  /** Names cost nothing to those who send them: the one that came first goes, and may introduce itself again. */
  #forgetUnconfirmed(generation: Generation): void {
    const unconfirmed = this.#unconfirmed[generation];
    if (unconfirmed.size * 2 < this.#options.maxUnconfirmedClients) return;
    for (const oldest of unconfirmed.values()) {
      this.remove(oldest, "expired");
      return;
    }
  }

  /** Makes room: the client that has been expired for longest. */
  #evict(): boolean {
    let oldest: Client | null = null;
    for (const client of this.#byNumber.values()) {
      if ((client.expired || !client.confirmed) && (!oldest || client.renewedAt < oldest.renewedAt)) oldest = client;
    }
    if (!oldest) return false;
    this.remove(oldest, "expired");
    return true;
  }
}

import type { TcpContext } from "./context.ts";
import type { FlowKey } from "./flow.ts";
import type { TcpOptions } from "./options.ts";
import { SipHash } from "./siphash.ts";

/** Our cookies: 64 bits (RFC 7413 §4.1.1 allows 4 to 16 bytes). */
const COOKIE_LENGTH = 8;
/** How long a pending request that was reset still counts (RFC 7413 §5.1): resets from forged addresses must not feed a flood. */
const RESET_COUNTS_US = 60_000_000;

/** The Fast Open requests of one listener whose handshake is not complete (RFC 7413 §4.2: PendingFastOpenRequests). */
export class FastOpenQueue {
  readonly limit: number;
  pending = 0;
  /** When each request that was reset ceases to count, oldest first; µs of uptime. */
  readonly #resets: number[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  isFull(now: number): boolean {
    while (this.#resets.length > 0 && this.#resets[0]! <= now) this.#resets.shift();
    return this.pending + this.#resets.length >= this.limit;
  }

  /** One of them has its handshake, or has ended without. */
  left(wasReset: boolean, now: number): void {
    this.pending--;
    if (wasReset) this.#resets.push(now + RESET_COUNTS_US);
  }
}

/**
 * The cookies that a server gives its clients, so that nobody can have data taken from a SYN in somebody else's name (RFC 7413 §4.1.2): SipHash over both
 * addresses, under a key that is drawn anew every net.inet.tcp.fastopen.autokey seconds. Cookies of the key before are good as well.
 */
export class FastOpenCookies {
  readonly #context: TcpContext;
  #current: SipHash;
  #previous: SipHash;
  #drawnAt: number;

  constructor(context: TcpContext) {
    this.#context = context;
    this.#current = this.#draw();
    this.#previous = this.#draw();
    this.#drawnAt = context.clock.coarse();
  }

  /** A new cookie for the peer: the caller's. */
  make(key: FlowKey): Uint8Array {
    this.#turn();
    const cookie = new Uint8Array(COOKIE_LENGTH);
    const hash = mac(this.#current, key);
    const view = new DataView(cookie.buffer);
    view.setUint32(0, hash.high);
    view.setUint32(4, hash.low);
    return cookie;
  }

  /** Whether the peer's cookie is good, and if so, whether it is the one that it would get now. */
  check(key: FlowKey, options: TcpOptions): "current" | "old" | "bad" {
    const { fastopenAcceptAny } = this.#context.tunables;
    if (fastopenAcceptAny.value) return "current";
    this.#turn();
    if (options.fastOpenLength !== COOKIE_LENGTH) return "bad";
    const view = new DataView(options.fastOpenCookie.buffer);
    const [high, low] = [view.getUint32(0), view.getUint32(4)];
    for (const secret of [this.#current, this.#previous]) {
      const hash = mac(secret, key);
      // No earlier answer for a cookie that begins right.
      if (((hash.high ^ high) | (hash.low ^ low)) === 0) return secret === this.#current ? "current" : "old";
    }
    return "bad";
  }

  #turn(): void {
    const { clock, tunables } = this.#context;
    const life = tunables.fastopenAutokey.value * 1e6;
    const now = clock.coarse();
    if (life === 0 || now - this.#drawnAt < life) return;
    this.#previous = now - this.#drawnAt < 2 * life ? this.#current : this.#draw();
    this.#current = this.#draw();
    this.#drawnAt = now;
  }

  #draw(): SipHash {
    return new SipHash(this.#context.stack.random.fill(new Uint8Array(16)));
  }
}

function mac(secret: SipHash, key: FlowKey): SipHash {
  secret.begin().word(key.l0).word(key.l1).word(key.l2).word(key.l3);
  secret.word(key.r0).word(key.r1).word(key.r2).word(key.r3).end();
  return secret;
}

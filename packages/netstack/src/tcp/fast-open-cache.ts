import type { Clock } from "@nfs4/timecounter";
import { formatWords } from "../address.ts";
import type { FlowKey } from "./flow.ts";

/** The longest that a path stays disabled, as a multiple of the first time. */
const MOST_DOUBLINGS = 6;

/** What is known of one path: our address, the server's and its port (RFC 7413 §4.1.3). */
interface Path {
  /** Empty: none yet. */
  cookie: Uint8Array;
  /** The MSS that came with it. */
  mss: number;
  /** No Fast Open before; µs of uptime. */
  disabledUntil: number;
  /** Failures in a row: each doubles the time for which the path is disabled. */
  failures: number;
}

/** What a client may do with its SYN. `cookie` empty: ask for one; it is borrowed. */
export interface FastOpenAdvice {
  readonly cookie: Uint8Array;
  readonly mss: number;
}

/** The cookies that servers gave us, and the paths that let no Fast Open through: at most `limit()` paths, the one least recently used makes room. */
export class FastOpenCache {
  readonly #clock: Clock;
  readonly #limit: () => number;
  readonly #disableUs: () => number;
  readonly #paths = new Map<string, Path>();

  constructor(clock: Clock, limit: () => number, disableUs: () => number) {
    this.#clock = clock;
    this.#limit = limit;
    this.#disableUs = disableUs;
  }

  get size(): number {
    return this.#paths.size;
  }

  /** Null: the path is disabled. */
  advise(key: FlowKey): FastOpenAdvice | null {
    const name = nameOf(key);
    const path = this.#paths.get(name);
    if (path === undefined) return { cookie: EMPTY, mss: 0 };
    this.#touch(name, path);
    return path.disabledUntil > this.#clock.coarse() ? null : path;
  }

  /** The server gave a cookie. `cookie` is copied. */
  learned(key: FlowKey, cookie: Uint8Array, mss: number): void {
    this.#touch(nameOf(key), { cookie: cookie.slice(), mss, disabledUntil: 0, failures: 0 });
  }

  /** The server took the data of a SYN. */
  worked(key: FlowKey): void {
    const path = this.#paths.get(nameOf(key));
    if (path !== undefined) path.failures = 0;
  }

  /** The server does not want the cookie any more: the next connection asks for a new one. */
  refused(key: FlowKey): void {
    const path = this.#paths.get(nameOf(key));
    if (path !== undefined) path.cookie = EMPTY;
  }

  /** Nobody answered a SYN with Fast Open (RFC 7413 §4.1.3.1). */
  failed(key: FlowKey): void {
    const name = nameOf(key);
    const path = this.#paths.get(name) ?? { cookie: EMPTY, mss: 0, disabledUntil: 0, failures: 0 };
    const time = this.#disableUs() * 2 ** Math.min(path.failures, MOST_DOUBLINGS);
    path.failures++;
    path.disabledUntil = this.#clock.coarse() + time;
    this.#touch(name, path);
  }

  #touch(name: string, path: Path): void {
    this.#paths.delete(name);
    if (this.#limit() === 0) return;
    while (this.#paths.size >= this.#limit()) {
      for (const oldest of this.#paths.keys()) {
        this.#paths.delete(oldest);
        break;
      }
    }
    this.#paths.set(name, path);
  }
}

function nameOf(key: FlowKey): string {
  const { l0, l1, l2, l3, r0, r1, r2, r3, remotePort } = key;
  return `${formatWords(l0, l1, l2, l3)} ${formatWords(r0, r1, r2, r3)} ${remotePort}`;
}

const EMPTY: Uint8Array = new Uint8Array(0);

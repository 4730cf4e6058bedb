/**
 * Clients that open connections towards one server, one after the other, each from a port that some method chooses: how often is a port taken again before
 * it has been quiet long enough? In virtual time; random numbers by seed.
 */
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { EphemeralPorts } from "../../src/tcp/ports.ts";

/** A way to choose ports. */
export interface PortMethod {
  readonly name: string;
  /** That it keeps, beside the table of connections. */
  readonly bytes: number;
  /** Ports looked at so far. */
  readonly looks: number;
  choose(isFree: (port: number) => boolean): number;
  closed(port: number): void;
}

export interface PortLoad {
  readonly seed: number;
  /** Ports in the range, and connections opened per second. */
  readonly ports: number;
  readonly rate: number;
  /** Mean life of a connection, and how long a port should rest; seconds. */
  readonly life: number;
  readonly quiet: number;
  readonly connections: number;
}

export interface PortOutcome {
  readonly method: string;
  /** Choices that took a port before its time, as a share; the shortest rest of any port that was taken again, seconds (∞: none was). */
  readonly early: number;
  readonly shortestRest: number;
  /** Ports looked at for each choice. */
  readonly looks: number;
  readonly bytes: number;
}

const FIRST = 10_000;

/** RFC 6056 algorithm 2: draws until a port is free. */
function plainRandom(load: PortLoad): PortMethod {
  const random = new SeededRandom(load.seed);
  let looks = 0;
  return {
    name: "random",
    bytes: 0,
    get looks() {
      return looks;
    },
    choose(isFree) {
      for (;;) {
        looks++;
        const port = FIRST + (random.uint32() % load.ports);
        if (isFree(port)) return port;
      }
    },
    closed() {},
  };
}

/** RFC 6056 algorithms 3 and 4 towards one destination: the next port. The destination can foretell it. */
function inOrder(load: PortLoad): PortMethod {
  let counter = 0;
  return {
    name: "in order (RFC 6056, 3 and 4)",
    bytes: 4,
    get looks() {
      return counter;
    },
    choose(isFree) {
      for (;;) {
        const port = FIRST + (counter++ % load.ports);
        if (isFree(port)) return port;
      }
    },
    closed() {},
  };
}

/** Two Bloom filters by turns, a quiet time each: what either has may have been closed of late. For a false positive of 1 % at this load. */
function bloomFilters(load: PortLoad, clock: VirtualClock): PortMethod {
  const random = new SeededRandom(load.seed);
  const bits = Math.max(1024, Math.ceil(load.rate * load.quiet * 9.6));
  const hashes = 7;
  let filters = [new Uint8Array(Math.ceil(bits / 8)), new Uint8Array(Math.ceil(bits / 8))];
  let epoch = 0;
  let looks = 0;
  const turn = (): void => {
    const now = Math.floor(clock.coarse() / (load.quiet * 1e6));
    for (; epoch < now; epoch++) filters = [filters[1]!, new Uint8Array(Math.ceil(bits / 8))];
  };
  const index = (port: number, i: number): number => {
    const a = Math.imul(port, 0x9e3779b1) >>> 0;
    const b = (Math.imul(port ^ 0x5bd1e995, 0x85ebca6b) | 1) >>> 0;
    return (a + i * b) % bits;
  };
  const has = (filter: Uint8Array, port: number): boolean => {
    for (let i = 0; i < hashes; i++) {
      const at = index(port, i);
      if ((filter[at >>> 3]! & (1 << (at & 7))) === 0) return false;
    }
    return true;
  };
  return {
    name: "random, Bloom filters",
    bytes: 2 * Math.ceil(bits / 8),
    get looks() {
      return looks;
    },
    choose(isFree) {
      turn();
      let port = FIRST;
      for (let i = 0; ; i++) {
        looks++;
        port = FIRST + (random.uint32() % load.ports);
        if (!isFree(port)) continue;
        // It knows no ages: when it gives up, any port must do.
        if (i >= 64 || !(has(filters[0]!, port) || has(filters[1]!, port))) return port;
      }
    },
    closed(port) {
      turn();
      const current = filters[1]!;
      for (let i = 0; i < hashes; i++) {
        const at = index(port, i);
        current[at >>> 3]! |= 1 << (at & 7);
      }
    },
  };
}

/** Ours. */
function closingTimes(load: PortLoad, clock: VirtualClock): PortMethod {
  const ports = new EphemeralPorts(new SeededRandom(load.seed), clock, () => load.quiet * 1e6);
  return {
    name: "random, closing times",
    bytes: 4 * 65_536,
    get looks() {
      return ports.looks;
    },
    choose: (isFree) => ports.choose(FIRST, FIRST + load.ports - 1, isFree),
    closed: (port) => ports.closed(port),
  };
}

export const METHODS = { plainRandom, inOrder, bloomFilters, closingTimes } as const;

/** Opens `load.connections` connections at even intervals, each of a life by the exponential distribution. */
export function simulatePorts(method: keyof typeof METHODS, load: PortLoad): PortOutcome {
  const clock = new VirtualClock();
  const random = new SeededRandom(load.seed + 1);
  const chooser = METHODS[method](load, clock);
  const inUse = new Uint8Array(65_536);
  const closedAt = new Float64Array(65_536).fill(Number.NEGATIVE_INFINITY);
  const isFree = (port: number): boolean => inUse[port] === 0;
  let early = 0;
  let shortestRest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < load.connections; i++) {
    const port = chooser.choose(isFree);
    const now = clock.coarse() / 1e6;
    const rest = now - closedAt[port]!;
    // Closing times are kept in tenths of a second.
    if (rest < load.quiet - 0.1) early++;
    if (rest < shortestRest) shortestRest = rest;
    inUse[port] = 1;
    const life = -Math.log((random.uint32() + 1) / 2 ** 32) * load.life * 1e6;
    const callout = clock.callout(() => {
      inUse[port] = 0;
      closedAt[port] = clock.coarse() / 1e6;
      chooser.closed(port);
    });
    callout.schedule(clock.coarse() + Math.ceil(life));
    clock.runForSync(1e6 / load.rate);
  }
  const { connections } = load;
  return {
    method: chooser.name,
    early: early / connections,
    shortestRest,
    looks: chooser.looks / connections,
    bytes: chooser.bytes,
  };
}

/** One line at the bottom of a terminal that tells once a second what the server does. Nothing where the output is no terminal. */
import type { NfsServer } from "@nfs4/server";
import type { Callout, Clock } from "@nfs4/timecounter";

const EVERY_US = 1e6;
const CLEAR = "\r\x1b[K";
/** Of a terminal that does not know its width, and says 0. */
const DEFAULT_COLUMNS = 80;

interface Reading {
  readonly at: number;
  readonly operations: number;
  readonly read: number;
  readonly written: number;
}

export class StatusLine {
  readonly #out: NodeJS.WriteStream;
  #callout: Callout | null = null;
  #line = "";

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Prints a line of its own above the status. */
  tell(text: string): void {
    this.#out.write(this.#line === "" ? `${text}\n` : `${CLEAR}${text}\n${this.#line}`);
  }

  start(server: NfsServer, clock: Clock): void {
    if (!this.#out.isTTY) return;
    let last = readingOf(server, clock);
    const callout = clock.callout(() => {
      const now = readingOf(server, clock);
      this.#line = describe(server, last, now).slice(0, (this.#out.columns || DEFAULT_COLUMNS) - 1);
      this.#out.write(`${CLEAR}${this.#line}`);
      last = now;
      callout.scheduleAfter(EVERY_US);
    });
    callout.scheduleAfter(EVERY_US);
    this.#callout = callout;
  }

  stop(): void {
    this.#callout?.cancel();
    if (this.#line !== "") this.#out.write(CLEAR);
    this.#line = "";
  }
}

function readingOf({ counters }: NfsServer, clock: Clock): Reading {
  return {
    at: clock.coarse(),
    operations: counters.operations.reduce((sum, count) => sum + count, 0),
    read: counters.readBytes,
    written: counters.writtenBytes,
  };
}

function describe({ clients, inGrace, rpc }: NfsServer, last: Reading, now: Reading): string {
  const seconds = Math.max((now.at - last.at) / 1e6, 1e-6);
  return [
    `${[...clients].length} clients, ${rpc.connections.size} connections`,
    `${scaled((now.operations - last.operations) / seconds)}ops/s`,
    `read ${scaled((now.read - last.read) / seconds)}B/s`,
    `write ${scaled((now.written - last.written) / seconds)}B/s`,
    ...(inGrace ? ["in grace"] : []),
  ].join(" | ");
}

/** A number with an SI prefix, ready for a unit: 1234567 is "1.2 M". */
export function scaled(value: number): string {
  const step = Math.min(3, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)));
  const rest = value / 1000 ** step;
  return `${step > 0 && rest < 9.95 ? rest.toFixed(1) : Math.round(rest)} ${["", "k", "M", "G"][step]}`;
}

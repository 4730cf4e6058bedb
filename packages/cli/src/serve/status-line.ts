/** One line at the bottom of a terminal that tells once a second what the server does. Nothing where the output is no terminal. */
import type { NfsServer } from "@nfs4/server";
import type { Callout, Clock } from "@nfs4/timecounter";

const EVERY = 1e6;

export class StatusLine {
  readonly #server: NfsServer;
  readonly #clock: Clock;
  readonly #out: NodeJS.WriteStream;
  readonly #callout: Callout;
  #last = { at: 0, operations: 0, read: 0, written: 0 };

  constructor(server: NfsServer, clock: Clock, out: NodeJS.WriteStream) {
    this.#server = server;
    this.#clock = clock;
    this.#out = out;
    this.#callout = clock.callout(() => this.#draw());
    if (out.isTTY) this.#callout.scheduleAfter(EVERY);
  }

  stop(): void {
    if (!this.#callout.armed) return;
    this.#callout.cancel();
    this.#out.write("\r\x1b[K");
  }

  #draw(): void {
    const { counters, inGrace, rpc } = this.#server;
    const now = {
      at: this.#clock.coarse(),
      operations: counters.operations.reduce((sum, count) => sum + count, 0),
      read: counters.readBytes,
      written: counters.writtenBytes,
    };
    const seconds = (now.at - this.#last.at) / 1e6;
    const rate = (count: number, before: number, unit: string): string =>
      `${scaled((count - before) / seconds)}${unit}`;
    const parts = [
      `${[...this.#server.clients].length} clients, ${rpc.connections.size} connections`,
      rate(now.operations, this.#last.operations, " ops/s"),
      `read ${rate(now.read, this.#last.read, "B/s")}`,
      `write ${rate(now.written, this.#last.written, "B/s")}`,
      ...(inGrace ? ["in grace"] : []),
    ];
    this.#last = now;
    this.#out.write(`\r\x1b[K${parts.join(" | ").slice(0, (this.#out.columns ?? 80) - 1)}`);
    this.#callout.scheduleAfter(EVERY);
  }
}

/** 1234567 → "1.2 M". */
export function scaled(value: number): string {
  let rest = value;
  for (const unit of ["", "k", "M", "G"]) {
    if (rest < 1000 || unit === "G")
      return `${rest < 10 && unit !== "" ? rest.toFixed(1) : Math.round(rest)}${unit === "" ? "" : ` ${unit}`}`;
    rest /= 1000;
  }
  return String(value);
}

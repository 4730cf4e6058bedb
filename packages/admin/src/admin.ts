/** The admin interface: health, metrics and lists over HTTP, on loopback unless told otherwise. It only reads. */
import fastify, { type FastifyInstance } from "fastify";
import { Counter, Gauge, Registry } from "prom-client";
import { histogramText } from "./histogram-text.ts";
import type { AdminSource, CounterMetric } from "./source.ts";

export interface Admin extends AsyncDisposable {
  /** Where it listens, as a URL. */
  readonly url: string;
  close(): Promise<void>;
}

export interface AdminOptions {
  readonly source: AdminSource;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
}

/** The routes without a listener: for tests, and for serving over another transport. */
export function adminRoutes(source: AdminSource): FastifyInstance {
  const app = fastify({ logger: false });
  const metrics = new MetricsPage(source);
  app.get("/healthz", async (_request, reply) => {
    const health = source.health();
    return reply.code(health.healthy ? 200 : 503).send(health);
  });
  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
  app.get("/clients", async () => source.clients());
  app.get("/exports", async () => source.exports());
  app.get("/odd.pcapng", async (_request, reply) => {
    const capture = source.oddPackets?.() ?? null;
    if (capture === null) return reply.code(404).send({ error: "packets are kept only by a stack of our own" });
    return reply.type("application/x-pcapng").send(Buffer.from(capture));
  });
  return app;
}

/** Starts listening. Rejects with Node's error (EADDRINUSE …). */
export async function startAdmin({ source, host = "127.0.0.1", port = 0 }: AdminOptions): Promise<Admin> {
  const app = adminRoutes(source);
  const url = await app.listen({ host, port });
  return {
    url,
    close: async () => {
      await app.close();
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
    },
  };
}

/** Turns counters that exist elsewhere into a Prometheus page, whenever one is asked for. */
class MetricsPage {
  readonly #source: AdminSource;
  readonly #registry: Registry = new Registry();
  readonly #known: Map<string, Counter | Gauge> = new Map();

  constructor(source: AdminSource) {
    this.#source = source;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(): Promise<string> {
    let histograms = "";
    for (const metric of this.#source.metrics()) {
      if (metric.kind === "histogram") histograms += histogramText(metric);
      else this.#update(metric);
    }
    return (await this.#registry.metrics()) + histograms;
  }

  #update({ name, help, kind, labels = [], samples }: CounterMetric): void {
    let known = this.#known.get(name);
    if (!known) {
      const options = { name, help, labelNames: labels, registers: [this.#registry] };
      known = kind === "counter" ? new Counter(options) : new Gauge(options);
      this.#known.set(name, known);
    }
    // The truth is counted elsewhere: every page starts from nothing.
    known.reset();
    for (const { labels = {}, value } of samples) known.inc(labels, value);
  }
}

import { afterEach, describe, expect, it } from "vitest";
import { adminRoutes, startAdmin } from "./admin.ts";
import type { AdminSource } from "./source.ts";

let healthy = true;
let operations = 3;
const errors = new Map<string, number>();
const source: AdminSource = {
  health: () => ({ healthy, problems: healthy ? [] : ["the link is down"], inGrace: false, uptimeSeconds: 5 }),
  metrics: () => [
    {
      name: "nfs4_operations_total",
      help: "Operations",
      kind: "counter",
      labels: ["operation"],
      samples: [{ labels: { operation: "READ" }, value: operations }],
    },
    {
      name: "nfs4_errors_total",
      help: "Errors",
      kind: "counter",
      labels: ["status"],
      samples: [...errors].map(([status, value]) => ({ labels: { status }, value })),
    },
    { name: "nfs4_clients", help: "Clients", kind: "gauge", samples: [{ value: 2 }] },
  ],
  clients: () => [],
  exports: () => [{ path: "/", id: 1, readOnly: false, squash: "root", clients: "*" }],
};

afterEach(() => {
  healthy = true;
  operations = 3;
  errors.clear();
});

describe("the admin interface", () => {
  it("says whether the server is well, also by its status", async () => {
    const app = adminRoutes(source);
    expect((await app.inject("/healthz")).statusCode).toBe(200);
    healthy = false;
    expect((await app.inject("/healthz")).statusCode).toBe(503);
    await app.close();
  });

  it("shows counters as they are now, not added up over pages", async () => {
    const app = adminRoutes(source);
    await app.inject("/metrics");
    operations = 7;
    const { body } = await app.inject("/metrics");
    expect(body).toContain('nfs4_operations_total{operation="READ"} 7');
    expect(body).toContain("nfs4_clients 2");
    await app.close();
  });

  it("shows histograms, whose buckets add up", async () => {
    const buckets = [
      { most: 0, count: 1 },
      { most: 1, count: 0 },
      { most: Number.POSITIVE_INFINITY, count: 2 },
    ];
    const histogram = { name: "h_bytes", help: "Sizes", kind: "histogram", labels: ["cause"] } as const;
    const app = adminRoutes({
      ...source,
      metrics: () => [{ ...histogram, samples: [{ labels: { cause: "probe" }, buckets, sum: 9 }] }],
    });
    const { body } = await app.inject("/metrics");
    expect(body.trim().split("\n")).toEqual([
      "# HELP h_bytes Sizes",
      "# TYPE h_bytes histogram",
      'h_bytes_bucket{cause="probe",le="0"} 1',
      'h_bytes_bucket{cause="probe",le="1"} 1',
      'h_bytes_bucket{cause="probe",le="+Inf"} 3',
      'h_bytes_sum{cause="probe"} 9',
      'h_bytes_count{cause="probe"} 3',
    ]);
    await app.close();
  });

  it("gives the last packets as a capture, where somebody keeps them", async () => {
    const without = adminRoutes(source);
    expect((await without.inject("/odd.pcapng")).statusCode).toBe(404);
    await without.close();
    const app = adminRoutes({ ...source, oddPackets: () => Uint8Array.of(10, 13, 13, 10) });
    const { headers, rawPayload } = await app.inject("/odd.pcapng");
    expect(headers["content-type"]).toBe("application/x-pcapng");
    expect([...rawPayload]).toEqual([10, 13, 13, 10]);
    await app.close();
  });

  it("shows samples whose labels appear later, and before that none", async () => {
    const app = adminRoutes(source);
    const before = (await app.inject("/metrics")).body;
    expect(before).toContain("# TYPE nfs4_errors_total counter");
    expect(before).not.toMatch(/^nfs4_errors_total/m);
    errors.set("NFS4ERR_NOENT", 2);
    expect((await app.inject("/metrics")).body).toContain('nfs4_errors_total{status="NFS4ERR_NOENT"} 2');
    await app.close();
  });

  it("says what it does not have", async () => {
    const app = adminRoutes(source);
    expect((await app.inject("/nothing")).statusCode).toBe(404);
    expect((await app.inject({ method: "POST", url: "/exports" })).statusCode).toBe(404);
    await app.close();
  });

  it("listens on loopback", async () => {
    await using admin = await startAdmin({ source });
    expect(admin.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(`${admin.url}/exports`)).json()).toEqual(source.exports());
  });
});

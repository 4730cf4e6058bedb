import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { type CatalogueEntry, catalogue } from "../workloads/catalogue.ts";
import { type Combination, traitsOf } from "./matrix.ts";
import { createScratchDirectory, type ScratchDirectory } from "./scratch.ts";
import { openSite, type Site, type SiteOptions } from "./site.ts";
import { assertCleanCapture, decodeCapture } from "./tshark.ts";

/** Opens a site before the tests of the suite that is being described, and closes it after them. */
export function useSite(options: SiteOptions | (() => SiteOptions)): () => Site {
  let site: Site | undefined;
  beforeAll(async () => {
    site = await openSite(typeof options === "function" ? options() : options);
  });
  afterAll(() => site?.close());
  return () => {
    if (!site) throw new Error("the site is open only while its tests run");
    return site;
  };
}

/** What a test of a workload leaves for the table of results (harness/result-table.ts). */
export interface WorkloadResult extends Combination {
  readonly workload: string;
  remarks: string;
}

declare module "vitest" {
  interface TaskMeta {
    workload?: WorkloadResult;
  }
}

/** Runs something on a combination, and keeps what it says about itself. */
export async function recorded(
  { task }: TestContext,
  { version, fileSystem }: Combination,
  workload: string,
  run: () => Promise<string>,
): Promise<void> {
  const result: WorkloadResult = { version, fileSystem, workload, remarks: "" };
  task.meta.workload = result;
  result.remarks = (await run()).trim().replaceAll("\n", "; ");
}

/**
 * A test for each of these workloads of the catalogue, on one server, and then one that our stack has carried them. `provoked` has what crosses the link
 * captured, and is what errors, as "OPEN NFS4ERR_NOENT", the workloads bring about: tshark must find no other, and nothing malformed.
 */
export function testWorkloads(combination: Combination, names: readonly string[], provoked?: RegExp): void {
  const entries = names.map(entryOf);
  describe(`NFS ${combination.version}, ${combination.fileSystem} file system`, () => {
    const guests = entries.some((entry) => entry.guests === 2) ? 2 : 1;
    const capture = provoked && useCapture();
    const site = useSite(() => ({ ...combination, guests, ...(capture ? { pcap: capture() } : {}) }));
    for (const { name, run } of entries) {
      test(name, (context) => recorded(context, combination, name, () => run(site().context, traitsOf(combination))));
    }
    testPassage(site);
    if (capture) testCapture(site, capture, provoked);
  });
}

/** Where a capture may be written during the suite that is being described. */
function useCapture(): () => string {
  let scratch: ScratchDirectory | undefined;
  beforeAll(() => {
    scratch = createScratchDirectory("capture");
  });
  afterAll(() => scratch?.remove());
  return () => join(scratch?.path ?? "", "server.pcapng");
}

/** The very last of a suite: it closes the site. */
function testCapture(site: () => Site, capture: () => string, provoked: RegExp): void {
  test("tshark finds nothing malformed, and no error that was not provoked", async () => {
    await site().close();
    const report = await decodeCapture(capture());
    console.log(`${report.frames} frames, ${report.calls} calls: ${[...report.operations.keys()].join(" ")}`);
    expect(report.calls).toBeGreaterThan(500);
    expect(report.replies).toBe(report.calls);
    assertCleanCapture(report, provoked);
  });
}

/** Last of a suite: a test that all that was done on the site went through our stack. */
export function testPassage(site: () => Site): void {
  test("every byte went through our stack", async () => {
    const { sent, received } = await site().passage.assertThroughOurStack();
    console.log(`${mebibytes(sent)} MiB to the server, ${mebibytes(received)} MiB from it`);
  });
}

function entryOf(name: string): CatalogueEntry {
  const entry = catalogue.find((one) => one.name === name);
  if (!entry) throw new Error(`the catalogue has no workload "${name}"`);
  return entry;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/**
 * A reporter of vitest that turns what the tests of workloads leave (`recorded` in workload-tests.ts) into the table of docs/e2e-results.md. For full runs:
 * a cut would make a table of holes.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import { everything } from "./matrix.ts";

const PAGE = fileURLToPath(new URL("../../docs/e2e-results.md", import.meta.url));
const BEGIN = "<!-- results: begin -->";
const END = "<!-- results: end -->";

export interface Outcome {
  readonly workload: string;
  /** "4.1 local" */
  readonly combination: string;
  readonly passed: boolean;
  readonly seconds: number;
}

export class ResultTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const outcomes = tests.flatMap(outcomeOf);
    if (outcomes.length === 0) return;
    const page = readFileSync(PAGE, "utf8");
    const [before, after] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
    const others = tests.length - outcomes.length;
    const failed = tests.filter((one) => one.result().state === "failed").map((one) => one.fullName);
    const summary = `${date()}, commit ${commit()}: ${outcomes.length} workloads, and ${others} other tests; failed: ${failed.join("; ") || "none"}.`;
    writeFileSync(PAGE, `${page.slice(0, before)}\n${summary}\n\n${tableOf(outcomes)}\n${page.slice(after)}`);
  }
}

function outcomeOf(test: TestCase): Outcome[] {
  const { workload } = test.meta();
  const { state } = test.result();
  if (!workload || state === "skipped" || state === "pending") return [];
  return [
    {
      workload: workload.workload,
      combination: `${workload.version} ${workload.fileSystem}`,
      passed: state === "passed",
      seconds: (test.diagnostic()?.duration ?? 0) / 1000,
    },
  ];
}

/** A row for each workload, a column for each version with each file system: seconds, where it passed. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const columns = everything.map(({ version, fileSystem }) => `${version} ${fileSystem}`);
  const rows = [...new Set(outcomes.map(({ workload }) => workload))].map((workload) => [
    workload,
    ...columns.map((combination) => {
      const found = outcomes.find((one) => one.workload === workload && one.combination === combination);
      if (!found) return "";
      return found.passed ? `${found.seconds.toFixed(1)} s` : "**failed**";
    }),
  ]);
  const head = ["", ...columns];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function date(): string {
  return new Date().toISOString().slice(0, 10);
}

function commit(): string {
  return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    encoding: "utf8",
    cwd: fileURLToPath(new URL(".", import.meta.url)),
  }).trim();
}

/**
 * A reporter of vitest that turns what the tests of workloads leave (`recorded` in workload-tests.ts) into the table of docs/e2e-results.md. For full runs:
 * a cut would make a table of holes. A run of some of the test files puts its results in the places of those before, and says so.
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
    const earlier = parseResults(page.slice(before, after));
    const others = tests.length - outcomes.length;
    const failed = tests.filter((one) => one.result().state === "failed").map((one) => one.fullName);
    const summary = `${date()}, commit ${commit()}: ${outcomes.length} workloads, and ${others} other tests; failed: ${failed.join("; ") || "none"}.`;
    const isWhole = earlier.cells.size <= outcomes.length;
    const summaries = isWhole ? [summary] : [...earlier.summaries, `Some again: ${summary}`];
    const table = tableOf(outcomes, isWhole ? new Map() : earlier.cells);
    writeFileSync(PAGE, `${page.slice(0, before)}\n${summaries.join("\n\n")}\n\n${table}\n${page.slice(after)}`);
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

export interface Results {
  /** A line for each run. */
  readonly summaries: readonly string[];
  /** By workload and combination, "git 4.1 local": what stands there. */
  readonly cells: ReadonlyMap<string, string>;
}

/** What `onTestRunEnd` has written between the marks. */
export function parseResults(text: string): Results {
  const lines = text.split("\n").filter((line) => line !== "");
  const rows = lines
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const [head = [], , ...body] = rows;
  const cells = new Map<string, string>();
  for (const [workload = "", ...values] of body)
    for (const [index, value] of values.entries()) if (value !== "") cells.set(`${workload} ${head[index + 1]}`, value);
  return { summaries: lines.filter((line) => !line.startsWith("|")), cells };
}

/** A row for each workload, a column for each version with each file system: seconds, where it passed. What was not run stands as before. */
export function tableOf(outcomes: readonly Outcome[], before: ReadonlyMap<string, string>): string {
  const columns = everything.map(({ version, fileSystem }) => `${version} ${fileSystem}`);
  const cells = new Map(before);
  for (const { workload, combination, passed, seconds } of outcomes)
    cells.set(`${workload} ${combination}`, passed ? `${seconds.toFixed(1)} s` : "**failed**");
  const workloads = new Set([...cells.keys()].map((key) => key.split(" ").slice(0, -2).join(" ")));
  const rows = [...workloads].map((workload) => [
    workload,
    ...columns.map((combination) => cells.get(`${workload} ${combination}`) ?? ""),
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

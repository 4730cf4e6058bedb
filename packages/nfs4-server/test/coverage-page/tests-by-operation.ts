/** Which conformance tests show which operation: those whose title, or one around it, names it. */
import { readdirSync, readFileSync } from "node:fs";
import { OPERATIONS, type OperationName, STATUSES } from "@nfs4/protocol";
import ts from "typescript";

export interface ConformanceTest {
  /** In test/cases. */
  readonly file: string;
  /** The outermost first, its own last. */
  readonly titles: readonly string[];
  readonly body: string;
}

const CASES = new URL("../cases/", import.meta.url);
const STARTERS: ReadonlySet<string> = new Set(["describe", "it", "test"]);
/** In a title these may be statuses ("without permission: ACCESS"), so the test must send the operation, too. */
const STATUS_NAMES: ReadonlySet<string> = new Set(
  [...STATUSES.values()].map(({ name }) => name.replace(/^NFS4(ERR)?_/, "")),
);

export function testsByOperation(): ReadonlyMap<OperationName, readonly ConformanceTest[]> {
  const tests = readdirSync(CASES)
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .flatMap(testsOf);
  const names = (Object.keys(OPERATIONS) as OperationName[]).filter((name) => name !== "ILLEGAL");
  return new Map(names.map((name) => [name, showing(name, tests)]));
}

function showing(name: OperationName, tests: readonly ConformanceTest[]): readonly ConformanceTest[] {
  const word = new RegExp(`\\b${name}\\b`);
  const sends = new RegExp(`"${name}"|\\.${name.toLowerCase()}\\(`);
  return tests.filter(
    ({ body, titles }) => word.test(titles.join(" ")) && (!STATUS_NAMES.has(name) || sends.test(body)),
  );
}

function testsOf(file: string): ConformanceTest[] {
  const text = readFileSync(new URL(file, CASES), "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const tests: ConformanceTest[] = [];
  const visit = (node: ts.Node, titles: readonly string[]): void => {
    const started = ts.isCallExpression(node) ? startedBy(node) : null;
    if (started === null) {
      ts.forEachChild(node, (child) => visit(child, titles));
      return;
    }
    const inner = [...titles, started.title];
    if (started.groups) ts.forEachChild(node, (child) => visit(child, inner));
    else tests.push({ file, titles: inner, body: node.getText(source) });
  };
  visit(source, []);
  return tests;
}

/** What a call such as `it("title", …)` or `describe.each(table)("title", …)` starts; null if it starts nothing. */
function startedBy(call: ts.CallExpression): { readonly title: string; readonly groups: boolean } | null {
  const [title] = call.arguments;
  let callee: ts.Expression = call.expression;
  while (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) callee = callee.expression;
  if (!ts.isIdentifier(callee) || !STARTERS.has(callee.text) || !title || !ts.isStringLiteralLike(title)) return null;
  return { title: title.text, groups: callee.text === "describe" };
}

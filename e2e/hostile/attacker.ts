/**
 * A program without manners, on kernel sockets: it is told over its IPC channel which attack to make, and tells what was not as it should be.
 *
 *   {"attack": "forgedHandles", "target": {…}} → {"surprises": […], "notes": […]}
 */
import * as byNumbers from "./attacks-by-numbers.ts";
import * as onCalls from "./attacks-on-calls.ts";
import * as onCompounds from "./attacks-on-compounds.ts";
import * as onHandles from "./attacks-on-handles.ts";
import * as onRecords from "./attacks-on-records.ts";
import { type Attack, Report, type Target } from "./report.ts";

const attacks: Readonly<Record<string, Attack>> = {
  ...onRecords,
  ...onCalls,
  ...onCompounds,
  ...onHandles,
  ...byNumbers,
};

process.on("message", ({ attack, target }: { attack: string; target: Target }) => {
  const report = new Report();
  const made = attacks[attack]?.(target, report) ?? Promise.reject(new Error(`there is no attack ${attack}`));
  made
    .catch((error: unknown) => report.surprises.push(error instanceof Error ? String(error.stack) : String(error)))
    .then(() => process.send?.(report.result));
});

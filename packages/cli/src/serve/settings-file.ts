/** Reads a configuration file. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { jsonMistake } from "./json-mistake.ts";
import { checkForm, type Settings } from "./settings.ts";
import { messageOf, SettingsError } from "./settings-error.ts";

/** JSON, with paths relative to the file's own directory. Throws a `SettingsError` whose keys are the file's. */
export function readSettingsFile(file: string): Settings {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new SettingsError("config", `cannot read it: ${messageOf(error)}`);
  }
  return relativeTo(dirname(resolve(file)), checkForm(parseJson(text)));
}

function parseJson(text: string): unknown {
  const mistake = jsonMistake(text);
  if (!mistake) return JSON.parse(text);
  throw new SettingsError(null, `${place(text, mistake.position)}: not JSON: expected ${mistake.expected}`);
}

function place(text: string, position: number): string {
  const before = text.slice(0, position).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The same settings with every path made absolute. */
function relativeTo(base: string, settings: Settings): Settings {
  const absolute: Record<string, string> = {};
  for (const name of ["stateDirectory", "socket", "pcap", "odd"] as const) {
    const path = settings[name];
    if (path !== undefined) absolute[name] = resolve(base, path);
  }
  const exports = settings.exports?.map((one) =>
    one.directory === undefined ? one : { ...one, directory: resolve(base, one.directory) },
  );
  return { ...settings, ...absolute, ...(exports ? { exports } : {}) };
}

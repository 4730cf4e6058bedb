import { invalidType, invalidValue, outOfRange } from "./argument-errors.ts";
import type { Encoding } from "./data.ts";
import { type PathLike, parsePath } from "./path.ts";
import { asName } from "./readdir.ts";
import type { Tree } from "./tree.ts";
import { differences, type WatchEvent, WatchedPath } from "./watch-snapshot.ts";

export interface WatchOptions {
  /** Without effect: what keeps the process alive is the connection. */
  readonly persistent?: boolean;
  /** With what is in the directories below. */
  readonly recursive?: boolean;
  /** Of names. */
  readonly encoding?: Encoding | null | undefined;
  /** Ends it, with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** How often is looked, ms. Node has no such option. Default 1000. */
  readonly interval?: number;
}

/** As `fs.promises.watch`, by looking again and again: what comes and goes between two looks is not seen. Nobody looks while the caller does not ask for the next event. */
export async function* watch(
  tree: Tree,
  path: PathLike,
  options: WatchOptions = {},
): AsyncGenerator<WatchEvent, void, undefined> {
  const parsed = parsePath(path);
  const { recursive, encoding, signal, interval } = checked(options);
  const context = { syscall: "watch", path: parsed.text, signal };
  const watched = await WatchedPath.find(tree, parsed, recursive, context);
  for (let before = await watched.snapshot(); ; ) {
    await tree.mount.client.sleep(interval * 1000, signal);
    const after = await watched.snapshot();
    for (const { eventType, filename } of differences(before, after))
      yield { eventType, filename: asName(filename, encoding) as string };
    before = after;
  }
}

/** Throws as Node does. */
function checked(options: WatchOptions) {
  if (typeof options !== "object" || options === null) throw invalidType("options", "of type object", options);
  const { persistent = true, recursive = false, encoding = "utf8", signal, interval = 1000 } = options;
  if (typeof persistent !== "boolean") throw invalidType("options.persistent", "of type boolean", persistent);
  if (typeof recursive !== "boolean") throw invalidType("options.recursive", "of type boolean", recursive);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidType("options.signal", "an instance of AbortSignal", signal);
  if (encoding !== null && !Buffer.isEncoding(encoding))
    throw invalidValue("encoding", "is invalid encoding", encoding);
  if (typeof interval !== "number") throw invalidType("options.interval", "of type number", interval);
  if (!(interval > 0)) throw outOfRange("options.interval", "> 0", interval);
  return { recursive, encoding, signal, interval };
}

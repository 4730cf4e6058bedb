import { fileURLToPath } from "node:url";
import { decodeName } from "@nfs4/protocol";
import { invalidType, invalidValue } from "./argument-errors.ts";

/** As `fs.PathLike`: a string, its bytes, or a file: URL. */
export type PathLike = string | Uint8Array | URL;

/** Throws as Node does for what is no path (ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE). */
export function pathText(path: PathLike, argument = "path"): string {
  let text: string;
  if (typeof path === "string") text = path;
  else if (path instanceof URL) text = fileURLToPath(path);
  else if (path instanceof Uint8Array) text = decodeName(path);
  else throw invalidType(argument, "of type string or an instance of Buffer or URL", path);
  if (text.includes("\0"))
    throw invalidValue(argument, "must be a string, Uint8Array, or URL without null bytes", path);
  return text;
}

/** A path as its names from the export's root, ".." among them. A path without "/" in front begins at the root as well. */
export interface ParsedPath {
  readonly text: string;
  readonly names: readonly string[];
  /** It ends in "/", "." or "..", and so must be a directory, which is not a symbolic link either. */
  readonly mustBeDirectory: boolean;
}

export function parsePath(path: PathLike, argument = "path"): ParsedPath {
  const text = pathText(path, argument);
  const parts = text.split("/");
  const names = parts.filter((part) => part !== "" && part !== ".");
  const last = parts.at(-1) ?? "";
  return { text, names, mustBeDirectory: names.length > 0 && (last === "" || last === "." || last === "..") };
}

/** Names as the addon takes them. */
import type { Name } from "@nfs4/native";
import { encodeName } from "@nfs4/protocol";
import type { Result } from "../types.ts";

const SURROGATE = /[\ud800-\udfff]/;

export interface Component {
  /** As in the contract. */
  readonly text: string;
  /** For the addon: the same string where that is well-formed (it writes UTF-8 faster than we do), else bytes. */
  readonly name: Name;
}

/** One component of a path; never "." or "..", which would lead elsewhere. Slashes, NULs and empty names are refused by the addon (EINVAL). */
export function componentOf(text: string): Result<Component> {
  return text === "." || text === ".." ? "EINVAL" : bytesOf(text);
}

/** As `componentOf`, for the text of a symbolic link. */
export function bytesOf(text: string): Result<Component> {
  if (!SURROGATE.test(text)) return { text, name: text };
  try {
    return { text, name: encodeName(text) };
  } catch {
    return "EILSEQ";
  }
}

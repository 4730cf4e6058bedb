/** Where an export is: nfs://server[:port]/export/path (RFC 2224's form; options of ours behind "?"). */
export interface ExportAddress {
  readonly host: string;
  readonly port: number;
  /** Names of the path, none for the server's root. */
  readonly path: readonly string[];
  /** ?version=4.1 */
  readonly version: NfsVersion | null;
}

export type NfsVersion = "4.0" | "4.1" | "4.2";

export const NFS_PORT = 2049;
const VERSIONS: ReadonlySet<string> = new Set(["4.0", "4.1", "4.2"]);

/** Throws a TypeError, as `new URL` does, for what is no such URL. */
export function parseExportUrl(text: string): ExportAddress {
  const url = new URL(text);
  const wrong = (why: string): TypeError => new TypeError(`${text}: ${why}`);
  if (url.protocol !== "nfs:") throw wrong('an NFS URL begins with "nfs://"');
  if (url.hostname === "") throw wrong("names no server");
  if (url.username !== "" || url.password !== "" || url.hash !== "")
    throw wrong("an NFS URL has neither a user nor a fragment");
  let version: NfsVersion | null = null;
  for (const [key, value] of url.searchParams) {
    if (key !== "version") throw wrong(`there is no option "${key}"`);
    if (!VERSIONS.has(value)) throw wrong(`version ${value} is none of 4.0, 4.1 and 4.2`);
    version = value as NfsVersion;
  }
  const path = url.pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  if (path.some((name) => name === "." || name === ".." || name.includes("/") || name.includes("\0")))
    throw wrong("the path has a name that cannot be one");
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? NFS_PORT : Number(url.port),
    path,
    version,
  };
}

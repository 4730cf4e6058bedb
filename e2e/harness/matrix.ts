import { env } from "node:process";
import type { ServerTraits } from "../workloads/catalogue.ts";
import type { NfsVersion } from "./mount.ts";
import type { ServedFileSystem } from "./nfs4-server.ts";

/** What a workload can meet on our server. */
export interface Combination {
  readonly version: NfsVersion;
  readonly fileSystem: ServedFileSystem;
}

/** `npm run test:e2e:full`: everything with everything. `npm test` has minutes, and takes a cut in which each pair meets somewhere. */
export const isFullRun: boolean = env["NFS4_E2E"] === "full";

/** Every version with each file system. */
export const everything: readonly Combination[] = (["4.0", "4.1", "4.2"] as const).flatMap((version) =>
  (["local", "memory"] as const).map((fileSystem) => ({ version, fileSystem })),
);

/** Those of the cut (`"4.1 memory"`), or all of them in a full run. */
export function combinations(...cut: readonly `${NfsVersion} ${ServedFileSystem}`[]): readonly Combination[] {
  return everything.filter(({ version, fileSystem }) => isFullRun || cut.includes(`${version} ${fileSystem}`));
}

/** What our server can do over a version; both of its file systems can do all. */
export function traitsOf({ version }: Combination): ServerTraits {
  return { version, seek: version === "4.2", allocate: version === "4.2", linkTimes: true };
}

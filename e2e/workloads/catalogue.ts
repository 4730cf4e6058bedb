import type { NfsVersion } from "../harness/mount.ts";
import { attributes } from "./attributes.ts";
import { bigFile } from "./big-file.ts";
import { cBuild } from "./c-build.ts";
import type { WorkloadContext } from "./context.ts";
import { fileSizes } from "./file-sizes.ts";
import { fileSystemSpace } from "./file-system-space.ts";
import { fio } from "./fio.ts";
import { git } from "./git.ts";
import { holes } from "./holes.ts";
import { links } from "./links.ts";
import { locks } from "./locks.ts";
import { manyFiles } from "./many-files.ts";
import { mapping } from "./mapping.ts";
import { npmCi } from "./npm-ci.ts";
import { permissions } from "./permissions.ts";
import { randomOperations } from "./random-operations.ts";
import { renaming } from "./renaming.ts";
import { sharedFiles } from "./shared-files.ts";
import { sqlite } from "./sqlite.ts";
import { tar } from "./tar.ts";

/** What a server (with a version and a file system) can and cannot do, where workloads must know. */
export interface ServerTraits {
  readonly version: NfsVersion;
  /** SEEK finds real holes. */
  readonly seek: boolean;
  /** ALLOCATE and DEALLOCATE. */
  readonly allocate: boolean;
  /** The times of symbolic links can be set. */
  readonly linkTimes: boolean;
}

export interface CatalogueEntry {
  readonly name: string;
  /** How many guests it needs; two means `ctx.other` too. */
  readonly guests: 1 | 2;
  /** Seconds rather than moments. */
  readonly heavy: boolean;
  run(ctx: WorkloadContext, traits: ServerTraits): Promise<string>;
}

/** Every workload that runs against any server, with its defaults. libnfs is not here: it runs on the host. */
export const catalogue: readonly CatalogueEntry[] = [
  { name: "mapping", guests: 1, heavy: false, run: (ctx) => mapping(ctx) },
  { name: "file sizes", guests: 1, heavy: false, run: (ctx) => fileSizes(ctx) },
  {
    name: "holes",
    guests: 1,
    heavy: false,
    run: (ctx, { seek, allocate }) => holes(ctx, { seek: seek ? "exact" : "trivial", allocate }),
  },
  { name: "renaming", guests: 1, heavy: false, run: (ctx) => renaming(ctx) },
  { name: "links", guests: 1, heavy: false, run: (ctx) => links(ctx) },
  { name: "attributes", guests: 1, heavy: false, run: (ctx, { linkTimes }) => attributes(ctx, { linkTimes }) },
  { name: "permissions", guests: 1, heavy: false, run: (ctx) => permissions(ctx) },
  { name: "file system space", guests: 1, heavy: false, run: (ctx) => fileSystemSpace(ctx) },
  { name: "shared files", guests: 2, heavy: false, run: (ctx) => sharedFiles(ctx) },
  { name: "locks", guests: 2, heavy: false, run: (ctx) => locks(ctx) },
  { name: "big file", guests: 1, heavy: true, run: (ctx) => bigFile(ctx) },
  { name: "many files", guests: 1, heavy: true, run: (ctx) => manyFiles(ctx) },
  { name: "git", guests: 1, heavy: true, run: (ctx) => git(ctx) },
  { name: "sqlite", guests: 1, heavy: true, run: (ctx) => sqlite(ctx) },
  { name: "tar", guests: 1, heavy: true, run: (ctx, { linkTimes }) => tar(ctx, { linkTimes }) },
  { name: "npm ci", guests: 1, heavy: true, run: (ctx) => npmCi(ctx) },
  { name: "C build", guests: 1, heavy: true, run: (ctx) => cBuild(ctx) },
  { name: "fio", guests: 1, heavy: true, run: (ctx) => fio(ctx) },
  { name: "random operations", guests: 1, heavy: true, run: (ctx) => randomOperations(ctx) },
];

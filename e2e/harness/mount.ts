import type { Guest } from "./guest.ts";

export type NfsVersion = "4.0" | "4.1" | "4.2";

export interface MountOptions {
  readonly version: NfsVersion;
  /** The server's port; 2049 by default. */
  readonly port?: number;
  /** More mount options, comma-separated: `ro`, `noac`, `nconnect=2`… */
  readonly options?: string;
  /** Where in the guest; default /mnt/nfs. */
  readonly path?: string;
}

/** An export mounted in a guest. */
export interface Mount {
  readonly guest: Guest;
  readonly path: string;
  readonly version: NfsVersion;
  /** Fails, and says who is in the way, if the mount is busy. */
  unmount(): Promise<void>;
}

/** Mounts `source` (`address:/path`), and checks that the version is the one asked for. */
export async function mountExport(guest: Guest, source: string, options: MountOptions): Promise<Mount> {
  const { version, port = 2049, path = "/mnt/nfs" } = options;
  const extra = [`port=${port}`, options.options].filter(Boolean).join();
  await guest.must(
    `nfs_mount '${source}' '${path}' ${version} '${extra}' || fail "mount of ${source}"
    grep -q ' ${path} nfs4 .*vers=${version},' /proc/mounts || fail "mounted, but not with ${version}: $(grep nfs4 /proc/mounts)"`,
    { timeoutMs: 30_000 },
  );
  return {
    guest,
    path,
    version,
    async unmount() {
      await guest.must(`nfs_unmount '${path}'`, { timeoutMs: 30_000 });
    },
  };
}

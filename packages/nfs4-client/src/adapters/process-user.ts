/** Who this process is; nobody where the system has no such numbers. */
export function processUser(): { readonly uid: number; readonly gid: number; readonly groups: readonly number[] } {
  const uid = process.getuid?.() ?? 65_534;
  const gid = process.getgid?.() ?? 65_534;
  return { uid, gid, groups: (process.getgroups?.() ?? []).filter((group) => group !== gid) };
}

/** The permission bits that this process's new files do not get. */
export function processUmask(): number {
  return process.umask();
}

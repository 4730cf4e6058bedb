/**
 * An empty directory as the root of a Linux system: this machine's /usr and /etc are there, read-only, and nothing else of it. What is mounted is mounted in a
 * namespace of each command's own, so nothing of it stays.
 */
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const SETUP = `
root=$1; cache=$2; shift 2
for directory in usr etc; do
  mount --bind /$directory "$root/$directory"
  mount -o remount,bind,ro "$root/$directory"
done
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --bind "$cache" "$root/npm-cache"
exec chroot "$root" "$@"
`;

/** Makes the directories that `inRoot` mounts on. */
export function makeRoot(path: string): void {
  for (const name of ["usr", "etc", "dev", "proc", "tmp", "root", "var", "npm-cache"])
    mkdirSync(join(path, name), { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(path, name));
}

/** The words that run a command in there: put them before it. `cache` is npm's, so that not everything is downloaded again. */
export function inRoot(path: string, cache: string): readonly string[] {
  const clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME=/root"];
  const npm = ["npm_config_cache=/npm-cache", "npm_config_prefer_offline=true", "npm_config_update_notifier=false"];
  const shell = ["unshare", "--mount", "--propagation", "private", "sh", "-eu", "-c", SETUP, "sh", path, cache];
  return [...clean, ...npm, ...shell];
}

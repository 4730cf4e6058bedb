// The Debian packages that the e2e need: `node e2e/setup/packages.mjs` installs what is missing (as root, on Debian), or says
// plainly what is. Plain Node without dependencies, because it runs before anything else is set up.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** Every package, with what it is for. */
export const packages = {
  "user-mode-linux": "the guest: a real Linux kernel as a process",
  "busybox-static": "the guest's first program",
  "nfs-common": "mount.nfs4 in the guest",
  iproute2: "network namespaces, bridges, taps",
  nftables: "what the container's entrypoint translates ports with",
  "util-linux": "setpriv and unshare, so that nothing outlives a run",
  curl: "the admin interface, from inside a namespace",
  tcpdump: "captures of servers that cannot write their own",
  tshark: "a second opinion on every captured packet",
  "nfs-ganesha": "the peer server",
  "nfs-ganesha-vfs": "its local file system",
  "libnfs-utils": "a second client",
  bird2: "a BGP speaker that signs its segments",
  python3: "workloads that need system calls; sockets with options that Node lacks",
  fio: "workload",
  git: "workload",
  sqlite3: "workload",
  gcc: "workload",
  "libc6-dev": "workload",
  make: "workload",
};

/**
 * The packages that dpkg does not know as installed.
 * @param {string[]} names
 */
export function missingPackages(names = Object.keys(packages)) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own syntax
  const format = "${Package} ${db:Status-Status}\\n";
  const query = spawnSync("dpkg-query", ["-W", "-f", format, ...names], {
    encoding: "utf8",
  });
  if (query.error) return names;
  const installed = new Set(
    query.stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/**
 * Why the e2e cannot run on this machine whatever is installed, or undefined where they must run.
 * @returns {string | undefined}
 */
export function whyNoE2e() {
  if (process.platform !== "linux") return `they need Linux, this is ${process.platform}`;
  if (process.arch !== "x64") return `user-mode Linux needs an x86-64 machine, this is ${process.arch}`;
  if (process.getuid?.() !== 0) return "they need root (network namespaces, tap devices)";
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    return "they need /dev/net/tun";
  }
  return undefined;
}

/**
 * Installs what is missing. Throws with the full list where it cannot.
 * @param {string[]} [names] default: every package
 */
export function ensurePackages(names) {
  const missing = missingPackages(names);
  if (missing.length === 0) return;
  const wanted = missing.map((name) => `  ${name}: ${packages[name]}`).join("\n");
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    throw new Error(`the e2e need these Debian packages, and only root on Debian can install them here:\n${wanted}`);
  }
  console.log(`installing for the e2e:\n${wanted}`);
  withoutStartingServices(() => {
    const first = aptGet(["install", "-y", "--no-install-recommends", ...missing]);
    if (first === 0) return;
    // Most often the package lists are absent or old.
    aptGet(["update", "-q"]);
    aptGet(["install", "-y", "--no-install-recommends", ...missing]);
  });
  const still = missingPackages(names);
  if (still.length > 0) throw new Error(`apt-get could not install ${still.join(", ")}; see its output above`);
}

/** @param {string[]} args @returns {number | null} apt-get's exit status */
function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", ["-q", ...args], { stdio: ["ignore", "inherit", "inherit"], env, timeout: 600_000 })
    .status;
}

/**
 * Debian's packages start their daemons when installed unless /usr/sbin/policy-rc.d forbids it (101). A policy that is already there is the
 * administrator's, and stays.
 * @param {() => void} install
 */
function withoutStartingServices(install) {
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    install();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    ensurePackages();
    const reason = whyNoE2e();
    console.log(
      reason ? `every package is here, but the e2e cannot run: ${reason}` : "every package that the e2e need is here",
    );
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { must } from "../harness/command.ts";
import { startLocalRegistry } from "../harness/npm-registry.ts";
import { createScratchDirectory } from "../harness/scratch.ts";
import { inFreshDirectory, type WorkloadContext } from "./context.ts";

/** What the project of the test depends on: of this repository's own tools, a few that have many small dependencies. */
const dependencies = ["node-gyp", "fast-check"];
const flags =
  "--no-audit --no-fund --ignore-scripts --no-update-notifier --loglevel=error --userconfig=/dev/null --omit-lockfile-registry-resolved=false";

/**
 * `npm ci --offline` in a project on the mount, from a cache that the host has made. The result is compared with an installation on the host, and
 * one of the installed programs is run.
 */
export async function npmCi(ctx: WorkloadContext): Promise<string> {
  const scratch = createScratchDirectory("npm");
  const host = scratch.path;
  try {
    const packages = await installOnHost(host);
    const shared = await ctx.guest.share(host);
    return await inFreshDirectory(ctx, "npm-ci", async (directory) => {
      await ctx.guest.must(
        `cp ${shared}/project/package.json ${shared}/project/package-lock.json ${shared}/project/.npmrc '${directory}'
        cd '${directory}'
        export PATH='${dirname(process.execPath)}':$PATH HOME=/tmp
        npm ci --offline --cache ${shared}/cache ${flags} || fail "npm ci"
        drop_caches
        diff -r --no-dereference --exclude=.package-lock.json ${shared}/project/node_modules node_modules || fail "not what the host has installed"
        npm ls --all --offline > /dev/null || fail "npm ls: $(npm ls --all)"
        ./node_modules/.bin/semver 1.2.3 -i minor | grep -qx 1.3.0 || fail "an installed program"
        npm ci --offline --cache ${shared}/cache ${flags} || fail "npm ci over what is there"
        umount ${shared}`,
        { timeoutMs: 240_000 },
      );
      return `${packages} packages`;
    });
  } finally {
    scratch.remove();
  }
}

/** Makes project/, installed, and cache/. Gives the number of packages. */
async function installOnHost(directory: string): Promise<number> {
  const registry = await startLocalRegistry(dependencies);
  try {
    const project = join(directory, "project");
    await mkdir(project);
    const wanted = Object.fromEntries(dependencies.map((name) => [name, "*"]));
    await writeFile(
      join(project, "package.json"),
      JSON.stringify({ name: "project", version: "1.0.0", dependencies: wanted }),
    );
    await writeFile(join(project, ".npmrc"), `registry=${registry.url}/\n`);
    const argv = ["npm", "install", "--cache", join(directory, "cache"), ...flags.split(" ")];
    await must(argv, { cwd: project, timeoutMs: 120_000, env: withoutNpmSettings() });
    return registry.packages.length;
  } finally {
    await registry.close();
  }
}

/** Whoever runs the tests may have settings of npm in the environment, as npm's own scripts do. */
function withoutNpmSettings(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => /^npm_/i.test(name));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { runCommand } from "./command.ts";

/** An npm registry on the loopback interface that serves what this repository has installed: so tests of npm need no network. */
export interface LocalRegistry {
  readonly url: string;
  /** `name@version` of everything it has. */
  readonly packages: readonly string[];
  close(): Promise<void>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Packed {
  readonly manifest: Manifest;
  readonly archive: Uint8Array;
}

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Serves `roots` and all that they depend on. */
export async function startLocalRegistry(roots: readonly string[]): Promise<LocalRegistry> {
  const packed = new Map<string, Packed>();
  for (const directory of await closure(roots)) {
    const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as Manifest;
    packed.set(`${manifest.name}@${manifest.version}`, { manifest, archive: await pack(directory) });
  }
  let url = "";
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "").split("?")[0] ?? "").slice(1);
    // npm keeps in its cache what a registry lets it keep.
    response.setHeader("cache-control", "public, max-age=3600");
    const archive = packed.get(path.replace(/^-\//, "").replace(/\.tgz$/, ""));
    if (path.startsWith("-/") && archive) {
      response.end(archive.archive);
      return;
    }
    const versions = [...packed.values()].filter(({ manifest }) => manifest.name === path);
    if (versions.length === 0) {
      response.writeHead(404).end("{}");
      return;
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(packument(path, versions, url)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    packages: [...packed.keys()].sort(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What a registry says of a package: its versions' manifests, each with where its archive is and what it must hash to. */
function packument(name: string, versions: readonly Packed[], url: string): object {
  const entries = versions.map(({ manifest, archive }) => {
    const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
    const tarball = `${url}/-/${name}@${manifest.version}.tgz`;
    return [manifest.version, { ...manifest, dist: { tarball, integrity } }] as const;
  });
  const latest = versions.at(-1)?.manifest.version;
  return { name, "dist-tags": { latest }, versions: Object.fromEntries(entries) };
}

/** The directories of packages and their dependencies, as Node would find them. */
async function closure(roots: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const pending = roots.map((name) => ({ name, from: repository }));
  for (let next = pending.pop(); next; next = pending.pop()) {
    const directory = locate(next.name, next.from);
    if (found.has(directory)) continue;
    found.add(directory);
    const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as Manifest;
    for (const name of Object.keys(manifest.dependencies ?? {})) pending.push({ name, from: directory });
  }
  return [...found];
}

function locate(name: string, from: string): string {
  for (let directory = from; ; directory = dirname(directory)) {
    const candidate = join(directory, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (directory === dirname(directory)) throw new Error(`${name} is not installed; run npm install first`);
  }
}

/** A package archive, as npm packs it: everything below `package/`. */
async function pack(directory: string): Promise<Uint8Array> {
  const argv = ["tar", "-cf", "-", "--exclude=./node_modules", "--transform=s,^\\.,package,", "-C", directory, "."];
  const { code, stdoutBytes, stderr } = await runCommand(argv);
  if (code !== 0) throw new Error(`tar ${directory}: ${stderr}`);
  return await promisify(gzip)(stdoutBytes);
}

#!/usr/bin/env node
/** `npm start`: sets up what is missing and serves. What follows `--` goes to `nfs4 serve`. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildAddon, installPackages } from "./setup.mjs";

installPackages();
buildAddon();
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cli = join(root, "packages", "cli", "src", "bin.ts");
const child = spawn(
  process.execPath,
  ["--conditions=source", "--import", "tsx", cli, "serve", ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
  },
);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? "SIGTERM"]));

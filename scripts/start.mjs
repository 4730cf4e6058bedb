#!/usr/bin/env node
/**
 * `npm start`: sets up what is missing, compiles what has changed, and serves, all in this process. What follows `--` goes to `nfs4 serve`; relative
 * paths are relative to where npm was called.
 */
import { buildAddon, buildPackages, installPackages } from "./setup.mjs";

installPackages();
buildAddon();
buildPackages();

process.chdir(process.env.INIT_CWD ?? process.cwd());
process.argv.splice(2, 0, "serve");
await import("../packages/cli/dist/bin.js");

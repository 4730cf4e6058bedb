/** Runs abandon.ts as a worker of its own, as vitest runs its test files; clean-up.test.ts kills this one, and must find nothing left of the other. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

fork(fileURLToPath(new URL("./abandon.ts", import.meta.url)), { execArgv: ["--import", "tsx"], stdio: "inherit" });

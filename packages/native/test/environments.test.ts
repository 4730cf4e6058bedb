import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { nativeAvailable } from "../src/index.ts";

const available = nativeAvailable();
if (!available.ok) console.warn(`Threads and exits are not tested: ${available.reason}`);

const binary = fileURLToPath(new URL("../build/Release/nfs4_native.node", import.meta.url));

// Plain JavaScript on the bare addon: files, watchers and ports are left open with work under way, then the environment ends.
const program = `
  const native = require(${JSON.stringify(binary)});
  const words = new Int32Array(2048), names = new Uint8Array(8192), records = new Int32Array(8192);
  const engine = new native.FileEngine(4, 2, () => {}, words, names, records, new Int32Array(64));
  const statfs = native.fileOperations().indexOf("statfs");
  const syncfs = native.fileOperations().indexOf("syncfs");
  words[0] = 0; words[12] = -1; words[13] = -1;
  const [a, b] = native.socketPair(false);
  const watcher = new native.Watcher(a, () => {});
  watcher.arm(1);
  const port = new native.PacketPort(b, 1, 2, 2000, new Uint8Array(1 << 16), new Int32Array(16), new Uint8Array(64), new Int32Array(64), new Float64Array(8));
  for (let slot = 0; slot < 500; slot++) engine.submit(slot % 100 === 0 ? syncfs : statfs, slot);
`;

describe.runIf(available.ok)("environments", () => {
  it("worker threads end with work under way, again and again, beside this one", async () => {
    const ends = Array.from({ length: 8 }, async (_, i) => {
      const code = `${program} require("node:worker_threads").parentPort.postMessage("ready"); ${i % 2 ? "process.exit(7)" : ""}`;
      const worker = new Worker(code, { eval: true });
      const exited = new Promise<number>((resolve, reject) => {
        worker.on("exit", resolve);
        worker.on("error", reject);
      });
      if (i % 2 === 0) {
        await new Promise((resolve) => worker.once("message", resolve));
        await worker.terminate();
      }
      return exited;
    });
    expect(await Promise.all(ends)).toEqual([1, 7, 1, 7, 1, 7, 1, 7]);
  });

  it("a process exits with work under way", () => {
    const child = spawnSync(process.execPath, ["-e", `${program} process.exit(5)`], {
      encoding: "utf8",
      timeout: 30_000,
    });
    expect([child.status, child.signal, child.stderr]).toEqual([5, null, ""]);
  });

  it("nothing that is idle keeps a process alive", () => {
    const idle = `${program} watcher.close(); port.close(); native.closeFd(a);`;
    const child = spawnSync(process.execPath, ["-e", idle], { encoding: "utf8", timeout: 30_000 });
    expect([child.status, child.signal, child.stderr]).toEqual([0, null, ""]);
  });

  it.runIf(process.getuid?.() === 0)("a process without privilege is refused another identity, and goes on", () => {
    const refused = `process.setgroups([]); process.setgid(65534); process.setuid(65534);
      ${program} watcher.close(); port.close(); native.closeFd(a);
      const statx = native.fileOperations().indexOf("statx"), answers = [];
      const record = new Int32Array(64);
      const calls = new native.FileEngine(1, 1, () => {}, words, names, records, record);
      for (const [uid, gid, groups] of [[65534, 65534, []], [0, 65534, []], [65534, 0, []], [65534, 65534, [0]], [65534, 65534, []]]) {
        words.set([1, uid, gid, groups.length, ...groups], 14);
        calls.perform(statx);
        answers.push(record[1]);
      }
      console.log(JSON.stringify(answers));`;
    const child = spawnSync(process.execPath, ["-e", refused], { encoding: "utf8", timeout: 30_000 });
    expect([child.stdout, child.status, child.stderr]).toEqual(["[0,-1,-1,-1,0]\n", 0, ""]);
  });

  it("without the addon the package still loads, and says what to do", () => {
    const directory = mkdtempSync(join(tmpdir(), "nfs4-native-absent-"));
    try {
      const source = fileURLToPath(new URL("../src", import.meta.url));
      spawnSync("cp", ["-r", source, directory]);
      writeFileSync(join(directory, "package.json"), `{ "type": "module" }`);
      writeFileSync(
        join(directory, "main.ts"),
        `import * as native from "./src/index.ts";
         const { ok, reason } = native.nativeAvailable();
         try { native.rdtsc(); } catch (error) { console.log(ok, reason === error.message, reason); }`,
      );
      const tsx = createRequire(import.meta.url).resolve("tsx/cli");
      const child = spawnSync(process.execPath, [tsx, "main.ts"], { cwd: directory, encoding: "utf8" });
      expect(child.stdout).toMatch(/^false true .*npm run build -w packages\/native\n$/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

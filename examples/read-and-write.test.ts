import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { startLoopbackServer } from "../packages/nfs4-client/test/loopback.ts";

const program = fileURLToPath(new URL("read-and-write.ts", import.meta.url));

it("read-and-write.ts is the README's example", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  expect(readme).toContain(`\`\`\`ts\n${readFileSync(program, "utf8")}\`\`\``);
});

it("read-and-write.ts works on an export, and ends", async () => {
  await using server = await startLoopbackServer();
  const words = ["--import", "tsx", "--conditions", "source", program, server.url];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  expect(stdout).toBe("today.txt 30 bytes\nWent to the pond.\nSaw a frog.\n");
});

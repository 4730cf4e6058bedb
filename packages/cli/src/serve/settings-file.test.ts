import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { SettingsError } from "./settings-error.ts";
import { readSettingsFile } from "./settings-file.ts";

const directory = mkdtempSync(join(tmpdir(), "nfs4-settings-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, "nfs4.json");
  writeFileSync(path, text);
  return path;
}

function refusal(path: string): { key: string | null; message: string } {
  try {
    readSettingsFile(path);
  } catch (error) {
    if (error instanceof SettingsError) return { key: error.key, message: error.message };
  }
  throw new Error("it was not refused");
}

describe("a configuration file", () => {
  it("has paths relative to itself", () => {
    const text = JSON.stringify({
      exports: [{ directory: "data" }, { directory: "/srv" }, { memory: true }],
      stateDirectory: "state",
      pcap: "../out.pcapng",
      odd: "../odd",
    });
    expect(readSettingsFile(file(text))).toEqual({
      exports: [{ directory: join(directory, "data") }, { directory: "/srv" }, { memory: true }],
      stateDirectory: join(directory, "state"),
      pcap: join(directory, "..", "out.pcapng"),
      odd: join(directory, "..", "odd"),
    });
  });

  it.each([
    ['{\n  "port": 2049,\n  "mtu": 9000,\n}', "line 4, column 1"],
    ['{ "port" 2049 }', "line 1, column 10"],
    ["", "line 1, column 1"],
    ['{\n  "port": 2049', "line 2, column 15"],
    ["port = 2049", "line 1, column 1"],
    ['{"exports": [{"directory": "/srv"}]] }', "line 1, column 36"],
  ])("that is not JSON: says where (%j)", (text, where) => {
    const { key, message } = refusal(file(text));
    expect(key).toBeNull();
    expect(message).toContain(`${where}: not JSON: `);
    expect(message).not.toContain("\n");
  });

  it("that cannot be read: says why", () => {
    expect(refusal(join(directory, "missing.json"))).toEqual({
      key: "config",
      message: expect.stringContaining("ENOENT"),
    });
    mkdirSync(join(directory, "sub"));
    expect(refusal(join(directory, "sub")).message).toContain("EISDIR");
  });

  it("with a wrong setting: names it", () => {
    expect(refusal(file('{"exports": [{"directory": "/srv", "clients": ["everybody"]}]}')).key).toBe(
      "exports.0.clients.0",
    );
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Flags, nameOfSetting, settingsFrom } from "./flags.ts";
import { SettingsError } from "./settings-error.ts";

const directory = mkdtempSync(join(tmpdir(), "nfs4-flags-"));
afterAll(() => rmSync(directory, { recursive: true }));
const config = join(directory, "nfs4.json");
writeFileSync(
  config,
  JSON.stringify({
    exports: [
      { directory: "/srv", path: "/data" },
      { memory: true, squash: "all" },
    ],
    transport: "tap",
    port: 3049,
    leaseSeconds: 30,
  }),
);

/** As people read it. */
function refusal(directories: string[], flags: Flags): string {
  try {
    settingsFrom(directories, flags);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return `${nameOfSetting(error.key, { directories, flags })}: ${error.message}`;
  }
  return "accepted";
}

describe("flags", () => {
  it("say nothing if there are none", () => {
    expect(settingsFrom([], {})).toEqual({});
    expect(settingsFrom([], { admin: true })).toEqual({});
  });

  it("become settings", () => {
    const flags = { umlSocket: "/s", port: 2050, lease: 20, admin: false, clients: "10.0.0.0/8, fd00::1" } as const;
    expect(settingsFrom(["a", "b"], flags)).toEqual({
      transport: "uml",
      socket: "/s",
      port: 2050,
      leaseSeconds: 20,
      admin: false,
      exports: [
        { directory: "a", clients: ["10.0.0.0/8", "fd00::1"] },
        { directory: "b", clients: ["10.0.0.0/8", "fd00::1"] },
      ],
    });
  });

  it("about exports hold for every one, also for the default", () => {
    expect(settingsFrom([], { readOnly: true }).exports).toEqual([{ directory: ".", readOnly: true }]);
    expect(settingsFrom([], { config, squash: "none" }).exports).toEqual([
      { directory: "/srv", path: "/data", squash: "none" },
      { memory: true, squash: "none" },
    ]);
  });

  it("win over the file, one by one", () => {
    expect(settingsFrom([], { config, port: 4049 })).toMatchObject({ transport: "tap", port: 4049, leaseSeconds: 30 });
    expect(settingsFrom(["/other"], { config }).exports).toEqual([{ directory: "/other" }]);
    expect(settingsFrom([], { config, memory: true }).exports).toEqual([{ memory: true }]);
    expect(settingsFrom([], { config, host: "127.0.0.2" })).toMatchObject({ transport: "host", address: "127.0.0.2" });
  });
});

describe("mistakes are named after where they were made", () => {
  it("flags", () => {
    expect(refusal([], { port: 70_000 })).toMatch(/^--port: .*<=65535/);
    expect(refusal([], { mtu: 5 })).toMatch(/^--mtu: .*>=1280/);
    expect(refusal([], { lease: 0 })).toMatch(/^--lease: /);
    expect(refusal([], { stateDir: "" })).toMatch(/^--state-dir: /);
    expect(refusal([], { clients: "10.0.0.0/8,me" })).toMatch(/^--clients: is neither an address/);
    expect(refusal([], { admin: "nowhere" })).toMatch(/^--admin: must be address:port/);
    expect(refusal(["a"], { memory: true })).toMatch(/--memory: give directories or --memory, not both/);
    expect(refusal([], { host: "/srv" })).toMatch(/^--host: "\/srv" is no address/);
    expect(refusal([], { host: ".", config })).toMatch(/^--host: /);
    expect(refusal([], { umlSocket: "" })).toMatch(/^--uml-socket: /);
  });

  it("the file, unless a flag has taken the setting's place", () => {
    const name = (key: string | null, flags: Flags, directories: string[] = []) =>
      nameOfSetting(key, { directories, flags });
    expect(name("port", { config })).toBe(`${config}: port`);
    expect(name("port", { config, port: 1 })).toBe("--port");
    expect(name("transport", { config })).toBe(`${config}: transport`);
    expect(name("transport", { config, tun: true })).toBe("--tun");
    expect(name("exports.1.directory", { config })).toBe(`${config}: exports.1.directory`);
    expect(name("exports.0.directory", { config }, ["/a"])).toBeNull();
    expect(name("exports.0.clients.0", { config, clients: "x" })).toBe("--clients");
    expect(name(null, { config })).toBe(config);
    expect(name("config", { config })).toBe(`--config ${config}`);
    expect(name(null, {})).toBeNull();
    expect(name("transport", {})).toBeNull();
    expect(name("address", {})).toBe("--address");
  });
});

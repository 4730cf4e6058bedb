import { MemoryFileSystem } from "@nfs4/server";
import { describe, expect, it } from "vitest";
import { announcement, type Facts, mountLine } from "./announcement.ts";

const fileSystem = new MemoryFileSystem({ now: () => ({ seconds: 0, nanoseconds: 0 }) });
const facts: Facts = {
  exports: [{ path: "/", fileSystem, source: "/srv", notes: [], clients: ["10.78.0.0/24"] }],
  transport: { address: "10.78.0.2", port: 2049, description: ["our stack on TUN device nfs4-0"] },
  chosenByDefault: true,
  inGrace: false,
  damagedJournalLines: 0,
  statePath: "/var/lib/nfs4/server-1",
  adminUrl: "http://127.0.0.1:9049",
};

describe("what a server says when it has started", () => {
  it("ends with what to type on a client", () => {
    expect(announcement(facts)).toEqual([
      "serving the current directory, because none was named:",
      "  / is /srv (writable; root squashed; for 10.78.0.0/24)",
      "through our stack on TUN device nfs4-0, at 10.78.0.2 port 2049",
      "state in /var/lib/nfs4/server-1",
      "admin at http://127.0.0.1:9049",
      "mount with: mount -t nfs4 -o vers=4.2 10.78.0.2:/ /mnt",
    ]);
  });

  it("has each note once, what the link needs, and whether it is in grace", () => {
    const one = { fileSystem, source: "memory", notes: ["it is lost"], squash: "all", readOnly: true } as const;
    const lines = announcement({
      ...facts,
      exports: [
        { ...one, path: "/a" },
        { ...one, path: "/b" },
      ],
      transport: { ...facts.transport, description: ["our stack on socket /s", "start guests with it"] },
      chosenByDefault: false,
      inGrace: true,
      damagedJournalLines: 2,
      adminUrl: null,
    });
    expect(lines).toEqual([
      "serving:",
      "  /a is memory (read-only; everybody squashed; for everybody)",
      "  /b is memory (read-only; everybody squashed; for everybody)",
      "  (it is lost)",
      "through our stack on socket /s, at 10.78.0.2 port 2049",
      "  start guests with it",
      "state in /var/lib/nfs4/server-1",
      expect.stringMatching(/recovery\.journal is damaged \(unreadable lines: 2\)/),
      expect.stringMatching(/^in grace: /),
      "mount with: mount -t nfs4 -o vers=4.2 10.78.0.2:/ /mnt",
    ]);
  });

  it("knows how mount wants ports and IPv6 addresses", () => {
    expect(mountLine({ address: "fd00::2", port: 2050 }, "/data")).toBe(
      "mount -t nfs4 -o vers=4.2,port=2050 [fd00::2]:/data /mnt",
    );
  });
});

import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { nfsstat4 } from "./generated/status.ts";
import { STATUSES, statusErrno, statusName, statusText } from "./status.ts";

describe("the table of statuses", () => {
  it("has every status of the enum, with a text of its own", () => {
    expect(Object.fromEntries([...STATUSES.values()].map(({ name, number }) => [name, number]))).toEqual(nfsstat4);
    const texts = [...STATUSES.values()].map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) expect(text).toMatch(/^[^.]+[^.\s]$/);
  });

  it("knows the minor version that brought each (RFC 7530 §13.1, RFC 8881 §15.1, RFC 7862 §11.1, RFC 8276 §8.3)", () => {
    for (const { number, since } of STATUSES.values())
      expect(since).toBe(number <= 10048 ? 0 : number <= 10087 ? 1 : 2);
  });

  it("maps to errors that exist, those below 10000 to the error of their name", () => {
    const known = Object.keys(constants.errno);
    for (const { number, name, errno } of STATUSES.values()) {
      // libuv's list lacks what Linux has.
      if (errno !== null && errno !== "EPROTONOSUPPORT") expect([...known, "ENOLCK", "EDEADLK"]).toContain(errno);
      if (number > 0 && number < 10000)
        expect(errno).toBe(name === "NFS4ERR_ACCESS" ? "EACCES" : name.replace("NFS4ERR_", "E"));
    }
  });

  it("answers for unknown numbers, too", () => {
    expect(statusName(2)).toBe("NFS4ERR_NOENT");
    expect(statusText(2)).toBe("no such file or directory");
    expect(statusErrno(2)).toBe("ENOENT");
    expect(statusErrno(0)).toBeNull();
    expect(statusErrno(nfsstat4.NFS4ERR_SERVERFAULT)).toBe("EIO");
    expect([statusName(4711), statusText(4711), statusErrno(4711)]).toEqual(["NFS4ERR_4711", "unknown status", "EIO"]);
  });
});

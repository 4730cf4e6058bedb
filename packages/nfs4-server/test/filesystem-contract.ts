/** What every `FileSystem` that can do everything must do: run against each implementation (`filesystem-*.test.ts`). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isErrno } from "../src/filesystem/errno.ts";
import {
  type AttributeChanges,
  type Attributes,
  type Awaitable,
  type CallContext,
  type ChangeInfo,
  type Created,
  type CreateRequest,
  type DirectoryEntry,
  type FileSystem,
  MAY_EXECUTE,
  MAY_READ,
  MAY_WRITE,
  OPEN_READ,
  OPEN_WRITE,
  type OpenAccess,
  type Result,
} from "../src/filesystem/types.ts";

/** Every member is there. */
export type WholeFileSystem = Required<FileSystem>;

export interface Subject {
  readonly fileSystem: FileSystem;
  /** Change attributes grow with every change, holes are told from data, … and a restart keeps keys. */
  readonly restart?: () => Promise<FileSystem>;
  readonly end: () => Promise<void>;
}

export interface Abilities {
  /** Callers other than the process's own user. */
  readonly identities: boolean;
  readonly devices: boolean;
  /** Fifos and sockets, holes, times to the nanosecond, and to say that nobody else came between. Default true. */
  readonly everything?: boolean;
}

const signal = new AbortController().signal;
export const root: CallContext = { uid: 0, gid: 0, groups: [], signal };
export const alice: CallContext = { uid: 1001, gid: 2001, groups: [3000], signal };
export const bob: CallContext = { uid: 1002, gid: 2002, groups: [3000], signal };
export const carol: CallContext = { uid: 1003, gid: 2003, groups: [], signal };

/** The answer of a call that must succeed. */
export async function ok<T>(answer: Awaitable<Result<T>>): Promise<T> {
  const result = await answer;
  if (isErrno(result)) throw new Error(`unexpected ${result}`);
  return result;
}

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const text = (from: Uint8Array): string => Buffer.from(from).toString();

/** Shorthand for what tests do all the time, as one caller. */
export class Driver {
  readonly fs: WholeFileSystem;
  readonly as: CallContext;

  constructor(fileSystem: FileSystem, as: CallContext) {
    this.fs = fileSystem as WholeFileSystem;
    this.as = as;
  }

  /** The same, as somebody else. */
  of(as: CallContext): Driver {
    return new Driver(this.fs, as);
  }

  make(directory: object, name: string, request: CreateRequest): Promise<Created<object, unknown>> {
    return ok(this.fs.create(directory, name, request, this.as));
  }

  async directory(parent: object, name: string, attributes: AttributeChanges = { mode: 0o755 }): Promise<object> {
    return (await this.make(parent, name, { type: "directory", attributes })).node;
  }

  async file(directory: object, name: string, content = "", attributes: AttributeChanges = { mode: 0o644 }) {
    const { node, file } = await this.make(directory, name, { type: "file", attributes, open: 3 });
    if (content.length > 0) await this.write(file, 0, content);
    await this.fs.close(file);
    return node;
  }

  open(node: object, access: OpenAccess): Promise<unknown> {
    return ok(this.fs.open(node, access, this.as));
  }

  write(file: unknown, offset: number, content: string | Uint8Array): Promise<unknown> {
    const data = typeof content === "string" ? bytes(content) : content;
    return ok(this.fs.write(file, offset, data, "unstable", this.as));
  }

  async read(file: unknown, offset: number, length: number): Promise<{ content: string; end: boolean }> {
    const { bytes: read, end } = await ok(this.fs.read(file, offset, new Uint8Array(length), this.as));
    return { content: text(read), end };
  }

  async content(node: object): Promise<string> {
    const file = await this.open(node, OPEN_READ);
    const { content } = await this.read(file, 0, 65_536);
    await this.fs.close(file);
    return content;
  }

  attributes(node: object): Promise<Attributes> {
    return ok(this.fs.getattr(node, this.as));
  }

  lookup(directory: object, name: string): Promise<object> {
    return ok(this.fs.lookup(directory, name, this.as));
  }

  set(node: object, changes: AttributeChanges, file?: unknown): Promise<void> {
    return ok(this.fs.setattr(node, changes, this.as, file));
  }

  remove(directory: object, name: string) {
    return ok(this.fs.remove(directory, name, this.as));
  }

  rename(from: object, fromName: string, to: object, toName: string) {
    return ok(this.fs.rename(from, fromName, to, toName, this.as));
  }

  /** All entries, `limit` at a time; `between` runs after each page. */
  async list(directory: object, limit: number, between?: (page: number) => Promise<void>) {
    const entries: DirectoryEntry<object>[] = [];
    let cookie = 0n;
    for (let page = 0; ; page++) {
      const answer = await ok(this.fs.readdir(directory, cookie, limit, this.as));
      expect(answer.entries.length).toBeLessThanOrEqual(limit);
      entries.push(...answer.entries);
      if (answer.end) return entries;
      expect(answer.entries.length).toBeGreaterThan(0);
      cookie = answer.entries.at(-1)!.cookie;
      await between?.(page);
    }
  }

  async names(directory: object, limit = 100): Promise<string[]> {
    return (await this.list(directory, limit)).map(({ name }) => name).sort();
  }
}

/** Declares the suite for one implementation. */
export function describeFileSystem(title: string, make: () => Promise<Subject>, abilities: Abilities): void {
  const everything = abilities.everything ?? true;
  /** A part of the contract that file systems by node:fs alone are free of: then it is said, and not tested. */
  const ofEverything = (name: string, run: () => Promise<void>): void => {
    if (everything) it(name, run);
    else console.log(`${title}: nothing asks whether it ${name}, for node:fs has no calls for it`);
  };
  const kinds = everything ? (["file", "directory", "fifo"] as const) : (["file", "directory"] as const);
  describe(title, () => {
    let subject: Subject;
    let d: Driver;
    let top: object;
    let counter = 0;

    beforeAll(async () => {
      subject = await make();
      d = new Driver(subject.fileSystem, root);
    });
    afterAll(() => subject.end());
    beforeEach(async () => {
      const rootNode = await ok(subject.fileSystem.root());
      top = await d.directory(rootNode, `case-${counter++}`, { mode: 0o777 });
    });

    describe("names", () => {
      it("finds what was made, by name and by key", async () => {
        const file = await d.file(top, "a", "content");
        const found = await d.lookup(top, "a");
        expect(d.fs.key(found)).toEqual(d.fs.key(file));
        expect(d.fs.key(found).length).toBeLessThanOrEqual(64);
        expect(await d.content(await ok(d.fs.resolve(d.fs.key(found))))).toBe("content");
        expect(await d.fs.lookup(top, "b", root)).toBe("ENOENT");
      });

      it("never walks out by a name", async () => {
        for (const name of [".", "..", "a/b", "/etc", "", "a\0b"]) {
          expect(await d.fs.lookup(top, name, root), JSON.stringify(name)).toMatch(/^E(INVAL|NOENT)$/);
        }
      });

      it("refuses a lookup in what is no directory", async () => {
        const file = await d.file(top, "a");
        expect(await d.fs.lookup(file, "b", root)).toBe("ENOTDIR");
        expect(await d.fs.readdir(file, 0n, 10, root)).toBe("ENOTDIR");
        expect(await d.fs.parent(file, root)).toBe("ENOTDIR");
      });

      it("climbs up to the root and no further", async () => {
        const inner = await d.directory(await d.directory(top, "a"), "b");
        const rootNode = await ok(d.fs.root());
        const a = await ok(d.fs.parent(inner, root));
        expect(d.fs.key(a)).toEqual(d.fs.key(await d.lookup(top, "a")));
        expect(d.fs.key(await ok(d.fs.parent(a, root)))).toEqual(d.fs.key(top));
        expect(d.fs.key(await ok(d.fs.parent(top, root)))).toEqual(d.fs.key(rootNode));
        expect(d.fs.key(await ok(d.fs.parent(rootNode, root)))).toEqual(d.fs.key(rootNode));
      });

      it("keeps names that are not UTF-8, and long ones", async () => {
        const names = ["\udcff\udcfe", "a\udc80b", "grün", "日本", "😀", "x".repeat(255), " ", "-", "\n", "\u0001"];
        for (const name of names) await d.file(top, name, name.slice(0, 1));
        expect(await d.names(top, 3)).toEqual([...names].sort());
        for (const name of names) await d.lookup(top, name);
        await d.rename(top, "\udcff\udcfe", top, "\udc81");
        expect(await d.fs.lookup(top, "\udcff\udcfe", root)).toBe("ENOENT");
        for (const name of [...names.slice(1), "\udc81"]) await d.remove(top, name);
        expect(await d.names(top)).toEqual([]);
      });

      it("answers EEXIST for a name that is taken, whatever has it", async () => {
        await d.file(top, "file");
        await d.directory(top, "directory");
        await d.make(top, "link", { type: "symlink", attributes: {}, target: "nowhere" });
        for (const name of ["file", "directory", "link"]) {
          for (const type of ["file", "directory", "fifo"] as const)
            expect(await d.fs.create(top, name, { type, attributes: {} }, root)).toBe("EEXIST");
          expect(await d.fs.link(await d.lookup(top, "file"), top, name, root)).toBe("EEXIST");
        }
      });

      it("makes hard links, not of directories", async () => {
        const file = await d.file(top, "a", "shared");
        const other = await d.directory(top, "other");
        await ok(d.fs.link(file, other, "b", root));
        const linked = await d.lookup(other, "b");
        expect(d.fs.key(linked)).toEqual(d.fs.key(file));
        expect(await d.attributes(linked)).toMatchObject({ nlink: 2 });
        await d.remove(top, "a");
        expect(await d.content(await d.lookup(other, "b"))).toBe("shared");
        expect(await d.attributes(linked)).toMatchObject({ nlink: 1 });
        expect(await d.fs.link(other, top, "c", root)).toBe("EISDIR");
        expect(await d.fs.link(linked, linked, "c", root)).toBe("ENOTDIR");
      });

      it("keeps the text of symbolic links and never follows them", async () => {
        const target = "../\udcff/elsewhere";
        const { node } = await d.make(top, "link", { type: "symlink", attributes: {}, target });
        expect(await d.fs.readlink(node, root)).toEqual({ target });
        expect(await d.attributes(node)).toMatchObject({ type: "symlink", size: 14 });
        expect(await d.fs.readlink(await d.file(top, "file"), root)).toBe("EINVAL");
        await d.make(top, "up", { type: "symlink", attributes: {}, target: ".." });
        const up = await d.lookup(top, "up");
        expect(await d.attributes(up)).toMatchObject({ type: "symlink" });
        expect(await d.fs.lookup(up, "etc", root)).toBe("ENOTDIR");
        expect(await d.fs.create(up, "x", { type: "file", attributes: {} }, root)).toBe("ENOTDIR");
        expect(await d.fs.open(up, OPEN_READ, root)).toBe("EINVAL");
        expect(await d.fs.readdir(up, 0n, 10, root)).toBe("ENOTDIR");
        await d.remove(top, "up");
      });

      ofEverything("makes every kind of node", async () => {
        for (const type of ["fifo", "socket"] as const) {
          const { node } = await d.make(top, type, { type, attributes: { mode: 0o640 } });
          expect(await d.attributes(node)).toMatchObject({ type, mode: 0o640 });
          expect(await d.fs.open(node, OPEN_READ, root)).toBe("EINVAL");
          await d.remove(top, type);
        }
        if (!abilities.devices) return;
        for (const type of ["block", "character"] as const) {
          const device = { major: 7, minor: 259 };
          const { node } = await d.make(top, type, { type, attributes: { mode: 0o600 }, device });
          expect(await d.attributes(node)).toMatchObject({ type, device });
          expect(await d.fs.open(node, OPEN_READ, root)).toBe("EINVAL");
          expect((await d.attributes(await d.lookup(top, type))).device).toEqual(device);
        }
      });
    });

    describe("removing and renaming", () => {
      it("removes files and empty directories", async () => {
        const directory = await d.directory(top, "directory");
        await d.file(directory, "file");
        expect(await d.fs.remove(top, "directory", root)).toBe("ENOTEMPTY");
        await d.remove(directory, "file");
        await d.remove(top, "directory");
        expect(await d.names(top)).toEqual([]);
        expect(await d.fs.remove(top, "directory", root)).toBe("ENOENT");
        expect(await d.fs.create(directory, "x", { type: "file", attributes: {} }, root)).toMatch(/^E(NOENT|STALE)$/);
      });

      it("turns the key of what is gone stale", async () => {
        const key = d.fs.key(await d.file(top, "file", "x")).slice();
        await d.remove(top, "file");
        expect(await d.fs.resolve(key)).toBe("ESTALE");
        const another = await d.file(top, "file", "y");
        expect(d.fs.key(another)).not.toEqual(key);
        expect(await d.fs.resolve(key)).toBe("ESTALE");
        expect(await d.fs.resolve(new Uint8Array(8))).toBe("ESTALE");
        expect(await d.fs.resolve(new Uint8Array(0))).toBe("ESTALE");
        expect(await d.fs.resolve(new Uint8Array(64).fill(1))).toBe("ESTALE");
      });

      it("keeps an unlinked file until its last close", async () => {
        const node = await d.file(top, "file", "still here");
        const one = await d.open(node, OPEN_READ);
        const two = await d.open(node, OPEN_WRITE);
        const key = d.fs.key(node).slice();
        await d.remove(top, "file");
        await d.fs.close(one);
        await d.write(two, 0, "STILL");
        expect(await d.attributes(node)).toMatchObject({ nlink: 0, size: 10 });
        const again = await ok(d.fs.resolve(key));
        expect(await d.content(again)).toBe("STILL here");
        await d.set(node, { mode: 0o600 });
        await d.fs.close(two);
        expect(await d.fs.resolve(key)).toBe("ESTALE");
      });

      it("keeps the target of a rename that somebody has open", async () => {
        const old = await d.file(top, "target", "old");
        const file = await d.open(old, OPEN_READ);
        await d.file(top, "source", "new");
        await d.rename(top, "source", top, "target");
        expect(await d.read(file, 0, 10)).toEqual({ content: "old", end: true });
        expect(await d.content(await d.lookup(top, "target"))).toBe("new");
        await d.fs.close(file);
      });

      it("renames within and between directories; the key stays", async () => {
        const a = await d.directory(top, "a");
        const b = await d.directory(top, "b");
        const file = await d.file(a, "one", "content");
        await d.rename(a, "one", a, "two");
        await d.rename(a, "two", b, "three");
        expect(d.fs.key(await d.lookup(b, "three"))).toEqual(d.fs.key(file));
        expect(await d.content(await ok(d.fs.resolve(d.fs.key(file))))).toBe("content");
        expect(await d.fs.lookup(a, "one", root)).toBe("ENOENT");
        await d.rename(top, "b", a, "b");
        expect(d.fs.key(await ok(d.fs.parent(b, root)))).toEqual(d.fs.key(a));
        expect(await d.content(await d.lookup(await d.lookup(a, "b"), "three"))).toBe("content");
        expect((await d.attributes(top)).nlink).toBeLessThan(4);
      });

      it("refuses what rename(2) refuses", async () => {
        const directory = await d.directory(top, "directory");
        const full = await d.directory(top, "full");
        await d.file(full, "file");
        await d.file(top, "file");
        const rename = (from: string, to: string) => d.fs.rename(top, from, top, to, root);
        expect(await rename("nothing", "x")).toBe("ENOENT");
        expect(await rename("directory", "file")).toBe("ENOTDIR");
        expect(await rename("file", "directory")).toBe("EISDIR");
        expect(await rename("directory", "full")).toBe("ENOTEMPTY");
        expect(await d.fs.rename(top, "directory", directory, "inside", root)).toBe("EINVAL");
        expect(await d.fs.rename(await d.lookup(top, "file"), "a", top, "b", root)).toBe("ENOTDIR");
        await d.remove(full, "file");
        await d.rename(top, "directory", top, "full");
        expect(await d.names(top)).toEqual(["file", "full"]);
      });

      it("does nothing when both names are of one node", async () => {
        const file = await d.file(top, "a", "content");
        await ok(d.fs.link(file, top, "b", root));
        const before = await d.attributes(top);
        await d.rename(top, "a", top, "b");
        expect(await d.names(top)).toEqual(["a", "b"]);
        expect((await d.attributes(top)).change).toBe(before.change);
      });
    });

    describe("the change attribute", () => {
      it("grows with every change, however fast they follow", async () => {
        let last = -1n;
        const node = await d.file(top, "file");
        const file = await d.open(node, 3);
        const grown = async (what: string): Promise<void> => {
          const { change } = await d.attributes(node);
          expect(change, what).toBeGreaterThan(last);
          last = change;
          expect((await d.attributes(node)).change, `${what}, asked again`).toBe(last);
        };
        await grown("made");
        for (let i = 0; i < 50; i++) {
          await d.write(file, i, "x");
          await grown(`write ${i}`);
        }
        await d.set(node, { mode: 0o600 });
        await grown("mode");
        await d.set(node, { size: 3 }, file);
        await grown("size");
        await ok(d.fs.link(node, top, "other", root));
        await grown("link");
        await d.remove(top, "other");
        await grown("unlink");
        if (everything) {
          await ok(d.fs.allocate(file, 0, 100_000, root));
          await grown("allocate");
          await ok(d.fs.deallocate(file, 0, 100_000, root));
          await grown("deallocate");
        }
        await d.fs.close(file);
      });

      it("of a directory is before and after each operation what it says", async () => {
        const other = await d.directory(top, "other");
        let { change } = await d.attributes(top);
        const follows = async ({ atomic, before, after }: ChangeInfo): Promise<void> => {
          expect(atomic).toBe(everything);
          expect(before).toBe(change);
          expect(after).toBeGreaterThan(before);
          change = after;
          expect((await d.attributes(top)).change).toBe(after);
        };
        for (let i = 0; i < 20; i++) {
          const { node, change: made } = await d.make(top, `f${i}`, { type: "file", attributes: {} });
          await follows(made);
          await follows(await ok(d.fs.link(node, top, `l${i}`, root)));
        }
        await follows((await d.rename(top, "f0", top, "f1")).from);
        await follows((await d.rename(top, "f1", other, "f1")).from);
        await follows((await d.rename(other, "f1", top, "f1")).to);
        await follows((await d.rename(top, "f2", top, "f3")).from);
        await follows(await d.remove(top, "f1"));
        await follows(await d.remove(top, "other"));
      });
    });

    describe("directories", () => {
      it("lists everything once, with cookies that go on, and nodes with attributes", async () => {
        const names = Array.from({ length: 200 }, (_, i) => `entry-${i}`);
        for (const name of names) await d.file(top, name, name);
        for (const limit of [1, 2, 7, 199, 200, 201, 1000]) {
          const entries = await d.list(top, limit);
          expect(entries.map(({ name }) => name).sort(), `by ${limit}`).toEqual([...names].sort());
          const cookies = entries.map(({ cookie }) => cookie);
          expect(new Set(cookies).size).toBe(200);
          for (const cookie of cookies) {
            expect(cookie).toBeGreaterThanOrEqual(3n);
            expect(cookie).toBeLessThan(2n ** 63n);
          }
        }
        for (const { name, node, attributes } of await d.list(top, 50)) {
          if (!node) continue;
          expect(d.fs.key(node)).toEqual(d.fs.key(await d.lookup(top, name)));
          if (attributes) expect(attributes).toEqual(await d.attributes(node));
        }
        expect(await d.fs.readdir(top, 0n, 0, root)).toMatchObject({ entries: [], end: false });
      });

      it("says of an empty directory that it ends", async () => {
        expect(await d.fs.readdir(top, 0n, 10, root)).toEqual({ entries: [], end: true });
      });

      it("gives what stays exactly once while others come and go", async () => {
        const staying = Array.from({ length: 300 }, (_, i) => `stays-${i}`);
        for (let i = 0; i < 300; i++) {
          await d.file(top, staying[i]!);
          await d.file(top, `goes-${i}`);
        }
        let gone = 0;
        const entries = await d.list(top, 16, async (page) => {
          for (let i = 0; i < 8 && gone < 300; i++) await d.remove(top, `goes-${gone++}`);
          for (let i = 0; i < 4; i++) await d.file(top, `comes-${page}-${i}`);
        });
        const count = new Map<string, number>();
        for (const { name } of entries) count.set(name, (count.get(name) ?? 0) + 1);
        for (const [name, times] of count) expect(times, name).toBe(1);
        for (const name of staying) expect(count.get(name), name).toBe(1);
      });

      it("goes on behind an entry that has been removed", async () => {
        for (let i = 0; i < 30; i++) await d.file(top, `f${i}`);
        const first = await ok(d.fs.readdir(top, 0n, 10, root));
        for (const { name } of first.entries) await d.remove(top, name);
        const rest = await ok(d.fs.readdir(top, first.entries.at(-1)!.cookie, 100, root));
        expect(rest.entries.length).toBe(20);
        expect(rest.end).toBe(true);
      });
    });

    describe("attributes", () => {
      const owner = abilities.identities ? { uid: 5, gid: 6 } : {};

      ofEverything("sets mode, owner and times", async () => {
        const file = await d.file(top, "file");
        await d.set(file, {
          mode: 0o4755,
          ...owner,
          atime: { seconds: 1_000_000_000, nanoseconds: 1 },
          mtime: { seconds: 1_700_000_000, nanoseconds: 999_999_999 },
        });
        expect(await d.attributes(file)).toMatchObject({
          mode: 0o4755,
          ...owner,
          atime: { seconds: 1_000_000_000, nanoseconds: 1 },
          mtime: { seconds: 1_700_000_000, nanoseconds: 999_999_999 },
        });
        await d.set(file, { mtime: { seconds: -1, nanoseconds: 5 } });
        const { atime, mtime } = await d.attributes(file);
        expect(mtime).toEqual({ seconds: -1, nanoseconds: 5 });
        expect(atime).toEqual({ seconds: 1_000_000_000, nanoseconds: 1 });
        await d.set(file, { atime: "now" });
        expect((await d.attributes(file)).atime.seconds).toBeGreaterThan(1_700_000_000);
        expect((await d.attributes(file)).mtime).toEqual(mtime);
      });

      it("sets them at creation", async () => {
        const attributes = {
          mode: 0o1751,
          ...owner,
          atime: { seconds: 11, nanoseconds: 0 },
          mtime: { seconds: 22, nanoseconds: 0 },
        };
        for (const type of kinds) {
          const { node } = await d.make(top, type, { type, attributes });
          expect(await d.attributes(node)).toMatchObject({ type, ...attributes });
        }
        const { node } = await d.make(top, "big", { type: "file", attributes: { mode: 0o600, size: 70_000 } });
        expect(await d.attributes(node)).toMatchObject({ size: 70_000 });
        const setId = await d.make(top, "setid", { type: "directory", attributes: { mode: 0o6755, ...owner } });
        expect(await d.attributes(setId.node)).toMatchObject({ mode: 0o6755, ...owner });
      });

      it("takes the mode as it is, whatever the umask", async () => {
        for (const mode of [0o777, 0o666, 0o000, 0o022]) {
          for (const type of kinds) {
            const { node } = await d.make(top, `${type}-${mode}`, { type, attributes: { mode } });
            expect((await d.attributes(node)).mode, `${type} ${mode.toString(8)}`).toBe(mode);
          }
        }
      });

      it.runIf(abilities.identities)("changes the owner of a symbolic link itself", async () => {
        const target = await d.file(top, "target");
        const { node } = await d.make(top, "link", { type: "symlink", attributes: {}, target: "target" });
        await d.set(node, { uid: 9, gid: 9 });
        expect(await d.attributes(node)).toMatchObject({ uid: 9, gid: 9 });
        expect(await d.attributes(target)).toMatchObject({ uid: 0, gid: 0 });
      });

      it("truncates and extends regular files only", async () => {
        const file = await d.file(top, "file", "0123456789");
        await d.set(file, { size: 4 });
        expect(await d.content(file)).toBe("0123");
        await d.set(file, { size: 6 });
        expect(await d.content(file)).toBe("0123\0\0");
        await d.set(file, { size: 2 ** 40 + 1 });
        expect((await d.attributes(file)).size).toBe(2 ** 40 + 1);
        expect(await d.fs.setattr(top, { size: 0 }, root)).toBe("EISDIR");
        const { node: link } = await d.make(top, "link", { type: "symlink", attributes: {}, target: "file" });
        expect(await d.fs.setattr(link, { size: 0 }, root)).toBe("EINVAL");
        if (!everything) return;
        const { node: fifo } = await d.make(top, "fifo", { type: "fifo", attributes: {} });
        expect(await d.fs.setattr(fifo, { size: 0 }, root)).toBe("EINVAL");
      });

      it("counts the links of directories", async () => {
        const before = (await d.attributes(top)).nlink;
        await d.directory(top, "a");
        await d.directory(top, "b");
        expect((await d.attributes(top)).nlink).toBe(before + 2);
        await d.remove(top, "a");
        expect((await d.attributes(top)).nlink).toBe(before + 1);
      });

      it("gives each node a fileid of its own", async () => {
        const ids = new Set<bigint>();
        for (let i = 0; i < 20; i++) ids.add((await d.attributes(await d.file(top, `f${i}`))).fileid);
        expect(ids.size).toBe(20);
      });

      it("tells how much room there is", async () => {
        const its = await ok(d.fs.statfs(top, root));
        expect(its.totalBytes).toBeGreaterThanOrEqual(its.freeBytes);
        expect(its.freeBytes).toBeGreaterThanOrEqual(its.availableBytes);
        expect(its.totalFiles).toBeGreaterThanOrEqual(its.freeFiles);
      });
    });

    describe("data", () => {
      it("reads what was written, and says where it ends", async () => {
        const { file } = await d.make(top, "file", { type: "file", attributes: {}, open: 3 });
        await d.write(file, 0, "hello world");
        expect(await d.read(file, 0, 5)).toEqual({ content: "hello", end: false });
        expect(await d.read(file, 6, 5)).toEqual({ content: "world", end: true });
        expect(await d.read(file, 6, 50)).toEqual({ content: "world", end: true });
        expect(await d.read(file, 11, 5)).toEqual({ content: "", end: true });
        expect(await d.read(file, 2 ** 50, 5)).toEqual({ content: "", end: true });
        expect(await d.read(file, 0, 10)).toMatchObject({ end: false });
        await d.write(file, 6, "there, and more");
        expect(await d.read(file, 6, 5)).toEqual({ content: "there", end: false });
        await d.fs.close(file);
      });

      it("answers the end anew after the size has changed", async () => {
        const { node, file } = await d.make(top, "file", { type: "file", attributes: {}, open: 3 });
        await d.write(file, 0, "0123456789");
        expect(await d.read(file, 0, 5)).toMatchObject({ end: false });
        await d.set(node, { size: 5 });
        expect(await d.read(file, 0, 5)).toEqual({ content: "01234", end: true });
        await d.fs.close(file);
      });

      it("writes with every stability, and never a worse one than asked", async () => {
        const rank = ["unstable", "data-sync", "file-sync"];
        const { file } = await d.make(top, "file", { type: "file", attributes: {}, open: 3 });
        for (const stability of ["unstable", "data-sync", "file-sync"] as const) {
          const written = await ok(d.fs.write(file, 0, bytes("abc"), stability, root));
          expect(written.count).toBe(3);
          expect(rank.indexOf(written.stability)).toBeGreaterThanOrEqual(rank.indexOf(stability));
        }
        expect(await d.fs.commit(file, 0, 0, root)).toBeUndefined();
        await d.fs.close(file);
      });

      it("moves megabytes, also at large offsets and with holes between", async () => {
        const { node, file } = await d.make(top, "file", { type: "file", attributes: {}, open: 3 });
        const block = new Uint8Array(1 << 20).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
        const far = 2 ** 41 + 12_345;
        await d.write(file, 0, block);
        await d.write(file, far, block);
        expect((await d.attributes(node)).size).toBe(far + block.length);
        expect((await d.attributes(node)).spaceUsed).toBeLessThan(4 << 20);
        for (const offset of [0, far]) {
          const { bytes: read } = await ok(d.fs.read(file, offset, new Uint8Array(1 << 20), root));
          expect(Buffer.compare(read, block)).toBe(0);
        }
        const { bytes: hole } = await ok(d.fs.read(file, 2 ** 33, new Uint8Array(1000), root));
        expect(hole.every((byte) => byte === 0)).toBe(true);
        await d.fs.close(file);
      });

      ofEverything("finds data and holes, makes both", async () => {
        const { node, file } = await d.make(top, "file", { type: "file", attributes: {}, open: 3 });
        const block = 1 << 16;
        await d.write(file, 4 * block, new Uint8Array(block).fill(1));
        await d.set(node, { size: 8 * block });
        const seek = (offset: number, what: "data" | "hole") => d.fs.seek(file, offset, what, root);
        expect(await seek(0, "data")).toBe(4 * block);
        expect(await seek(4 * block + 1, "data")).toBe(4 * block + 1);
        expect(await seek(4 * block, "hole")).toBe(5 * block);
        expect(await seek(0, "hole")).toBe(0);
        expect(await seek(5 * block, "data")).toBe("ENXIO");
        expect(await seek(8 * block, "hole")).toBe("ENXIO");
        expect(await seek(9 * block, "data")).toBe("ENXIO");
        await ok(d.fs.deallocate(file, 4 * block, block, root));
        expect(await seek(0, "data")).toBe("ENXIO");
        expect((await d.attributes(node)).size).toBe(8 * block);
        await ok(d.fs.allocate(file, 0, 10 * block, root));
        expect((await d.attributes(node)).size).toBe(10 * block);
        expect((await d.attributes(node)).spaceUsed).toBeGreaterThanOrEqual(10 * block);
        await d.fs.close(file);
      });

      ofEverything("punches holes exactly, within a block too", async () => {
        const { file } = await d.make(top, "file", { type: "file", attributes: {}, open: 3 });
        await d.write(file, 0, new Uint8Array(200_000).fill(7));
        await ok(d.fs.deallocate(file, 10, 150_000, root));
        const { bytes: read } = await ok(d.fs.read(file, 0, new Uint8Array(200_000), root));
        expect(read.indexOf(0)).toBe(10);
        expect(read.lastIndexOf(0)).toBe(150_009);
        await d.fs.close(file);
      });

      it("opens regular files only", async () => {
        expect(await d.fs.open(top, OPEN_READ, root)).toBe("EISDIR");
      });

      it("answers many at a time", async () => {
        const { file } = await d.make(top, "file", { type: "file", attributes: {}, open: 3 });
        await Promise.all(Array.from({ length: 64 }, (_, i) => d.write(file, i * 4096, new Uint8Array(4096).fill(i))));
        const all = await Promise.all(
          Array.from({ length: 64 }, (_, i) => ok(d.fs.read(file, i * 4096, new Uint8Array(4096), root))),
        );
        all.forEach(({ bytes: read }, i) => {
          expect(read.every((byte) => byte === i)).toBe(true);
        });
        await d.fs.close(file);
      });
    });

    describe.runIf(abilities.identities)("permissions", () => {
      it("belong to whom it was made by", async () => {
        const file = await d.of(alice).file(top, "file");
        expect(await d.attributes(file)).toMatchObject({ uid: 1001, gid: 2001 });
        const directory = await d.of(alice).directory(top, "directory");
        expect(await d.attributes(directory)).toMatchObject({ uid: 1001, gid: 2001 });
      });

      it("are of owner, group, supplementary group and others", async () => {
        const file = await d.of(alice).file(top, "file", "secret", { mode: 0o640 });
        await d.of(alice).set(file, { gid: 3000 });
        const bits = async (caller: CallContext): Promise<number> => ok(d.fs.access(file, 7, caller));
        expect(await bits(alice)).toBe(MAY_READ | MAY_WRITE);
        expect(await bits(bob)).toBe(MAY_READ);
        expect(await bits(carol)).toBe(0);
        expect(await bits(root)).toBe(MAY_READ | MAY_WRITE);
        expect(await ok(d.fs.access(file, MAY_WRITE, bob))).toBe(0);
        expect(await d.of(bob).content(file)).toBe("secret");
        expect(await d.fs.open(file, OPEN_WRITE, bob)).toBe("EACCES");
        expect(await d.fs.open(file, OPEN_READ, carol)).toBe("EACCES");
        await d.set(file, { mode: 0o644 });
        expect(await d.of(carol).content(file)).toBe("secret");
        await d.set(file, { mode: 0o600 });
        expect(await d.fs.open(file, OPEN_READ, bob)).toBe("EACCES");
      });

      it("to read come with those to execute", async () => {
        const program = await d.of(alice).file(top, "program", "#!", { mode: 0o711 });
        expect(await ok(d.fs.access(program, 7, bob))).toBe(MAY_EXECUTE);
        expect(await d.of(bob).content(program)).toBe("#!");
        expect(await d.fs.open(program, OPEN_WRITE, bob)).toBe("EACCES");
      });

      it("are decided when a file is opened or made, not later", async () => {
        const { node, file } = await d
          .of(alice)
          .make(top, "read-only", { type: "file", attributes: { mode: 0o444 }, open: OPEN_WRITE });
        await d.of(alice).write(file, 0, "written by its creator");
        await d.of(alice).set(node, { size: 7 }, file);
        await d.fs.close(file);
        expect(await d.content(node)).toBe("written");
        expect(await d.fs.open(node, OPEN_WRITE, alice)).toBe("EACCES");
        expect(await d.fs.setattr(node, { size: 0 }, alice)).toBe("EACCES");
        const closed = await d.of(alice).file(top, "closed", "abc", { mode: 0o600 });
        const opened = await d.of(alice).open(closed, 3);
        await d.set(closed, { mode: 0, uid: 0 });
        expect(await d.of(alice).read(opened, 0, 3)).toMatchObject({ content: "abc" });
        await d.of(alice).write(opened, 0, "ABC");
        await d.fs.close(opened);
      });

      it("of directories: search, read, write", async () => {
        const closed = await d.of(alice).directory(top, "closed", { mode: 0o700 });
        await d.of(alice).file(closed, "file");
        expect(await d.fs.lookup(closed, "file", bob)).toBe("EACCES");
        expect(await d.fs.readdir(closed, 0n, 10, bob)).toBe("EACCES");
        expect(await d.fs.create(closed, "x", { type: "file", attributes: {} }, bob)).toBe("EACCES");
        expect(await d.fs.create(closed, "x", { type: "directory", attributes: {} }, bob)).toBe("EACCES");
        expect(await d.fs.remove(closed, "file", bob)).toBe("EACCES");
        expect(await d.fs.rename(closed, "file", top, "file", bob)).toBe("EACCES");
        expect(await d.fs.link(await d.lookup(closed, "file"), closed, "x", bob)).toBe("EACCES");
        await d.of(alice).set(closed, { mode: 0o744 });
        expect((await ok(d.fs.readdir(closed, 0n, 10, bob))).entries.map(({ name }) => name)).toEqual(["file"]);
        expect(await d.fs.lookup(closed, "file", bob)).toBe("EACCES");
        await d.of(alice).set(closed, { mode: 0o711 });
        await d.of(bob).lookup(closed, "file");
        expect(await d.fs.readdir(closed, 0n, 10, bob)).toBe("EACCES");
        await d.of(alice).set(closed, { mode: 0o700 });
        expect(await d.fs.lookup(closed, "file", bob)).toBe("EACCES");
      });

      it("of sticky directories: only owners remove", async () => {
        const shared = await d.directory(top, "shared", { mode: 0o1777 });
        await d.of(alice).file(shared, "hers");
        await d.of(bob).file(shared, "his");
        expect(await d.fs.remove(shared, "hers", bob)).toMatch(/^E(PERM|ACCES)$/);
        expect(await d.fs.rename(shared, "hers", shared, "x", bob)).toMatch(/^E(PERM|ACCES)$/);
        expect(await d.fs.rename(shared, "his", shared, "hers", bob)).toMatch(/^E(PERM|ACCES)$/);
        await d.of(alice).remove(shared, "hers");
        await d.of(bob).rename(shared, "his", shared, "hers");
        await d.remove(shared, "hers");
      });

      it("of setgid directories go down with the group", async () => {
        const shared = await d.directory(top, "shared", { mode: 0o2777, gid: 3000 });
        expect(await d.attributes(await d.of(carol).file(shared, "file"))).toMatchObject({ uid: 1003, gid: 3000 });
        const inner = await d.attributes(await d.of(carol).directory(shared, "inner", { mode: 0o755 }));
        expect(inner).toMatchObject({ gid: 3000, mode: 0o2755 });
      });

      it("to change attributes are the owner's, and chown root's", async () => {
        const file = await d.of(alice).file(top, "file", "", { mode: 0o666 });
        const set = (changes: AttributeChanges, caller: CallContext) => d.fs.setattr(file, changes, caller);
        expect(await set({ mode: 0o777 }, bob)).toBe("EPERM");
        expect(await set({ uid: 1002 }, bob)).toBe("EPERM");
        expect(await set({ uid: 1002 }, alice)).toBe("EPERM");
        expect(await set({ gid: 2002 }, alice)).toBe("EPERM");
        expect(await set({ mtime: { seconds: 1, nanoseconds: 0 } }, bob)).toBe("EPERM");
        expect(await set({ atime: "now", mtime: "now" }, bob)).toBeUndefined();
        expect(await set({ size: 5 }, bob)).toBeUndefined();
        expect(await set({ gid: 3000, mode: 0o640 }, alice)).toBeUndefined();
        expect(await set({ atime: "now", mtime: "now" }, carol)).toBe("EACCES");
        expect(await set({ uid: 1002 }, root)).toBeUndefined();
        expect(await d.attributes(file)).toMatchObject({ uid: 1002, gid: 3000, mode: 0o640, size: 5 });
      });

      it("take the set-id bits away with writing and chown", async () => {
        const file = await d.of(alice).file(top, "file", "", { mode: 0o6777 });
        expect((await d.attributes(file)).mode).toBe(0o6777);
        const opened = await d.of(bob).open(file, OPEN_WRITE);
        await d.of(bob).write(opened, 0, "x");
        await d.fs.close(opened);
        expect((await d.attributes(file)).mode).toBe(0o777);
        await d.of(alice).set(file, { mode: 0o4755 });
        await d.of(alice).set(file, { gid: 3000 });
        expect((await d.attributes(file)).mode).toBe(0o755);
      });

      it("forbid devices, and making things for others", async () => {
        const device = { major: 1, minor: 3 };
        expect(await d.fs.create(top, "null", { type: "character", attributes: {}, device }, alice)).toBe("EPERM");
        for (const type of ["file", "directory"] as const)
          expect(await d.fs.create(top, "given", { type, attributes: { uid: 1002 } }, alice)).toBe("EPERM");
        expect(await d.names(top)).toEqual([]);
      });
    });

    it.runIf(abilities.identities)("serves callers of every kind at the same time", async () => {
      const callers = [root, alice, bob, carol];
      await Promise.all(
        Array.from({ length: 80 }, async (_, i) => {
          const caller = callers[i % callers.length]!;
          const node = await d.of(caller).file(top, `f${i}`, `${i}`, { mode: 0o600 });
          expect(await d.attributes(node)).toMatchObject({ uid: caller.uid });
          for (const other of [alice, bob, carol])
            if (other !== caller) expect(await d.fs.open(node, OPEN_READ, other)).toBe("EACCES");
          expect(await d.of(caller).content(node)).toBe(`${i}`);
        }),
      );
    });

    it("keeps keys across a restart where it says so", async () => {
      const persistent = subject.fileSystem.capabilities?.persistentKeys ?? false;
      expect(persistent).toBe(subject.restart !== undefined);
      if (!subject.restart) return;
      const directory = await d.directory(await d.directory(top, "a"), "b");
      const moved = await d.file(directory, "before", "moved");
      await d.rename(directory, "before", top, "after");
      await d.rename(await d.lookup(top, "a"), "b", top, "c");
      const inner = await d.file(directory, "inner", "inner");
      const keys = [moved, inner, directory, top].map((node) => d.fs.key(node).slice());
      const { change } = await d.attributes(moved);
      const fresh = new Driver(await subject.restart(), root);
      const nodes = await Promise.all(keys.map((key) => ok(fresh.fs.resolve(key))));
      expect(await fresh.content(nodes[0]!)).toBe("moved");
      expect(await fresh.content(nodes[1]!)).toBe("inner");
      expect(await fresh.names(nodes[2]!)).toEqual(["inner"]);
      expect(fresh.fs.key(await ok(fresh.fs.parent(nodes[2]!, root)))).toEqual(keys[3]);
      expect((await fresh.attributes(nodes[0]!)).change).toBeLessThanOrEqual(change);
      d = fresh;
    });
  });
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errnoName, FileCalls, nativeAvailable, O } from "../src/index.ts";

const available = nativeAvailable();

/** Why file calls cannot be tested here, or undefined. Says so once. */
export const withoutFiles: string | undefined = available.ok ? undefined : available.reason;
if (withoutFiles !== undefined) console.warn(`File system calls are not tested: ${withoutFiles}`);

export const isRoot: boolean = process.getuid?.() === 0;
if (!isRoot) console.warn("Not root: identities, device files and opening by handle are not tested");

/** A directory of its own under the system's temporary one, removed with everything in it. */
export class Scratch {
  readonly path: string = mkdtempSync(join(tmpdir(), "nfs4-native-"));
  readonly files: FileCalls = new FileCalls({ workers: 4, syncWorkers: 2 });
  /** O_PATH */
  readonly root: number = this.files.sync.openPath(this.path, O.PATH | O.DIRECTORY);
  /** O_RDONLY */
  readonly readable: number = this.files.sync.openPath(this.path, O.RDONLY | O.DIRECTORY);

  async remove(): Promise<void> {
    this.files.sync.close(this.root);
    this.files.sync.close(this.readable);
    await this.files.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The name of a failure's errno; "OK" for anything else. */
export function outcome(result: unknown): string {
  return typeof result === "number" && result < 0 ? errnoName(result) : "OK";
}

/** The result that is not an errno. */
export function good<T>(result: T | number): T {
  if (typeof result === "number" && result < 0) throw new Error(`unexpected ${errnoName(result)}`);
  return result as T;
}

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const text = (from: Uint8Array, length: number = from.length): string =>
  Buffer.from(from.subarray(0, length)).toString();

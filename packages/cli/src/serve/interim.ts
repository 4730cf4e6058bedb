/** Stands in until @nfs4/server exports both. */
import { mkdirSync } from "node:fs";
import type { MemoryFileSystem, Storage } from "@nfs4/server";
import { MemoryStorage } from "@nfs4/server";
import { SettingsError } from "./settings-error.ts";

export type LocalFileSystem = MemoryFileSystem;
export const LocalFileSystem: { open(options: object): Promise<LocalFileSystem> } = {
  open: () => Promise.reject(new SettingsError(null, "directories come with the local file system; use --memory")),
};
export interface StateDirectory {
  readonly path: string;
  readonly storage: Storage;
  close(): Promise<void>;
}
export const StateDirectory: { open(path: string): Promise<StateDirectory> } = {
  open: async (path) => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return { path, storage: new MemoryStorage(), close: async () => undefined };
  },
};

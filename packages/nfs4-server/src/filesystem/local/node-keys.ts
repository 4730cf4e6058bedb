/** How nodes are named for good, and found again by that name. */
import type { As } from "@nfs4/native";
import type { Awaitable, Result } from "../types.ts";
import type { Component } from "./component.ts";
import type { LocalNode } from "./local-node.ts";

/** A key, and an O_PATH descriptor if one had to be opened to make it (else −1); it is the receiver's. */
export interface Found {
  readonly key: Uint8Array;
  readonly fd: number;
}

/** A directory with an open descriptor. */
export interface Place {
  readonly node: LocalNode;
  readonly fd: number;
}

export interface NodeKeys {
  readonly kind: "handles" | "paths";
  /** True if keys stay good across restarts. */
  readonly persistent: boolean;
  readonly rootKey: Uint8Array;
  /** The key of a directory's entry; the caller must be allowed to search the directory. What another mount hides is not there: ENOENT. */
  ofEntry(directory: Place, entry: Component, as: As): Awaitable<Result<Found>>;
  /** The key of the directory above, which the export's root has not. ESTALE if that lies outside of the export. */
  ofParent(directory: Place, as: As): Awaitable<Result<Found>>;
  /** Opens O_PATH what a key names, as the process; ESTALE if it is no more. */
  open(key: Uint8Array): Awaitable<Result<{ readonly fd: number }>>;
  /** We gave a node a name, which may have been another's. */
  named?(key: Uint8Array, directory: LocalNode, entry: Component): void;
  /** Resolves when everything is on record. */
  close(): Promise<void>;
}

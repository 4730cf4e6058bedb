/**
 * Every export under one name space: what a filehandle's export number means, what the root is, and how walking crosses from the pseudo file system
 * into an export and back (RFC 8881 §7).
 */
import { type FilehandleCodec, MAX_KEY } from "../filehandle/filehandle-codec.ts";
import type { NodeReference } from "../filehandle/node-reference.ts";
import { withPermissionChecks } from "../filesystem/permission-checks.ts";
import type { Timestamp } from "../filesystem/types.ts";
import { latin1 } from "../latin1.ts";
import { clientMatcher, EVERYBODY } from "./client-matcher.ts";
import { ANONYMOUS_ID, type Export, type ExportOptions } from "./export.ts";
import { fnv1a, type PseudoDirectory, PseudoFileSystem } from "./pseudo-file-system.ts";

const PSEUDO_ID = 0;

export class ExportTable {
  readonly pseudo: Export;
  readonly #pseudoFileSystem: PseudoFileSystem;
  readonly #codec: FilehandleCodec;
  readonly #byId: Map<number, Export> = new Map();
  readonly #mountPoints: Map<Export, PseudoDirectory> = new Map();

  /** Throws a `RangeError` that says which export is wrong and why. */
  constructor(options: readonly ExportOptions[], codec: FilehandleCodec, since: Timestamp) {
    this.#codec = codec;
    this.#pseudoFileSystem = new PseudoFileSystem(since);
    this.pseudo = {
      id: PSEUDO_ID,
      path: "/",
      fileSystem: this.#pseudoFileSystem,
      readOnly: true,
      clients: EVERYBODY,
      squash: "none",
      anonymousUid: ANONYMOUS_ID,
      anonymousGid: ANONYMOUS_ID,
      fsid: { major: 0n, minor: 0n },
    };
    this.#byId.set(PSEUDO_ID, this.pseudo);
    for (const one of options) this.#add(one);
    for (const [mounted, directory] of this.#mountPoints) {
      for (let above = directory.parent; above; above = above.parent) {
        if (above.exportId !== 0) throw new RangeError(`export "${mounted.path}" lies inside another export`);
      }
    }
  }

  #add(options: ExportOptions): void {
    const names = namesOf(options.path);
    const path = `/${names.join("/")}`;
    const id = options.id ?? (fnv1a(path) % 65_535) + 1;
    if (!Number.isInteger(id) || id < 1 || id > 65_535)
      throw new RangeError(`export "${path}": its id must be 1 … 65535, not ${id}`);
    const taken = this.#byId.get(id);
    if (taken) throw new RangeError(`exports "${taken.path}" and "${path}" have the same id ${id}: set one`);
    const made: Export = {
      id,
      path,
      fileSystem: options.fileSystem.capabilities?.checksPermissions
        ? options.fileSystem
        : withPermissionChecks(options.fileSystem),
      readOnly: options.readOnly ?? false,
      clients: options.clients ? clientMatcher(options.clients) : EVERYBODY,
      squash: options.squash ?? "root",
      anonymousUid: options.anonymousUid ?? ANONYMOUS_ID,
      anonymousGid: options.anonymousGid ?? ANONYMOUS_ID,
      fsid: options.fileSystem.capabilities?.fsid ?? { major: 0x6e667334n, minor: BigInt(id) },
    };
    const directory = this.#pseudoFileSystem.makePath(names);
    if (directory.exportId !== 0) throw new RangeError(`two exports at "${path}"`);
    directory.exportId = id;
    this.#byId.set(id, made);
    this.#mountPoints.set(made, directory);
  }

  /** The exports that a user made, without the pseudo file system. */
  get all(): Export[] {
    return [...this.#mountPoints.keys()];
  }

  byId(id: number): Export | undefined {
    return this.#byId.get(id);
  }

  reference(exported: Export, node: object): NodeReference {
    const key = exported.fileSystem.key(node);
    if (key.length > MAX_KEY)
      throw new RangeError(
        `the file system at "${exported.path}" made a key of ${key.length} bytes; ${MAX_KEY} is the most`,
      );
    const handle = this.#codec.encode(exported.id, key);
    return { export: exported, node, handle, key: keyOf(handle) };
  }

  /** As `reference`, for a handle that has been verified; it is copied out of the request's memory. */
  referenceTo(exported: Export, node: object, handle: Uint8Array): NodeReference {
    return { export: exported, node, handle: handle.slice(), key: keyOf(handle) };
  }

  /** The pseudo directory's export where one stands there; else the directory itself. */
  throughMount(directory: PseudoDirectory): Export | null {
    return directory.exportId === 0 ? null : (this.#byId.get(directory.exportId) ?? null);
  }

  /** Where an export hangs. */
  mountPoint(exported: Export): PseudoDirectory | null {
    return this.#mountPoints.get(exported) ?? null;
  }

  get top(): PseudoDirectory {
    return this.#pseudoFileSystem.top;
  }
}

/** A handle's bytes as a string that can be a key of maps. */
export function keyOf(handle: Uint8Array): string {
  return latin1(handle);
}

function namesOf(path: string): string[] {
  if (!path.startsWith("/")) throw new RangeError(`an export's path starts with "/": "${path}"`);
  const names = path.split("/").filter((name) => name !== "");
  if (names.some((name) => name === "." || name === ".."))
    throw new RangeError(`an export's path has no "." and "..": "${path}"`);
  return names;
}

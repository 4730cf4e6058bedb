/**
 * A disk whose power can be cut at any operation. What was synced stays. Each change that was not is kept, lost or torn, as the seed has it: bytes of
 * files by `DiskFile`, names (creations, renames, removals) as a prefix of what was done, as a journaling file system would, or each by itself.
 */
import type { Clock, SeededRandom } from "@nfs4/timecounter";
import { apply, DiskDirectory, type DiskNode, type NameChange, nodesBelow, touches } from "./disk-directory.ts";
import { type DiskAttributes, DiskFile, type Fate, NO_ATTRIBUTES } from "./disk-file.ts";
import { Machine } from "./machine.ts";

export interface SimulatedDiskOptions {
  readonly random: SeededRandom;
  /** Bytes that are written together or not at all (when a write is torn by sectors). Default 512. */
  readonly sector?: number;
  /** With a clock operations take up to `slowest` µs (default 2000); without one they are done at once. */
  readonly clock?: Clock;
  readonly slowest?: number;
}

export function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated disk`), { code });
}

export class SimulatedDisk {
  readonly random: SeededRandom;
  readonly root: DiskDirectory;
  /** Operations of machines so far. */
  operations = 0;
  /** The power goes in the course of the operation with this number, counted from 1. */
  crashAt: number = Number.POSITIVE_INFINITY;
  /** How often a sync fails: 0 … 1. */
  syncFailures = 0;
  failedSyncs = 0;
  /** Called within the operation that loses its power. */
  onCrash: () => void = () => {};
  /** Machines that have stood on it. */
  boots = 0;
  readonly #options: SimulatedDiskOptions;
  readonly #sector: number;
  #machine: Machine | null = null;
  #pending: NameChange[] = [];
  #nextId = 1;

  constructor(options: SimulatedDiskOptions) {
    this.#options = options;
    this.random = options.random;
    this.#sector = options.sector ?? 512;
    this.root = new DiskDirectory(this.#nextId++, { ...NO_ATTRIBUTES, mode: 0o777 });
  }

  /** The machine that uses it from now on; the one before must have lost its power. */
  boot(): Machine {
    if (this.#machine) throw new Error("a machine has it already");
    this.boots++;
    const { clock = null, slowest = 2000 } = this.#options;
    this.#machine = new Machine(this, clock, slowest);
    return this.#machine;
  }

  cut(): void {
    if (!this.#machine) return;
    this.#machine.alive = false;
    this.#machine = null;
    const fate = this.random.pick<Fate>(["kept", "lost", "mixed", "mixed"]);
    const nodes = new Set([...nodesBelow(this.root), ...this.#pending.flatMap(nodesOf)]);
    for (const node of nodes) if (node instanceof DiskFile) node.lose(this.random, fate, this.#sector);
    for (const change of this.#survivors(fate)) apply(change, "platter");
    this.#pending = [];
    for (const node of nodes) if (node instanceof DiskDirectory) node.names = new Map(node.platter);
    this.onCrash();
  }

  #survivors(fate: Fate): NameChange[] {
    if (fate === "kept") return this.#pending;
    if (fate === "lost") return [];
    if (this.random.chance(0.5)) return this.#pending.slice(0, this.random.below(this.#pending.length + 1));
    return this.#pending.filter(() => this.random.chance(0.5));
  }

  // Effects, for machines.

  makeFile(attributes: DiskAttributes): DiskFile {
    return new DiskFile(this.#nextId++, attributes);
  }

  makeDirectory(attributes: DiskAttributes): DiskDirectory {
    return new DiskDirectory(this.#nextId++, attributes);
  }

  change(change: NameChange): void {
    apply(change, "names");
    this.#pending.push(change);
  }

  /** Throws EIO if it fails. */
  sync(node: DiskNode): void {
    const fails = this.syncFailures > 0 && this.random.chance(this.syncFailures);
    if (node instanceof DiskDirectory) {
      if (!fails) this.syncNames(node);
    } else if (fails) node.failSync(this.random, this.#sector);
    else node.sync();
    if (!fails) return;
    this.failedSyncs++;
    throw diskError("EIO");
  }

  syncNames(directory: DiskDirectory): void {
    for (const change of this.#pending) if (touches(change, directory)) apply(change, "platter");
    this.#pending = this.#pending.filter((change) => !touches(change, directory));
  }

  /** A directory that is there from the beginning. */
  install(name: string): DiskDirectory {
    const node = this.makeDirectory({ ...NO_ATTRIBUTES, mode: 0o777 });
    this.change({ add: { directory: this.root, name, node } });
    this.syncNames(this.root);
    return node;
  }
}

function nodesOf({ remove, add }: NameChange): DiskNode[] {
  return [remove, add].flatMap((entry) => (entry ? [entry.directory, entry.node] : []));
}

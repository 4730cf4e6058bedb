import type { RpcProgram } from "./program.ts";

/** The programs that one side of a connection, or a whole server, executes. */
export class ProgramTable {
  readonly #programs: Map<number, RpcProgram[]> = new Map();

  constructor(programs: Iterable<RpcProgram> = []) {
    for (const program of programs) this.add(program);
  }

  /** Adds a program; further entries of the same number must have other versions. Throws RangeError. */
  add(program: RpcProgram): void {
    if (program.lowVersion > program.highVersion) throw new RangeError("lowVersion is above highVersion");
    const entries = this.#programs.get(program.program) ?? [];
    if (entries.some((entry) => entry.lowVersion <= program.highVersion && program.lowVersion <= entry.highVersion)) {
      throw new RangeError(`program ${program.program} is there already in one of these versions`);
    }
    this.#programs.set(program.program, [...entries, program]);
  }

  remove(program: RpcProgram): void {
    const entries = this.#programs.get(program.program)?.filter((entry) => entry !== program) ?? [];
    if (entries.length === 0) this.#programs.delete(program.program);
    else this.#programs.set(program.program, entries);
  }

  /** All versions of a program; undefined if there is none. */
  versions(program: number): readonly RpcProgram[] | undefined {
    return this.#programs.get(program);
  }
}

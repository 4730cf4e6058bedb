/** A place in a source, counted from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One mistake in a source. */
export interface Diagnostic {
  readonly at: Position;
  readonly message: string;
}

/** `file:line:column: message`, as editors and terminals like it. */
export function formatDiagnostic({ at, message }: Diagnostic): string {
  return `${at.file}:${at.line}:${at.column}: ${message}`;
}

/** Thrown by the compiler with every mistake it found, in order of their places. */
export class XdrCompileError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(formatDiagnostic).join("\n"));
    this.name = "XdrCompileError";
    this.diagnostics = diagnostics;
  }
}

/** Collects mistakes, so that one run reports many. */
export class Diagnostics {
  readonly #found: Diagnostic[] = [];

  report(at: Position, message: string): void {
    // Two checks may stumble over the same place: the first is the cause.
    const seen = this.#found.some((d) => d.at.file === at.file && d.at.line === at.line && d.at.column === at.column);
    if (!seen) this.#found.push({ at, message });
  }

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  /** Throws XdrCompileError if anything was reported; `order` lists the files as they were given. */
  throwIfAny(order: readonly string[]): void {
    if (this.#found.length === 0) return;
    throw new XdrCompileError(
      this.#found.toSorted(
        (a, b) =>
          order.indexOf(a.at.file) - order.indexOf(b.at.file) || a.at.line - b.at.line || a.at.column - b.at.column,
      ),
    );
  }
}

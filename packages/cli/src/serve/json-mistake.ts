/** JSON.parse says that a text is wrong, but not always where. This finds the place (RFC 8259). */

export interface JsonMistake {
  /** In UTF-16 units from the start. */
  readonly position: number;
  readonly expected: string;
}

// Everything from the space on, but quote and backslash.
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;

/** The first mistake; null if there is none. */
export function jsonMistake(text: string): JsonMistake | null {
  const scan = new Scan(text);
  return scan.value() ?? (scan.atEnd() ? null : scan.mistake("the end of the file"));
}

class Scan {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skip(SPACE);
  }

  mistake(expected: string): JsonMistake {
    return { position: this.#position, expected };
  }

  atEnd(): boolean {
    return this.#position === this.#text.length;
  }

  value(): JsonMistake | null {
    if (this.#take("{")) return this.#list("}", () => this.#member());
    if (this.#take("[")) return this.#list("]", () => this.value());
    return this.#token(STRING) || this.#token(SCALAR) ? null : this.mistake("a value");
  }

  #member(): JsonMistake | null {
    if (!this.#token(STRING)) return this.mistake("a name in double quotes");
    return this.#take(":") ? this.value() : this.mistake('":"');
  }

  #list(end: string, element: () => JsonMistake | null): JsonMistake | null {
    if (this.#take(end)) return null;
    for (;;) {
      const wrong = element();
      if (wrong) return wrong;
      if (this.#take(end)) return null;
      if (!this.#take(",")) return this.mistake(`"," or "${end}"`);
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#position] !== character) return false;
    this.#position++;
    return this.#skip(SPACE);
  }

  #token(pattern: RegExp): boolean {
    return this.#skip(pattern) && this.#skip(SPACE);
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#position;
    const found = pattern.test(this.#text);
    if (found) this.#position = pattern.lastIndex;
    return found;
  }
}

import { FileKind, typeBitsOf } from "./stats.ts";

/** As `fs.Dirent`. */
export class Dirent<Name extends string | Buffer = string> extends FileKind {
  readonly name: Name;
  /** The directory that it is in. */
  readonly parentPath: string;
  readonly #typeBits: number;

  /** `type`: as in RFC 8881 §5.8.1.2. */
  constructor(name: Name, parentPath: string, type: number | undefined) {
    super();
    this.name = name;
    this.parentPath = parentPath;
    this.#typeBits = typeBitsOf(type);
  }

  /** What `parentPath` was called before. */
  get path(): string {
    return this.parentPath;
  }

  protected get typeBits(): number {
    return this.#typeBits;
  }
}

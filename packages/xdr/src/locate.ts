import { XdrError } from "./errors.ts";
import { XdrReader } from "./reader.ts";
import { findType, type XdrSchema, type XdrSchemaType } from "./schema.ts";

/**
 * The path of the field that stands at byte `offset` of a message, say `COMPOUND4args.argarray[3].opread.count`, where a value of the
 * type called `name` starts at byte `start` of `bytes`. Only called after an error: decoders keep no path while they read.
 */
export function locate(schema: XdrSchema, name: string, bytes: Uint8Array, start: number, offset: number): string {
  const walk = new Walk(
    schema,
    new XdrReader(bytes, start, bytes.length, { maxDepth: Number.POSITIVE_INFINITY }),
    offset,
  );
  try {
    walk.visit({ ref: name }, name);
  } catch (error) {
    if (!(error instanceof XdrError)) throw error;
  }
  return walk.path;
}

/** Thrown to end the walk. */
class Found extends XdrError {
  constructor() {
    super("XDR_VALUE", 0, "found");
  }
}

/** Reads a message by its schema up to the byte that is looked for. */
class Walk {
  /** The field being read. */
  path = "";
  readonly #schema: XdrSchema;
  readonly #reader: XdrReader;
  readonly #target: number;

  constructor(schema: XdrSchema, reader: XdrReader, target: number) {
    this.#schema = schema;
    this.#reader = reader;
    this.#target = target;
  }

  visit(type: XdrSchemaType, path: string): void {
    const r = this.#reader;
    this.path = path;
    if (typeof type === "string") {
      if (type !== "void") this.#skip(type === "double" || type === "uint64" || type === "int64" ? 8 : 4);
    } else if ("ref" in type) {
      const target = findType(this.#schema, type.ref);
      if (target === undefined) throw new Found();
      this.visit(target, path);
    } else if ("struct" in type) {
      for (const [name, field] of type.struct) this.visit(field, `${path}.${name}`);
    } else if ("union" in type) {
      this.#visitUnion(type, path);
    } else if ("list" in type) {
      this.#visitElements(type.list, this.#uint32(), path);
    } else if ("array" in type) {
      this.#visitElements(type.array, type.length, path);
    } else if ("chain" in type) {
      const link = { ref: type.chain };
      for (let i = 0; (i === 0 && type.nonEmpty) || this.#uint32() === 1; i++) {
        this.visit(link, `${path}[${i}]`);
        this.path = path;
      }
    } else if ("optional" in type) {
      if (this.#uint32() === 1) this.visit(type.optional, path);
    } else if ("enum" in type) {
      this.#skip(4);
    } else {
      const length = "opaque" in type ? type.opaque : this.#uint32();
      this.#skip(Math.min(length + (-length & 3), r.remaining + 1));
    }
  }

  #visitUnion(type: Extract<XdrSchemaType, { union: unknown }>, path: string): void {
    const [name] = type.union;
    const at = this.#reader.offset;
    this.visit(type.union[1], `${path}.${name}`);
    const value = new DataView(this.#reader.bytes.buffer, this.#reader.bytes.byteOffset).getUint32(at);
    const arm = type.arms.find(([cases]) => cases.some((known) => known >>> 0 === value));
    const field = arm === undefined ? type.otherwise : ([arm[1], arm[2]] as const);
    if (field === null) throw new Found();
    if (field[1] !== "void") this.visit(field[1], `${path}.${field[0]}`);
  }

  #visitElements(element: XdrSchemaType, length: number, path: string): void {
    for (let i = 0; i < length; i++) this.visit(element, `${path}[${i}]`);
    this.path = path;
  }

  #uint32(): number {
    this.#check(4);
    return this.#reader.uint32();
  }

  #skip(bytes: number): void {
    this.#check(bytes);
    this.#reader.skip(bytes);
  }

  /** Ends the walk if the byte looked for is among the next ones, or if there are not so many. */
  #check(bytes: number): void {
    const { offset, end } = this.#reader;
    if (this.#target < offset + bytes || offset + bytes > end) throw new Found();
  }
}

import { findType, type XdrSchema, type XdrSchemaField, type XdrSchemaType } from "./schema.ts";
import { XdrWriter } from "./writer.ts";

export interface RandomMessageOptions {
  /** Keep 64-bit integers within what a number holds exactly, for fields in number mode. Default false. */
  readonly safeIntegers?: boolean;
  /** At this depth of nesting optional data is absent and arrays are empty. Default 8. */
  readonly maxDepth?: number;
}

/**
 * A valid, canonical message of the type called `name`, made from `random` (0 to below 1, as Math.random), for tests: reading it and
 * writing the value again must give the same bytes.
 */
export function randomMessage(
  schema: XdrSchema,
  name: string,
  random: () => number,
  options: RandomMessageOptions = {},
): Uint8Array {
  const maker = new MessageMaker(schema, random, options);
  maker.make({ ref: name }, 0);
  return maker.writer.bytes();
}

class MessageMaker {
  readonly writer: XdrWriter = new XdrWriter();
  readonly #schema: XdrSchema;
  readonly #random: () => number;
  readonly #safeIntegers: boolean;
  readonly #maxDepth: number;

  constructor(schema: XdrSchema, random: () => number, { safeIntegers = false, maxDepth = 8 }: RandomMessageOptions) {
    this.#schema = schema;
    this.#random = random;
    this.#safeIntegers = safeIntegers;
    this.#maxDepth = maxDepth;
  }

  make(type: XdrSchemaType, depth: number): void {
    const w = this.writer;
    if (typeof type === "string") {
      this.#scalar(type);
    } else if ("ref" in type) {
      this.make(this.#find(type.ref), depth + 1);
    } else if ("struct" in type) {
      for (const [, field] of type.struct) this.make(field, depth);
    } else if ("union" in type) {
      this.#union(type, depth);
    } else if ("enum" in type) {
      w.int32(type.open && this.#chance(0.1) ? this.#word() | 0 : this.#pick(type.enum));
    } else if ("optional" in type) {
      const present = this.#hasMore(depth);
      w.bool(present);
      if (present) this.make(type.optional, depth + 1);
    } else if ("chain" in type) {
      const link = { ref: type.chain };
      if (type.nonEmpty) this.make(link, depth + 1);
      for (; this.#hasMore(depth); this.make(link, depth + 1)) w.bool(true);
      w.bool(false);
    } else if ("list" in type) {
      const length = this.#length(type.max, depth);
      w.uint32(length);
      for (let i = 0; i < length; i++) this.make(type.list, depth + 1);
    } else if ("array" in type) {
      for (let i = 0; i < type.length; i++) this.make(type.array, depth + 1);
    } else if ("opaque" in type) {
      w.opaqueFixed(this.#bytes(type.opaque), type.opaque);
    } else if ("bytes" in type) {
      w.opaque(this.#bytes(this.#length(type.bytes, 0)));
    } else {
      w.string(this.#text(this.#length(type.string, 0)));
    }
  }

  #scalar(type: Extract<XdrSchemaType, string>): void {
    const w = this.writer;
    switch (type) {
      case "void":
        break;
      case "uint32":
        w.uint32(this.#word());
        break;
      case "int32":
        w.int32(this.#word() | 0);
        break;
      case "bool":
        w.bool(this.#chance(0.5));
        break;
      case "float":
        w.float((this.#random() - 0.5) * 2 ** 20);
        break;
      case "double":
        w.double((this.#random() - 0.5) * 2 ** 40);
        break;
      case "uint64":
        w.uint32(this.#safeIntegers ? this.#word() >>> 11 : this.#word());
        w.uint32(this.#word());
        break;
      case "int64":
        w.int32(this.#safeIntegers ? (this.#word() | 0) >> 11 : this.#word() | 0);
        w.uint32((this.#word() | 1) >>> 0); // odd: -2^53 is no safe integer
        break;
    }
  }

  #union({ union, arms, otherwise }: Extract<XdrSchemaType, { union: unknown }>, depth: number): void {
    const cases = arms.flatMap(([values]) => values);
    const others = otherwise === null ? [] : this.#others(union[1], cases);
    const isVoid = (field: XdrSchemaField): boolean => field[1] === "void";
    let choices: { values: readonly number[]; field: XdrSchemaField }[] = arms.map(([values, name, type]) => ({
      values,
      field: [name, type],
    }));
    if (otherwise !== null && others.length > 0) choices.push({ values: others, field: otherwise });
    if (depth >= this.#maxDepth && choices.some(({ field }) => isVoid(field))) {
      choices = choices.filter(({ field }) => isVoid(field));
    }
    const { values, field } = this.#pick(choices);
    this.writer.uint32(this.#pick(values) >>> 0);
    this.make(field[1], depth + 1);
  }

  /** Values of a discriminant that are not among the cases. */
  #others(type: XdrSchemaType, cases: readonly number[]): number[] {
    let domain = type;
    while (typeof domain !== "string" && "ref" in domain) domain = this.#find(domain.ref);
    const values =
      domain === "bool"
        ? [0, 1]
        : typeof domain !== "string" && "enum" in domain
          ? domain.enum
          : [this.#word(), this.#word() & 0xff];
    return values.filter((value) => !cases.includes(value));
  }

  #find(name: string): XdrSchemaType {
    const type = findType(this.#schema, name);
    if (type === undefined) throw new RangeError(`the schema has no type ${name}`);
    return type;
  }

  /** A text of exactly so many bytes of UTF-8, with characters of all lengths. */
  #text(bytes: number): string {
    let text = "";
    for (let left = bytes; left > 0; ) {
      const width = Math.min(left, this.#chance(0.8) ? 1 : 1 + Math.floor(this.#random() * 4));
      text += ["", "a", "é", "→", "😀"][width]!;
      left -= width;
    }
    return text;
  }

  #bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#word() & 0xff);
  }

  /** Mostly short, sometimes none, at the limit where that is near. */
  #length(max: number, depth: number): number {
    if (depth >= this.#maxDepth) return 0;
    return Math.min(max, Math.floor(this.#random() * (this.#chance(0.2) ? 40 : 4)));
  }

  #hasMore(depth: number): boolean {
    return depth < this.#maxDepth && this.#chance(0.5);
  }

  /** Any 32 bits; the extremes often. */
  #word(): number {
    if (this.#chance(0.2)) return this.#pick([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]);
    return Math.floor(this.#random() * 2 ** 32);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }
}

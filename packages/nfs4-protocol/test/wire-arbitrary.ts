import { findType, type XdrSchema, type XdrSchemaType, XdrWriter } from "@xdr-ts/xdr";
import fc from "fast-check";

/*
 * Messages made from the schema alone, as bytes: what a peer that follows the RFCs may send. Codecs must read each and write it back
 * byte for byte.
 */

/** Writes one value. */
type Put = (writer: XdrWriter) => void;

/** 64-bit values near the places where representations break. */
const EDGES = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const MAX_SAFE = 2n ** 53n - 1n;
const MAX_ELEMENTS = 3;
const MAX_BYTES = 9;

export interface WireOptions {
  /** Fields, as "type.field", whose 64-bit value saturates, so that larger ones would not come back. */
  readonly saturating: ReadonlySet<string>;
}

/** Encodings of the type called `name`. */
export function wire(schema: XdrSchema, name: string, options: WireOptions): fc.Arbitrary<Uint8Array> {
  return new Maker(schema, options).named(name).map((put) => {
    const writer = new XdrWriter();
    put(writer);
    return writer.bytes();
  });
}

class Maker {
  readonly #schema: XdrSchema;
  readonly #options: WireOptions;
  readonly #made = new Map<string, fc.Arbitrary<Put>>();

  constructor(schema: XdrSchema, options: WireOptions) {
    this.#schema = schema;
    this.#options = options;
  }

  named(name: string): fc.Arbitrary<Put> {
    let made = this.#made.get(name);
    if (made === undefined) {
      const type = findType(this.#schema, name);
      if (type === undefined) throw new Error(`no type ${name}`);
      made = this.#of(type, name);
      this.#made.set(name, made);
    }
    return made;
  }

  #of(type: XdrSchemaType, path: string): fc.Arbitrary<Put> {
    if (typeof type === "string") return this.#scalar(type, path);
    if ("ref" in type) return this.#options.saturating.has(path) ? saturating() : this.named(type.ref);
    if ("opaque" in type) return bytes(type.opaque, type.opaque).map((data) => (w) => w.opaqueFixed(data, type.opaque));
    if ("bytes" in type) return bytes(0, Math.min(type.bytes, MAX_BYTES)).map((data) => (w) => w.opaque(data));
    if ("string" in type) return fc.string({ unit: "binary", maxLength: 4 }).map((text) => (w) => w.string(text));
    if ("array" in type) return list(this.#of(type.array, path), type.length, type.length);
    if ("list" in type) {
      const elements = list(this.#of(type.list, path), 0, Math.min(type.max, MAX_ELEMENTS));
      return elements.map((put) => put);
    }
    if ("optional" in type) return this.#optional(this.#of(type.optional, path));
    if ("chain" in type) return this.#chain(type.chain, type.nonEmpty);
    if ("enum" in type) {
      const listed = fc.constantFrom(...type.enum);
      const value = type.open ? fc.oneof(listed, fc.integer()) : listed;
      return value.map((n) => (w) => w.int32(n));
    }
    if ("struct" in type) {
      return sequence(type.struct.map(([field, fieldType]) => this.#of(fieldType, `${path}.${field}`)));
    }
    return this.#union(type, path);
  }

  #scalar(type: Extract<XdrSchemaType, string>, path: string): fc.Arbitrary<Put> {
    switch (type) {
      case "void":
        return fc.constant(() => {});
      case "bool":
        return fc.boolean().map((value) => (w) => w.bool(value));
      case "uint32":
        return fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => (w) => w.uint32(value));
      case "int32":
        return fc.integer().map((value) => (w) => w.int32(value));
      case "uint64":
      case "int64":
        return this.#options.saturating.has(path) ? saturating() : hyper();
      default:
        throw new Error(`NFS has no ${type}`);
    }
  }

  #optional(element: fc.Arbitrary<Put>): fc.Arbitrary<Put> {
    return fc.option(element).map((put) => (w) => {
      w.bool(put !== null);
      put?.(w);
    });
  }

  #chain(link: string, nonEmpty: boolean): fc.Arbitrary<Put> {
    if (nonEmpty) throw new Error("NFS has no such list");
    return fc.array(this.named(link), { maxLength: MAX_ELEMENTS }).map((puts) => (w) => {
      for (const put of puts) {
        w.bool(true);
        put(w);
      }
      w.bool(false);
    });
  }

  #union({ union, arms, otherwise }: Extract<XdrSchemaType, { union: unknown }>, path: string): fc.Arbitrary<Put> {
    const choices = arms.flatMap(([cases, name, type]) =>
      cases.map((value) => this.#arm(fc.constant(value), type, `${path}.${name}`)),
    );
    if (otherwise !== null) {
      const taken = new Set(arms.flatMap(([cases]) => cases));
      const others = this.#valuesOf(union[1]).filter((value) => !taken.has(value));
      choices.push(this.#arm(others, otherwise[1], `${path}.${otherwise[0]}`));
    }
    return fc.oneof(...choices);
  }

  #arm(values: fc.Arbitrary<number>, type: XdrSchemaType, path: string): fc.Arbitrary<Put> {
    return fc.tuple(values, this.#of(type, path)).map(([value, put]) => (w) => {
      w.int32(value);
      put(w);
    });
  }

  /** What a discriminant may be, as 32-bit integers. */
  #valuesOf(type: XdrSchemaType): fc.Arbitrary<number> {
    if (type === "bool") return fc.constantFrom(0, 1);
    if (typeof type === "string") return fc.integer();
    if ("ref" in type) return this.#valuesOf(findType(this.#schema, type.ref)!);
    if ("enum" in type)
      return type.open ? fc.oneof(fc.constantFrom(...type.enum), fc.integer()) : fc.constantFrom(...type.enum);
    throw new Error("not a discriminant");
  }
}

function sequence(puts: readonly fc.Arbitrary<Put>[]): fc.Arbitrary<Put> {
  return fc.tuple(...puts).map((all) => (w) => {
    for (const put of all) put(w);
  });
}

/** Elements behind their number where it varies. */
function list(element: fc.Arbitrary<Put>, minLength: number, maxLength: number): fc.Arbitrary<Put> {
  return fc.array(element, { minLength, maxLength }).map((puts) => (w) => {
    if (minLength !== maxLength || minLength === 0) w.uint32(puts.length);
    for (const put of puts) put(w);
  });
}

function bytes(minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength });
}

function hyper(): fc.Arbitrary<Put> {
  const value = fc.oneof(fc.constantFrom(...EDGES), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
  return value.map((n) => (w) => w.uint64(n));
}

function saturating(): fc.Arbitrary<Put> {
  return fc.bigInt({ min: 0n, max: MAX_SAFE }).map((n) => (w) => w.uint64(n));
}

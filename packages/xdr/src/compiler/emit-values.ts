import { type Emission, elementId } from "./emission.ts";
import { isOptional, typeText } from "./emit-types.ts";
import { minBytes } from "./measure.ts";
import { type Type, underlying } from "./model.ts";

const HYPER_METHODS = { bigint: "", pair: "Pair", number: "Number" } as const;

/** An expression that reads a value of `type` from `r`. */
export function decodeText(type: Type, emission: Emission): string {
  switch (type.kind) {
    case "void":
      return "undefined";
    case "scalar":
      return `r.${type.scalar}()`;
    case "hyper":
      return type.mode === "raw" ? "r.opaqueFixed(8)" : `r.${hyperMethod(type)}()`;
    case "opaque":
      return `r.opaqueFixed(${emission.bound(type.length)})`;
    case "bytes":
      return `r.opaque(${emission.maximum(type.max).slice(2)})`;
    case "string":
      return `r.string(${emission.maximum(type.max).slice(2)})`;
    case "array":
      return `${arrayHelper("decode", type.element, emission)}(r, ${emission.bound(type.length)})`;
    case "list":
      return `${listHelper("decode", type.element, emission)}(r${emission.maximum(type.max)})`;
    case "optional": {
      const element = decodeText(type.element, emission);
      return `r.bool() ? ${isOptional(type.element) ? `[${element}]` : element} : null`;
    }
    case "chain":
      return `${chainHelper("decode", type, emission)}(r)`;
    case "named": {
      const behind = underlying(type);
      if (behind.kind === "scalar" || behind.kind === "hyper") return decodeText(behind, emission);
      return `${emission.functionName("decode", type.definition)}(r)`;
    }
  }
}

/** Statements, one a line, that write the value of the expression `value` to `w`. */
export function encodeText(type: Type, value: string, emission: Emission): string[] {
  switch (type.kind) {
    case "void":
      return [];
    case "scalar":
      return [`w.${type.scalar}(${value});`];
    case "hyper":
      return [type.mode === "raw" ? `w.opaqueFixed(${value}, 8);` : `w.${hyperMethod(type)}(${value});`];
    case "opaque":
      return [`w.opaqueFixed(${value}, ${emission.bound(type.length)});`];
    case "bytes":
      return [`w.opaque(${value}${emission.maximum(type.max)});`];
    case "string":
      return [`w.string(${value}${emission.maximum(type.max)});`];
    case "array":
      return [`${arrayHelper("encode", type.element, emission)}(w, ${value}, ${emission.bound(type.length)});`];
    case "list":
      return [`${listHelper("encode", type.element, emission)}(w, ${value}${emission.maximum(type.max)});`];
    case "optional": {
      const inner = encodeText(type.element, isOptional(type.element) ? `${value}[0]` : value, emission);
      return [`w.bool(${value} !== null);`, ...guarded(`${value} !== null`, inner)];
    }
    case "chain":
      return [`${chainHelper("encode", type, emission)}(w, ${value});`];
    case "named": {
      const behind = underlying(type);
      if (behind.kind === "scalar" || behind.kind === "hyper") return encodeText(behind, value, emission);
      return [`${emission.functionName("encode", type.definition)}(w, ${value});`];
    }
  }
}

function hyperMethod({ signed, mode }: Type & { kind: "hyper" }): string {
  // A pair is the two's complement of a signed value.
  if (mode === "pair") return "uint64Pair";
  return `${signed ? "int64" : "uint64"}${mode === "raw" ? "" : HYPER_METHODS[mode]}`;
}

function guarded(condition: string, statements: readonly string[]): string[] {
  if (statements.length === 1) return [`if (${condition}) ${statements[0]}`];
  return [`if (${condition}) {`, ...statements.map((line) => `  ${line}`), "}"];
}

// Arrays: one function per type of element, so that each call in it has one target

function listHelper(direction: "encode" | "decode", element: Type, emission: Emission): string {
  const name = emission.ownFunction(direction, `list_of_${elementId(element)}`);
  return emission.helper(name, () => {
    const type = elementType(element, emission);
    if (direction === "encode") {
      return lines(
        `function ${name}(w: XdrWriter, v: readonly ${type}[], max = 0xffff_ffff): void {`,
        "  w.arrayLength(v.length, max);",
        ...forEach(element, emission),
        "}",
      );
    }
    return lines(
      `function ${name}(r: XdrReader, max = 0xffff_ffff): ${type}[] {`,
      `  const length = r.arrayLength(max, ${minBytes(element)});`,
      `  const list = new Array<${type}>(length);`,
      `  for (let i = 0; i < length; i++) list[i] = ${decodeText(element, emission)};`,
      "  return list;",
      "}",
    );
  });
}

function arrayHelper(direction: "encode" | "decode", element: Type, emission: Emission): string {
  const name = emission.ownFunction(direction, `array_of_${elementId(element)}`);
  return emission.helper(name, () => {
    const type = elementType(element, emission);
    if (direction === "encode") {
      return lines(
        `function ${name}(w: XdrWriter, v: readonly ${type}[], length: number): void {`,
        "  w.fixedLength(v.length, length);",
        ...forEach(element, emission),
        "}",
      );
    }
    return lines(
      `function ${name}(r: XdrReader, length: number): ${type}[] {`,
      `  const list: ${type}[] = [];`,
      `  for (let i = 0; i < length; i++) list.push(${decodeText(element, emission)});`,
      "  return list;",
      "}",
    );
  });
}

function chainHelper(
  direction: "encode" | "decode",
  { link, nonEmpty }: Type & { kind: "chain" },
  emission: Emission,
): string {
  const name = emission.ownFunction(direction, `${nonEmpty ? "some" : "chain"}_of_${link.name}`);
  return emission.helper(name, () => {
    const type = emission.typeName(link);
    const one = `${emission.functionName(direction, link)}`;
    if (direction === "decode") {
      const body = nonEmpty
        ? [`  do chain.push(${one}(r));`, "  while (r.bool());"]
        : [`  while (r.bool()) chain.push(${one}(r));`];
      return lines(
        `function ${name}(r: XdrReader): ${type}[] {`,
        `  const chain: ${type}[] = [];`,
        ...body,
        "  return chain;",
        "}",
      );
    }
    const body = nonEmpty
      ? [
          `  if (v.length === 0) w.fail("expected at least one ${link.name}, found none");`,
          "  for (let i = 0; i < v.length; i++) {",
          "    if (i > 0) w.bool(true);",
          `    ${one}(w, v[i]!);`,
          "  }",
        ]
      : ["  for (const link of v) {", "    w.bool(true);", `    ${one}(w, link);`, "  }"];
    return lines(`function ${name}(w: XdrWriter, v: readonly ${type}[]): void {`, ...body, "  w.bool(false);", "}");
  });
}

function elementType(element: Type, emission: Emission): string {
  const type = typeText(element, emission);
  return type.includes("|") ? `(${type})` : type;
}

function forEach(element: Type, emission: Emission): string[] {
  const statements = encodeText(element, "item", emission);
  if (statements.length === 1) return [`  for (const item of v) ${statements[0]}`];
  return ["  for (const item of v) {", ...statements.map((line) => `    ${line}`), "  }"];
}

/** Lines of code, the last one ended, too. */
export function lines(...parts: string[]): string {
  return `${parts.join("\n")}\n`;
}

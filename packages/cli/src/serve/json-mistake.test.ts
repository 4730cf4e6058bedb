import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonMistake } from "./json-mistake.ts";

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("mistakes in JSON", () => {
  it.each([
    ["", 0, "a value"],
    ["port = 1", 0, "a value"],
    ['{"a": 1,}', 8, "a name in double quotes"],
    ['{"a" 1}', 5, '":"'],
    ['{"a": 1 "b": 2}', 8, '"," or "}"'],
    ["[1, 2", 5, '"," or "]"'],
    ["[1] 2", 4, "the end of the file"],
    ['{"a": "tab\there"}', 6, "a value"],
    ["[01]", 2, '"," or "]"'],
  ])("%j: at %d, %s", (text, position, expected) => {
    expect(jsonMistake(text)).toEqual({ position, expected });
  });

  it("are found where JSON.parse finds some, and nowhere else", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom(...'{}[]:,"\\0-+e.tn x'), (text, at, character) => {
        expect(jsonMistake(text)).toBeNull();
        const place = at % (text.length + 1);
        const changed = text.slice(0, place) + character + text.slice(place + 1);
        expect(jsonMistake(changed) === null).toBe(parses(changed));
      }),
      { numRuns: 2000 },
    );
  });
});

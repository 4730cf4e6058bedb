import { expect, it } from "vitest";
import { emptyTimehands, TimehandsPage } from "./timehands-page.ts";

it("reads what was published last, through another view of the page, and nothing before the first wind-up", () => {
  const writer = new TimehandsPage();
  const reader = new TimehandsPage(writer.buffer);
  const seen = emptyTimehands();
  expect(reader.tryRead(seen)).toBe(false);
  for (let k = 1; k < 100; k++) {
    const hands = {
      counter: k % 8,
      count: k,
      scale: 0.5,
      seconds: k * 2,
      nanoseconds: k / 3,
      wallSeconds: -k,
      wallNanoseconds: 7,
    };
    writer.publish(hands);
    expect(reader.tryRead(seen)).toBe(true);
    expect(seen).toEqual(hands);
  }
  writer.setCounterName(3, "hrtime");
  writer.setCounterName(4, "a-name-of-24-characters.");
  expect([3, 4, 5].map((slot) => reader.counterName(slot))).toEqual(["hrtime", "a-name-of-24-characters.", ""]);
  expect(() => new TimehandsPage(new SharedArrayBuffer(8))).toThrow(RangeError);
});

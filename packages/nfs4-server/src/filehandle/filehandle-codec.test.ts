import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { FilehandleCodec } from "./filehandle-codec.ts";

const codec = new FilehandleCodec(new Uint8Array(16).fill(7));
const handles = fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.uint8Array({ maxLength: 64 }));

test.prop([handles])("give back what they name", ([exportId, key]) => {
  const decoded = codec.decode(codec.encode(exportId, key));
  expect(decoded?.exportId).toBe(exportId);
  expect([...(decoded?.key ?? [])]).toEqual([...key]);
});

test.prop([handles, fc.nat(), fc.integer({ min: 1, max: 255 })])(
  "are refused when a byte differs",
  ([exportId, key], at, flip) => {
    const handle = codec.encode(exportId, key);
    const index = at % handle.length;
    handle[index] = (handle[index] ?? 0) ^ flip;
    expect(codec.decode(handle)).toBeNull();
  },
);

test.prop([fc.uint8Array({ maxLength: 128 })])("are refused when made up", (bytes) => {
  expect(codec.decode(bytes)).toBeNull();
});

test.prop([handles])("of another secret are refused", ([exportId, key]) => {
  expect(new FilehandleCodec(new Uint8Array(16)).decode(codec.encode(exportId, key))).toBeNull();
});

import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { CHECKSUM_GOOD, CHECKSUM_PARTIAL, CHECKSUM_UNKNOWN, type ChecksumState, OutboundPacket } from "../packet.ts";
import { readVirtioHeader, VIRTIO_HEADER, type VirtioMeaning, writeVirtioHeader } from "./virtio-header.ts";

interface Fields {
  readonly flags?: number;
  readonly type?: number;
  readonly size?: number;
  readonly start?: number;
  readonly field?: number;
  readonly payload?: number;
}

function read(fields: Fields): VirtioMeaning | null {
  const payload = fields.payload ?? 3000;
  const view = new DataView(new ArrayBuffer(VIRTIO_HEADER + payload));
  view.setUint8(0, fields.flags ?? 0);
  view.setUint8(1, fields.type ?? 0);
  view.setUint16(4, fields.size ?? 0, true);
  view.setUint16(6, fields.start ?? 0, true);
  view.setUint16(8, fields.field ?? 0, true);
  const meaning: VirtioMeaning = { checksum: CHECKSUM_UNKNOWN as ChecksumState, segmentSize: 0 };
  return readVirtioHeader(view, 0, view.byteLength, meaning) ? meaning : null;
}

describe("virtio-net headers (virtio 1.2 §5.1.6)", () => {
  it.each([
    ["nothing", {}, { checksum: CHECKSUM_UNKNOWN, segmentSize: 0 }],
    ["an unfinished checksum", { flags: 1, start: 20, field: 16 }, { checksum: CHECKSUM_PARTIAL, segmentSize: 0 }],
    ["a verified checksum", { flags: 2 }, { checksum: CHECKSUM_GOOD, segmentSize: 0 }],
    [
      "a super-segment",
      { flags: 1, start: 20, field: 16, type: 1, size: 1448 },
      { checksum: CHECKSUM_PARTIAL, segmentSize: 1448 },
    ],
    [
      "one with CWR",
      { flags: 1, start: 40, field: 16, type: 0x84, size: 1428 },
      { checksum: CHECKSUM_PARTIAL, segmentSize: 1428 },
    ],
    ["a merged one", { type: 1, size: 1448 }, { checksum: CHECKSUM_GOOD, segmentSize: 1448 }],
    ["a super-segment of one segment", { flags: 2, type: 4, size: 4000 }, { checksum: CHECKSUM_GOOD, segmentSize: 0 }],
  ] as const)("say %s", (_what, fields, meaning) => {
    expect(read(fields)).toEqual(meaning);
  });

  it.each([
    ["a checksum field beyond the packet", { flags: 1, start: 2990, field: 16 }],
    ["segments of no bytes", { type: 1, size: 0 }],
    ["a kind of segment that was not agreed on", { type: 3, size: 1000 }],
    ["UDP segments, which were not agreed on", { type: 5, size: 1000 }],
  ] as const)("are refused for %s", (_what, fields) => {
    expect(read(fields)).toBeNull();
  });

  it("are refused if cut short", () => {
    const meaning: VirtioMeaning = { checksum: CHECKSUM_UNKNOWN as ChecksumState, segmentSize: 0 };
    expect(readVirtioHeader(new DataView(new ArrayBuffer(9)), 0, 9, meaning)).toBe(false);
  });

  test.prop([fc.constantFrom(4 as const, 6 as const), fc.boolean(), fc.integer({ min: 0, max: 1460 }), fc.boolean()])(
    "read back as written",
    (family, partial, size, ethernet) => {
      const slab = new Uint8Array(512);
      const view = new DataView(slab.buffer);
      const packet = new OutboundPacket(slab, view, 0);
      const link = ethernet ? 14 : 0;
      packet.family = family;
      packet.checksumOffset = partial || size > 0 ? 16 : -1;
      packet.segmentSize = size;
      packet.headerOffset = packet.transportOffset - (family === 4 ? 20 : 40) - link;
      packet.headerLength = packet.transportOffset + 20 - packet.headerOffset;
      writeVirtioHeader(packet);
      const at = packet.headerOffset - VIRTIO_HEADER;
      const meaning: VirtioMeaning = { checksum: CHECKSUM_UNKNOWN as ChecksumState, segmentSize: 0 };
      expect(readVirtioHeader(view, at, VIRTIO_HEADER + packet.headerLength + 3000, meaning)).toBe(true);
      expect(meaning).toEqual({
        checksum: partial || size > 0 ? CHECKSUM_PARTIAL : CHECKSUM_UNKNOWN,
        segmentSize: size,
      });
      if (packet.checksumOffset < 0) return;
      const field = packet.headerOffset + view.getUint16(at + 6, true) + view.getUint16(at + 8, true);
      expect(field).toBe(packet.transportOffset + 16);
    },
  );
});

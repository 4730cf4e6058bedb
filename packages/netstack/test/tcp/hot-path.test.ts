/** The promises of the hot path: payload is lent and referred to where it lies, and nothing is allocated for each packet. Counts, never times. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { established, HEADERS, STRIDE } from "./treadmill.ts";

const run = promisify(execFile);

describe("the hot path", () => {
  it("lends what comes in order to the sink where the driver laid it", () => {
    const { driver, stream, clock } = established();
    const places: number[] = [];
    stream.setSink({
      data(slab, offset, length) {
        expect(slab).toBe(driver.slab);
        places.push(offset);
        return length;
      },
      end: () => {},
    });
    clock.runForSync(0);
    driver.run(3);
    expect(places).toEqual([0, 1, 2].map((i) => i * STRIDE + HEADERS));
  });

  it("gives the driver what was written by reference", () => {
    const { driver, stream } = established();
    const bytes = new Uint8Array(5000);
    stream.write([{ bytes }]);
    expect(driver.firstSlice).toBe(bytes);
  });

  it("allocates nothing for a segment of data, and acknowledges once a batch", async () => {
    const main = fileURLToPath(new URL("hot-path-main.ts", import.meta.url));
    const { stdout } = await run(process.execPath, ["--expose-gc", "--conditions=source", "--import", "tsx", main]);
    const result = JSON.parse(stdout) as { bytesPerSegment: number; acknowledgments: number; batches: number };
    expect(result).toMatchObject({ isComplete: true, predicted: true });
    // A boxed number or two (sequence numbers of 32 bits), 16 to 30 bytes; the smallest object or closure besides would be 32 more.
    expect(result.bytesPerSegment).toBeLessThan(48);
    expect(result.acknowledgments).toBe(result.batches);
  }, 240_000);
});

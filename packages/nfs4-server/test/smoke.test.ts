import { describe, expect, it } from "vitest";
import { World } from "./harness/world.ts";

describe.each([0, 1, 2])("4.%i", (minor) => {
  it("OPEN, WRITE, CLOSE, READ", async () => {
    const world = await World.create();
    const mount = await world.mount(minor);
    await mount.writeFile("/hello", "world");
    expect(await mount.readFile("/hello")).toBe("world");
    const file = await mount.open("/hello");
    expect((await mount.lock(file, { offset: 0n, length: 10n })).status).toBe("NFS4_OK");
    expect((await mount.unlock(file)).status).toBe("NFS4_OK");
    (await mount.close(file)).ok();
    await world.finish();
  });
});

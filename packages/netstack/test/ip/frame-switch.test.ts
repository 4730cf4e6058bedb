/** Stacks joined by real sockets, as virtual machines would be: User-mode Linux's SEQPACKET and QEMU's stream. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nativeAvailable, socketPair } from "@nfs4/native";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";
import { afterEach, describe, expect, it } from "vitest";
import { createStack, type HostStack } from "../../src/create-stack.ts";
import type { Driver } from "../../src/driver.ts";
import { FrameSwitch } from "../../src/drivers/frame-switch.ts";
import { PortDriver } from "../../src/drivers/port-driver.ts";
import { connectQemu, listenQemu } from "../../src/drivers/qemu-stream.ts";
import { PLAIN_CAPABILITIES } from "../../src/drivers/script-driver.ts";
import { connectUml, frameSocket, listenUml } from "../../src/drivers/uml-socket.ts";
import { ramp, sameBytes } from "./packets.ts";

const available = nativeAvailable();
if (!available.ok) console.warn(`Ethernet over sockets is not tested: ${available.reason}`);

const clock = nodeClock();
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function host(driver: Driver, number: number): HostStack {
  const stack = createStack({ name: `host ${number}`, clock, random: cryptoRandom });
  stack.addInterface({ name: "net0", driver }).addAddress(`10.0.0.${number}/24`);
  const echo = stack.udp.bind({ port: 7, message: ({ bytes, from, fromPort }) => echo.send(bytes, from, fromPort) });
  closing.push(() => stack.close());
  return stack;
}

/** Sends to the echo port and waits for what comes back. */
function echoes(stack: HostStack, number: number, data: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = stack.udp.bind({
      message: ({ bytes }) => {
        resolve(sameBytes(bytes.slice(), data));
        socket.close();
      },
      error: () => resolve(false),
    });
    socket.send(data, `10.0.0.${number}`, 7);
  });
}

function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "netstack-"));
  closing.push(() => rmSync(directory, { recursive: true }));
  return join(directory, "socket");
}

/** Resolves when the switch has so many ports. */
async function ports(frames: FrameSwitch, count: number): Promise<void> {
  while (frames.ports !== count) await new Promise<void>((resolve) => clock.defer(resolve));
}

describe.runIf(available.ok)("Ethernet over sockets", () => {
  it.each([
    ["User-mode Linux's SEQPACKET", listenUml, connectUml],
    ["QEMU's stream", listenQemu, connectQemu],
  ] as const)("joins machines over %s to the stack and to each other", async (_name, listen, connect) => {
    const path = socketPath();
    const frames = listen(path);
    const server = host(frames, 1);
    const guests = [host(connect(path), 2), host(connect(path), 3)] as const;
    await ports(frames, 2);
    // The server announced its address before anybody was there.
    const { transmitDrops } = frames.statistics;
    expect(await echoes(guests[0], 1, ramp(100))).toBe(true);
    expect(await echoes(guests[1], 1, ramp(9000))).toBe(true);
    expect(await echoes(server, 3, ramp(1000))).toBe(true);
    expect(await echoes(guests[0], 3, ramp(1000))).toBe(true);
    await guests[0].close();
    await ports(frames, 1);
    expect(await echoes(server, 3, ramp(10))).toBe(true);
    const again = host(connect(path), 2);
    await ports(frames, 2);
    expect(await echoes(again, 1, ramp(10))).toBe(true);
    expect([frames.statistics.transmitDrops, frames.statistics.receiveErrors]).toEqual([transmitDrops, 0]);
  });

  it("takes inherited sockets", async () => {
    const [one, other] = socketPair("seqpacket");
    host(frameSocket(one), 1);
    expect(await echoes(host(frameSocket(other), 2), 1, ramp(1400))).toBe(true);
  });

  it("the end of a frame that a stream took in part follows without another frame", async () => {
    // More than half of a socket's buffer: the kernel cuts it.
    const frame = new Uint8Array(120_014);
    const capabilities = { ...PLAIN_CAPABILITIES, medium: "ethernet", mtu: 120_000 } as const;
    const open = (fd: number): PortDriver => {
      const driver = new PortDriver({ name: "stream", fd, kind: "stream", virtio: false, capabilities });
      closing.push(() => driver.close());
      driver.start({ ready: () => {}, linkChanged: () => {} }, new Uint8Array(16));
      return driver;
    };
    // Sends until the socket takes no more; the last frame that counts as sent went in part.
    const fill = (driver: PortDriver, most: number): number => {
      let sent = -1;
      while (sent < driver.statistics.packetsSent && driver.statistics.packetsSent < most) {
        sent = driver.statistics.packetsSent;
        driver.sendFrame(frame, 0, frame.length);
      }
      return driver.statistics.packetsSent;
    };
    const count = fill(open(socketPair("stream")[0]), 10_000);
    const [one, other] = socketPair("stream");
    expect(fill(open(one), count)).toBe(count);
    const receiver = open(other);
    let received = 0;
    for (let turn = 0; turn < 10_000 && received < count; turn++) {
      received += receiver.poll(32);
      await new Promise<void>((resolve) => clock.defer(resolve));
    }
    expect(received).toBe(count);
  });

  it("keeps frames for a machine that reads slowly, up to a bound, and counts the rest as dropped", async () => {
    const [one, other] = socketPair("seqpacket");
    const frames = new FrameSwitch({ name: "slow" });
    frames.addPort(one, "message");
    const sender = host(frames, 1);
    const receiver = createStack({ name: "slow", clock, random: cryptoRandom });
    closing.push(() => receiver.close());
    const driver = frameSocket(other);
    receiver.addInterface({ name: "net0", driver }).addAddress("10.0.0.2/24");
    let got = 0;
    receiver.udp.bind({ port: 9, message: () => got++ });
    expect(await echoes(receiver, 1, ramp(1))).toBe(true);
    const socket = sender.udp.bind({ message: () => {} });
    const data = ramp(1400);
    sender.enter();
    for (let i = 0; i < 4000; i++) socket.send(data, "10.0.0.2", 9);
    sender.leave();
    // Once more, after everything before it.
    let done = false;
    receiver.udp.bind({
      port: 10,
      message: () => {
        done = true;
      },
    });
    while (!done) {
      socket.send(data, "10.0.0.2", 10);
      await new Promise<void>((resolve) => clock.defer(resolve));
    }
    const { transmitDrops } = frames.statistics;
    expect(got).toBeGreaterThan(700);
    expect(got + transmitDrops).toBeGreaterThanOrEqual(4000);
  });
});

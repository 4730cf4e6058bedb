import { join } from "node:path";
import { closeFd, PacketPort, READABLE, socketPair, UnixListener } from "@nfs4/native";
import { expect, test } from "vitest";
import { type Guest, startGuest } from "../harness/guest.ts";
import { createScratchDirectory } from "../harness/scratch.ts";

/** The Ethernet frames of a guest that has no tap: this process is its whole network, at 10.97.0.1, and answers ARP and ping. */
class TinyNetwork {
  answered = 0;
  readonly #port: PacketPort;
  readonly #slab = new Uint8Array(1 << 20);
  readonly #packets = new Int32Array(128);
  readonly #headers = new Uint8Array(2048);
  readonly #descriptors = new Int32Array(8);

  constructor(fd: number) {
    this.#port = new PacketPort({
      fd,
      kind: "message",
      slab: this.#slab,
      packets: this.#packets,
      headers: this.#headers,
      descriptors: this.#descriptors,
      alignment: 2,
      maxPacket: 2048,
      onReady: () => this.#receive(),
    });
    this.#port.arm(READABLE);
  }

  #receive(): void {
    const count = this.#port.receive(64) & 0xffff;
    if (count > 64) return; // A negative errno: the guest is gone.
    for (let index = 0; index < count; index++) {
      const offset = this.#packets[2 * index] ?? 0;
      const answer = answerTo(this.#slab.slice(offset, offset + (this.#packets[2 * index + 1] ?? 0)));
      if (!answer) continue;
      this.#headers.set(answer);
      this.#descriptors.set([0, answer.length, 0]);
      if (this.#port.send(0, 1, []) === 1) this.answered++;
    }
    this.#port.arm(READABLE);
  }

  close(): void {
    this.#port.close();
  }
}

const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
const ip = Uint8Array.of(10, 97, 0, 1);

/** ARP (RFC 826) and ICMP echo (RFC 792) replies, and nothing else. */
function answerTo(frame: Uint8Array): Uint8Array | undefined {
  const etherType = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  const answer = frame.slice();
  answer.copyWithin(0, 6, 12);
  answer.set(mac, 6);
  if (etherType === 0x0806 && frame[21] === 1 && same(frame.subarray(38, 42), ip)) {
    answer[21] = 2;
    answer.copyWithin(32, 22, 32);
    answer.set(mac, 22);
    answer.set(ip, 28);
    return answer;
  }
  if (etherType === 0x0800 && frame[23] === 1 && frame[34] === 8 && same(frame.subarray(30, 34), ip)) {
    answer.copyWithin(30, 26, 30);
    answer.set(ip, 26);
    answer[34] = 0;
    // The type went from 8 to 0, so the ones' complement sum has 0x0800 less and its complement that much more (RFC 1624).
    const sum = ((frame[36] ?? 0) << 8) + (frame[37] ?? 0) + 0x0800;
    const folded = (sum & 0xffff) + (sum >> 16);
    answer.set([folded >> 8, folded & 0xff], 36);
    return answer;
  }
  return undefined;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, index) => byte === b[index]);
}

async function pingFrom(guest: Guest): Promise<void> {
  const output = await guest.must("busybox ping -c 5 -i 0.1 -W 2 -s 1400 10.97.0.1");
  expect(output).toContain("5 packets transmitted, 5 packets received");
  expect(guest.kernelComplaints()).toEqual([]);
}

test("a guest on an inherited socket: frames in and out without a tap", async () => {
  const [ours, theirs] = socketPair("seqpacket");
  const network = new TinyNetwork(ours);
  try {
    await using guest = await startGuest({
      link: { fd: theirs },
      addresses: ["10.97.0.2/24"],
      name: "on-a-socketpair",
    });
    closeFd(theirs);
    await pingFrom(guest);
    expect(network.answered).toBeGreaterThanOrEqual(6);
  } finally {
    network.close();
  }
});

test("a guest that connects to a socket's path", async () => {
  using scratch = createScratchDirectory("frames");
  const path = join(scratch.path, "ethernet");
  const networks: TinyNetwork[] = [];
  const listener = new UnixListener(path, "seqpacket", (fd) => networks.push(new TinyNetwork(fd)));
  try {
    await using guest = await startGuest({ link: { bess: path }, addresses: ["10.97.0.2/24"], name: "on-a-path" });
    await pingFrom(guest);
    expect(networks).toHaveLength(1);
  } finally {
    listener.close();
    for (const network of networks) network.close();
  }
});

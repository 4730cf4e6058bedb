/** Our own TCP/IP on both sides of links that lose, duplicate, reorder, delay and part: one link for each client. */
import type { Connector, Listener } from "@nfs4/bytestream";
import { createStack, type HostStack, type Impairments, MemoryLink } from "@nfs4/netstack";
import type { Clock, SeededRandom } from "@nfs4/timecounter";
import { NFS_PORT, type SimulatedNetwork } from "./network.ts";

interface Place {
  readonly link: MemoryLink;
  readonly impairments: Impairments;
  readonly stack: HostStack;
}

/** From a good LAN to a bad radio link. */
function drawImpairments(random: SeededRandom): Impairments {
  const chance = (): number => random.pick([0, 0.005, 0.02, 0.05]);
  return {
    bandwidth: random.pick([100e6, 10e6, 2e6]),
    delay: random.pick([50, 500, 5000, 30_000]),
    jitter: random.pick([0, 100, 5000]),
    loss: chance(),
    duplicate: chance(),
    reorder: chance(),
    reorderDelay: random.pick([1000, 20_000]),
    corrupt: chance() / 4,
  };
}

export class BadNetwork implements SimulatedNetwork {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #secret: Uint8Array;
  readonly #places: Place[];
  #server: HostStack | null = null;

  constructor(clock: Clock, random: SeededRandom, clients: number) {
    this.#clock = clock;
    this.#random = random;
    this.#secret = random.fill(new Uint8Array(32));
    this.#places = Array.from({ length: clients }, (_, index) => {
      const impairments = { loss: 0, ...drawImpairments(random) };
      const link = new MemoryLink(clock, { ...impairments, seed: random.uint32() });
      const stack = createStack({ name: `client${index}`, clock, random: random.fork() });
      stack.addInterface({ name: "net0", driver: link.b }).addAddress(`10.0.${index}.2/24`);
      return { link, impairments, stack };
    });
  }

  serverUp(): Listener {
    const server = createStack({
      name: "server",
      clock: this.#clock,
      random: this.#random.fork(),
      tcpSecret: this.#secret,
    });
    this.#server = server;
    for (const [index, { link }] of this.#places.entries()) {
      link.setLink(true);
      server.addInterface({ name: `net${index}`, driver: link.a }).addAddress(`10.0.${index}.1/24`);
    }
    return server.tcp.listen({ port: NFS_PORT });
  }

  serverDown(): void {
    // What the stack says of its end gets no further than the link.
    for (const { link } of this.#places) link.setLink(false);
    void this.#server?.close();
    this.#server = null;
  }

  connector(client: number): Connector {
    return (this.#places[client] as Place).stack.tcp.connector();
  }

  addressFor(client: number): string {
    return `10.0.${client}.1`;
  }

  partition(client: number, cut: boolean): void {
    const { link, impairments } = this.#places[client] as Place;
    link.impair(cut ? { ...impairments, loss: 1 } : impairments);
  }

  async close(): Promise<void> {
    this.serverDown();
    for (const { stack } of this.#places) await stack.close();
  }
}

import { connect, type Socket } from "node:net";
import { PATIENCE } from "../harness/patience.ts";
import { parseReply, type Reply } from "./wire.ts";

const PATIENCE_MS = 8_000 * PATIENCE;

/** How a connection was ended by the server. */
export type Ending = "closed" | "reset";

/** One end of a connection over a kernel socket, with nothing between the attacker and the bytes. */
export class Peer {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** So many bytes must be there before it is worth to look again. */
  #awaited = 4;
  #ending: Ending | null = null;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const woken = (): void => {
      const wake = this.#wake;
      this.#wake = null;
      wake?.();
    };
    socket.setNoDelay(true);
    socket.on("data", (bytes) => {
      this.#received.push(bytes);
      this.#receivedBytes += bytes.length;
      woken();
    });
    socket.on("end", () => {
      this.#ending ??= "closed";
      woken();
    });
    socket.on("error", () => {
      this.#ending ??= "reset";
      woken();
    });
    socket.on("close", () => {
      this.#ending ??= "closed";
      woken();
    });
  }

  static open(address: string, port: number): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port, allowHalfOpen: true });
      socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no connection within ${PATIENCE_MS} ms`)));
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.setTimeout(0);
        socket.off("error", reject);
        resolve(new Peer(socket));
      });
    });
  }

  /** Bytes received and not taken by `reply`. */
  get pending(): number {
    return this.#receivedBytes;
  }

  /** How the server ended it, or null if it has not. */
  get ending(): Ending | null {
    return this.#ending;
  }

  send(...parts: readonly Uint8Array[]): void {
    if (!this.#socket.writable) return;
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  }

  /** As `send`, and waits until the kernel has taken it all. */
  async sendAll(bytes: Uint8Array): Promise<void> {
    if (!this.#socket.writable) return;
    await new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  /** Half-closes. */
  finish(): void {
    this.#socket.end();
  }

  /** Stops reading, so that the window closes. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Resets. */
  drop(): void {
    this.#socket.resetAndDestroy();
  }

  /** The next reply; null once the server has ended the connection. Throws for what is no reply, and if nothing comes for long. */
  async reply(): Promise<Reply | null> {
    for (;;) {
      const content = this.#takeRecord();
      if (content) return parseReply(content);
      if (this.#ending) return null;
      await this.#change("no reply");
    }
  }

  /** Waits for the server to end the connection. Throws if it does not. */
  async ended(): Promise<Ending> {
    while (!this.#ending) await this.#change("still open");
    return this.#ending;
  }

  #takeRecord(): Uint8Array | null {
    if (this.#receivedBytes < this.#awaited) return null;
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)];
    const bytes = this.#received[0]!;
    const header = bytes.readUInt32BE(0);
    if (header < 0x8000_0000) throw new Error("a reply of several fragments");
    const length = header - 0x8000_0000;
    this.#awaited = 4 + length;
    if (bytes.length < this.#awaited) return null;
    this.#awaited = 4;
    this.#received = [bytes.subarray(4 + length)];
    this.#receivedBytes -= 4 + length;
    return bytes.subarray(4, 4 + length);
  }

  #change(complaint: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wake = null;
        reject(new Error(`${complaint} after ${PATIENCE_MS} ms`));
      }, PATIENCE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

import { addon } from "./addon.ts";
import { checked, NativeError } from "./errno.ts";
import { READABLE, Watcher } from "./watcher.ts";

/** `seqpacket` keeps message boundaries (UML's `bess` and `fd` transports); `stream` is for QEMU's `-netdev stream`. */
export type UnixSocketType = "seqpacket" | "stream";

/** Connects to a Unix socket. The caller owns the descriptor: non-blocking, close-on-exec, with large buffers. */
export function connectUnix(path: string, type: UnixSocketType): number {
  return checked(addon().connectUnix(path, type === "stream"), "connect", path);
}

/** A connected pair of sockets: give one to a child process as an entry of `stdio`. The caller owns both descriptors. */
export function socketPair(type: UnixSocketType): [number, number] {
  const pair = addon().socketPair(type === "stream");
  if (typeof pair === "number") throw new NativeError("socketpair", pair);
  return pair;
}

/** Makes an inherited descriptor non-blocking and close-on-exec, and returns it. It stays the caller's. */
export function adoptFd(fd: number): number {
  checked(addon().setNonBlocking(fd), "fcntl", `descriptor ${fd}`);
  return fd;
}

/** Closes a descriptor that its owner has not handed on. Throws NativeError EBADF if it is not open. */
export function closeFd(fd: number): void {
  checked(addon().closeFd(fd), "close", `descriptor ${fd}`);
}

/** A second descriptor, close-on-exec, for the same open file. */
export function dupFd(fd: number): number {
  return checked(addon().dupFd(fd), "dup", `descriptor ${fd}`);
}

/**
 * Listens at a path. UML's `transport=bess,dst=PATH` and QEMU's `-netdev stream,server=off` connect to us, so this is the usual
 * side to be on. A socket left behind by a process that died is replaced; one that answers is EADDRINUSE.
 */
export class UnixListener {
  readonly path: string;
  readonly #fd: number;
  readonly #watcher: Watcher;
  readonly #onConnection: (fd: number) => void;
  #open = true;

  /** @param onConnection Receives each connection's descriptor (non-blocking, close-on-exec) and owns it. */
  constructor(path: string, type: UnixSocketType, onConnection: (fd: number) => void) {
    this.path = path;
    this.#onConnection = onConnection;
    this.#fd = checked(addon().listenUnix(path, type === "stream"), "listen", path);
    this.#watcher = new Watcher(this.#fd, () => this.#acceptAll());
    this.#watcher.arm(READABLE);
  }

  /** Whether it keeps the process alive; true at first. */
  setReferenced(keepAlive: boolean): void {
    this.#watcher.setReferenced(keepAlive);
  }

  /** Stops listening and leaves the socket's name behind (whoever listens next replaces it). Connections stay. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watcher.close();
    closeFd(this.#fd);
  }

  #acceptAll(): void {
    while (this.#open) {
      const fd = addon().acceptUnix(this.#fd);
      if (fd < 0) break; // EAGAIN, or a descriptor shortage, after which the next event tries again
      this.#onConnection(fd);
    }
    if (this.#open) this.#watcher.arm(READABLE);
  }
}

import type { Duplex } from "node:stream";

/**
 * The host's end of the line protocol that `guest/agent.sh` speaks. Knows nothing of files or processes: it sends verbs and matches answers
 * to those who wait.
 */
export interface GuestChannel {
  /** Settles when the agent has come up, with the guest's uptime in seconds. */
  readonly ready: Promise<number>;
  /** Starts job `id`, gives its exit status. */
  runJob(id: number): Promise<number>;
  killJob(id: number): void;
  /** True if the agent answers within `timeoutMs`. */
  isAlive(timeoutMs: number): Promise<boolean>;
  /** One letter for /proc/sysrq-trigger. */
  sysrq(letter: string): void;
  powerOff(): void;
  /** The guest is gone: everything that waits rejects with `reason`, and so does everything asked from now on. */
  fail(reason: Error): void;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(reason: Error): void;
}

export function openGuestChannel(line: Duplex): GuestChannel {
  const jobs = new Map<number, Waiter<number>>();
  const pings = new Map<number, (answered: boolean) => void>();
  let nextPing = 1;
  let failure: Error | undefined;
  let settleReady: Waiter<number> | undefined;
  const ready = new Promise<number>((resolve, reject) => {
    settleReady = { resolve, reject };
  });
  ready.catch(() => undefined);

  const send = (text: string): void => {
    if (!failure && !line.destroyed) line.write(`${text}\n`);
  };

  const onLine = (text: string): void => {
    const [verb, first, second] = text.split(" ");
    const id = Number(first);
    switch (verb) {
      case "ready":
        settleReady?.resolve(id);
        break;
      case "done":
        jobs.get(id)?.resolve(Number(second));
        jobs.delete(id);
        break;
      case "pong":
        pings.get(id)?.(true);
        break;
    }
  };

  let partial = "";
  line.setEncoding("utf8");
  line.on("data", (chunk: string) => {
    const lines = (partial + chunk).split("\n");
    partial = lines.pop() ?? "";
    for (const text of lines) onLine(text.trimEnd());
  });
  line.on("error", () => undefined);

  return {
    ready,
    runJob(id) {
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        jobs.set(id, { resolve, reject });
        send(`run ${id}`);
      });
    },
    killJob: (id) => send(`kill ${id}`),
    isAlive(timeoutMs) {
      if (failure) return Promise.resolve(false);
      return new Promise((resolve) => {
        const id = nextPing++;
        const timer = setTimeout(() => pings.get(id)?.(false), timeoutMs);
        pings.set(id, (answered) => {
          clearTimeout(timer);
          pings.delete(id);
          resolve(answered);
        });
        send(`ping ${id}`);
      });
    },
    sysrq: (letter) => send(`sysrq ${letter}`),
    powerOff: () => send("poweroff"),
    fail(reason) {
      if (failure) return;
      failure = reason;
      settleReady?.reject(reason);
      for (const waiter of jobs.values()) waiter.reject(reason);
      jobs.clear();
      for (const answer of [...pings.values()]) answer(false);
      line.destroy();
    },
  };
}

import type { Namespace } from "./namespace.ts";
import { startServerProcess } from "./process.ts";

/** A running tcpdump, for servers that do not write captures of their own. */
export interface Capture {
  readonly file: string;
  /** Ends the capture; `file` is complete afterwards. Fails if the kernel dropped packets, for then nothing can be concluded from it. */
  stop(): Promise<void>;
}

/** Captures what crosses an interface of the namespace (default: its bridge) into `file`. */
export async function startCapture(
  namespace: Namespace,
  file: string,
  options: { device?: string } = {},
): Promise<Capture> {
  const argv = [
    "tcpdump",
    "-i",
    options.device ?? namespace.bridge,
    "-s",
    "0",
    "-B",
    "65536",
    "-Z",
    "root",
    "-U",
    "-w",
    file,
  ];
  const dump = startServerProcess(argv, { namespace });
  await dump.waitForLine(/listening on/, { stream: "stderr" });
  return {
    file,
    async stop() {
      dump.signal("SIGINT");
      await dump.ended;
      const dropped = /(\d+) packets? dropped by kernel/.exec(dump.stderr)?.[1];
      if (dropped !== "0") throw new Error(`the capture is not complete\n${dump.stderr}`);
    },
  };
}

/** A capture of the stack's link, into a file. */
import { createWriteStream, openSync, type WriteStream } from "node:fs";
import { captureInterface, type NetworkInterface } from "@nfs4/netstack";
import { messageOf, SettingsError } from "./settings-error.ts";

export interface RunningCapture {
  /** Resolves when the file is complete. Idempotent. */
  stop(): Promise<void>;
}

/** Opens the file before anything is sent. Only its owner can read it: it holds what clients read and write. */
export function openCaptureFile(file: string): WriteStream {
  try {
    return createWriteStream(file, { fd: openSync(file, "w", 0o600) });
  } catch (error) {
    throw new SettingsError("pcap", `cannot write the capture: ${messageOf(error)}`);
  }
}

/** `failed` is called if the file cannot be written any more; the stack carries on without the capture. */
export function startCapture(
  out: WriteStream,
  iface: NetworkInterface,
  failed: (error: Error) => void,
): RunningCapture {
  // The writer's memory is its own: what waits for the disk is a copy.
  const capture = captureInterface(iface, (bytes) => out.write(bytes.slice()));
  out.on("error", (error) => {
    capture.stop();
    failed(error);
  });
  return {
    stop: () => {
      capture.stop();
      return new Promise((resolve) => (out.closed ? resolve() : out.once("close", resolve).end()));
    },
  };
}

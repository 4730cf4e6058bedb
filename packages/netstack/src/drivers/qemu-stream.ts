import { connectUnix, UnixListener } from "@nfs4/native";
import { FrameSwitch, type FrameSwitchOptions } from "./frame-switch.ts";

/**
 * QEMU without privilege: `-netdev stream,id=n0,server=off,addr.type=unix,addr.path=PATH` connects to this socket (frames behind a 4-byte big-endian
 * length). Any number of guests may come and go. Throws NativeError EADDRINUSE if somebody listens there.
 */
export function listenQemu(path: string, options: Partial<FrameSwitchOptions> = {}): FrameSwitch {
  const frames = new FrameSwitch({ name: `qemu:${path}`, ...options });
  const listener = new UnixListener(path, "stream", (fd) => frames.addPort(fd, "stream"));
  listener.setReferenced(options.keepAlive ?? true);
  frames.onClose(() => listener.close());
  return frames;
}

/** Connects to a QEMU that listens (`server=on`), or to another switch of this kind. Throws NativeError. */
export function connectQemu(path: string, options: Partial<FrameSwitchOptions> = {}): FrameSwitch {
  const frames = new FrameSwitch({ name: `qemu:${path}`, ...options });
  frames.addPort(connectUnix(path, "stream"), "stream");
  return frames;
}

import { adoptFd, connectUnix, UnixListener } from "@nfs4/native";
import { FrameSwitch, type FrameSwitchOptions } from "./frame-switch.ts";

/**
 * User-mode Linux without privilege: `vec0:transport=bess,dst=PATH` connects to this socket (AF_UNIX, SEQPACKET, one message a frame). Any number
 * of guests may come and go. Throws NativeError EADDRINUSE if somebody listens there.
 */
export function listenUml(path: string, options: Partial<FrameSwitchOptions> = {}): FrameSwitch {
  const frames = new FrameSwitch({ name: `uml:${path}`, ...options });
  const listener = new UnixListener(path, "seqpacket", (fd) => frames.addPort(fd, "message"));
  listener.setReferenced(options.keepAlive ?? true);
  frames.onClose(() => listener.close());
  return frames;
}

/** The other way round: connects to a SEQPACKET socket that carries a frame a message. Throws NativeError. */
export function connectUml(path: string, options: Partial<FrameSwitchOptions> = {}): FrameSwitch {
  const frames = new FrameSwitch({ name: `uml:${path}`, ...options });
  frames.addPort(connectUnix(path, "seqpacket"), "message");
  return frames;
}

/** An inherited socket (SEQPACKET or datagrams), as for `vec0:transport=fd,fd=N` with its other end. Owned from here on. */
export function frameSocket(fd: number, options: Partial<FrameSwitchOptions> = {}): FrameSwitch {
  const frames = new FrameSwitch({ name: `fd:${fd}`, ...options });
  frames.addPort(adoptFd(fd), "message");
  return frames;
}

import { Stack, type StackOptions } from "./stack.ts";
import { TcpLayer } from "./tcp/layer.ts";
import { UdpLayer } from "./udp/udp-layer.ts";

/** A stack with its transports. */
export class HostStack extends Stack {
  readonly tcp: TcpLayer;
  readonly udp: UdpLayer;

  constructor(options: StackOptions) {
    super(options);
    this.tcp = new TcpLayer(this);
    this.udp = new UdpLayer(this);
  }
}

export function createStack(options: StackOptions): HostStack {
  return new HostStack(options);
}

import { OddRing } from "./odd-ring.ts";
import { Stack, type StackOptions } from "./stack.ts";
import { TcpLayer } from "./tcp/layer.ts";
import { UdpLayer } from "./udp/udp-layer.ts";

export interface HostStackOptions extends StackOptions {
  /**
   * 32 secret bytes behind TCP's initial sequence numbers and timestamps. Keep them where they outlive the process, so that a peer takes the connections of
   * a restarted stack for newer than those before (RFC 6528, RFC 6191). Default: random.
   */
  readonly tcpSecret?: Uint8Array;
}

/** A stack with its transports. */
export class HostStack extends Stack {
  readonly tcp: TcpLayer;
  readonly udp: UdpLayer;
  /** The last packets, for a look at what led to an odd one. */
  readonly odd: OddRing;

  constructor(options: HostStackOptions) {
    super(options);
    this.odd = new OddRing(this);
    this.tcp = new TcpLayer(this, options.tcpSecret);
    this.udp = new UdpLayer(this);
  }
}

export function createStack(options: HostStackOptions): HostStack {
  return new HostStack(options);
}

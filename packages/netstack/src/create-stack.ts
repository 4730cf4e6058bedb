import { Stack, type StackOptions } from "./stack.ts";
import { TcpLayer } from "./tcp/layer.ts";

/** A stack with its transports. */
export class HostStack extends Stack {
  readonly tcp: TcpLayer;

  constructor(options: StackOptions) {
    super(options);
    this.tcp = new TcpLayer(this);
  }
}

export function createStack(options: StackOptions): HostStack {
  return new HostStack(options);
}

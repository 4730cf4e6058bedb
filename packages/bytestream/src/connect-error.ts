/** Why a `Connector` could not connect. `code` is as Node has it: ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ABORT_ERR … */
export class ConnectError extends Error {
  override readonly name: string = "ConnectError";
  readonly code: string;
  readonly address: string;
  readonly port: number;

  constructor(code: string, to: { readonly address: string; readonly port: number }, cause?: unknown) {
    super(`connect ${to.address}:${to.port}: ${code}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.address = to.address;
    this.port = to.port;
  }
}

/** Why a connection ended. `code` is as Node has it: ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ECONNABORTED … */
export class TcpError extends Error {
  override readonly name: string = "TcpError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

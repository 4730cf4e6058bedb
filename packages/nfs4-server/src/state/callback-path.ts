/** Where a 4.0 client wants to be called back (SETCLIENTID's cb_client4 and callback_ident, RFC 7530 §16.33). */
export interface CallbackPath {
  readonly program: number;
  readonly ident: number;
  readonly netid: string;
  readonly universalAddress: string;
  /** Proven by CB_NULL: only then is it relied upon. */
  proven: boolean;
}

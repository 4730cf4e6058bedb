/**
 * Share reservations (RFC 8881 §9.7): which accesses the openers of one file have and which they deny to others. Counted per bit, so that
 * each opener's contribution can be taken back by itself; decided synchronously and here alone.
 */

/** OPEN4_SHARE_ACCESS_READ / _DENY_READ and so on share their bits: 1 read, 2 write. */
export type ShareBits = 0 | 1 | 2 | 3;

export class ShareReservations {
  #accessRead = 0;
  #accessWrite = 0;
  #denyRead = 0;
  #denyWrite = 0;

  /** True if an open with `access` and `deny` cannot stand beside those that there are, the same owner's included (RFC 8881 §18.16.3). */
  conflicts(access: ShareBits, deny: ShareBits): boolean {
    return (access & this.denied) !== 0 || (deny & this.accessed) !== 0;
  }

  /** What all openers together deny. */
  get denied(): ShareBits {
    return ((this.#denyRead > 0 ? 1 : 0) | (this.#denyWrite > 0 ? 2 : 0)) as ShareBits;
  }

  /** What all openers together have. */
  get accessed(): ShareBits {
    return ((this.#accessRead > 0 ? 1 : 0) | (this.#accessWrite > 0 ? 2 : 0)) as ShareBits;
  }

  add(access: ShareBits, deny: ShareBits): void {
    this.#count(access, deny, 1);
  }

  remove(access: ShareBits, deny: ShareBits): void {
    this.#count(access, deny, -1);
  }

  #count(access: ShareBits, deny: ShareBits, by: 1 | -1): void {
    if (access & 1) this.#accessRead += by;
    if (access & 2) this.#accessWrite += by;
    if (deny & 1) this.#denyRead += by;
    if (deny & 2) this.#denyWrite += by;
  }
}

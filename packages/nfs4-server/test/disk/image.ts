/** The content of a file: bytes that grow where they are written, zeros where nobody has. */
export class Image {
  #bytes: Uint8Array = new Uint8Array(0);

  get size(): number {
    return this.#bytes.length;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  write(offset: number, data: Uint8Array): void {
    if (offset + data.length > this.size) this.resize(offset + data.length);
    this.#bytes.set(data, offset);
  }

  resize(size: number): void {
    const before = this.#bytes;
    this.#bytes = new Uint8Array(size);
    this.#bytes.set(before.subarray(0, size));
  }

  copy(): Image {
    const copy = new Image();
    copy.#bytes = this.#bytes.slice();
    return copy;
  }
}

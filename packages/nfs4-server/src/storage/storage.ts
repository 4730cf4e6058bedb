/** Where the server keeps what must outlive it. Names are plain file names. Injected, so that tests can lose or tear what was not synced. */
export interface Storage {
  /** The whole content, or null if there is none of that name. The caller owns it. */
  read(name: string): Promise<Uint8Array | null>;
  /** Resolves when the bytes stand at the end on stable storage. If it rejects, any prefix of them may stand there. */
  append(name: string, bytes: Uint8Array): Promise<void>;
  /** Resolves when the content is exactly these bytes, on stable storage. Old or new, never a mixture. */
  replace(name: string, bytes: Uint8Array): Promise<void>;
}

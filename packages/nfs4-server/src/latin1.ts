/** Bytes as a string of the same length that can be a key, and back. For keys and names: at most some thousand bytes. */
export function latin1(bytes: Uint8Array): string {
  // One flat string. Adding up characters would make one that is a tree: four times as slow, and 32 bytes in memory for each of its characters.
  return String.fromCharCode.apply(null, bytes as Uint8Array & number[]);
}

export function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

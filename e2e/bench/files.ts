/** What is served in the benchmark, and what the load generator knows of it. */
import { chmodSync, closeSync, mkdirSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

export const BLOCK_BYTES = 4096;
export const FILE_BYTES = 64 << 20;
export const ENTRIES = 1000;
/** To be read: each block begins with its number. */
export const SOURCE = "source";
/** To be written. */
export const SINK = "sink";
/** A directory of small files. */
export const MANY = "many";

export function nameOfEntry(index: number): string {
  return `file-${String(index).padStart(4, "0")}`;
}

/** Makes all of it, for anybody to read and write. */
export function makeFiles(directory: string): void {
  const source = openSync(join(directory, SOURCE), "w");
  const chunk = new Uint8Array(1 << 20).fill(0x5a);
  const view = new DataView(chunk.buffer);
  for (let at = 0; at < FILE_BYTES; at += chunk.length) {
    for (let block = 0; block < chunk.length; block += BLOCK_BYTES) view.setUint32(block, (at + block) / BLOCK_BYTES);
    writeSync(source, chunk);
  }
  closeSync(source);
  writeFileSync(join(directory, SINK), "");
  truncateSync(join(directory, SINK), FILE_BYTES);
  for (const name of [SOURCE, SINK]) chmodSync(join(directory, name), 0o666);
  mkdirSync(join(directory, MANY));
  for (let i = 0; i < ENTRIES; i++) writeFileSync(join(directory, MANY, nameOfEntry(i)), "small", { mode: 0o644 });
  for (const path of [directory, join(directory, MANY)]) chmodSync(path, 0o777);
}

/** The first word of a block of the sink, as it stands in the served directory. */
export function firstWordOfSink(directory: string, block: number): number {
  const file = openSync(join(directory, SINK), "r");
  const word = new Uint8Array(4);
  readSync(file, word, 0, 4, block * BLOCK_BYTES);
  closeSync(file);
  return new DataView(word.buffer).getUint32(0);
}

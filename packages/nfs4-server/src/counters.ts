/** What the server counts. Plain numbers, read by whoever shows them. */
export interface ServerCounters {
  compounds: number;
  /** By operation number. */
  operations: number[];
  /** Results other than NFS4_OK, by status. */
  errors: Map<number, number>;
  /** Replies given again out of a slot, an owner or the duplicate request cache. */
  replays: number;
  readBytes: number;
  writtenBytes: number;
  /** Exceptions of a file system that carried no known error code. */
  faults: number;
  /** Requests refused because their operations could not be decoded. */
  undecodable: number;
}

export function serverCounters(): ServerCounters {
  return {
    compounds: 0,
    operations: new Array<number>(80).fill(0),
    errors: new Map(),
    replays: 0,
    readBytes: 0,
    writtenBytes: 0,
    faults: 0,
    undecodable: 0,
  };
}

/** What becomes of a write that was under way, or still in a cache, when the power goes. */
import type { SeededRandom } from "@nfs4/timecounter";

/** Bytes `from` to `to` (not included) of a write. */
export type Piece = readonly [from: number, to: number];

const WHOLE = "whole";
const LOST = "lost";
const PREFIX = "prefix";
const SECTORS = "sectors";

/** The pieces that reach the platter: all, none, those up to any byte, or any of the sectors. `offset`: where in the file it was to go. */
export function torn(random: SeededRandom, offset: number, length: number, sector: number): Piece[] {
  switch (random.pick([WHOLE, LOST, PREFIX, SECTORS])) {
    case WHOLE:
      return [[0, length]];
    case PREFIX:
      return [[0, random.below(length + 1)]];
    case SECTORS:
      return sectors(offset, length, sector).filter(() => random.chance(0.5));
    default:
      return [];
  }
}

function sectors(offset: number, length: number, sector: number): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < length; ) {
    const to = Math.min(length, from + sector - ((offset + from) % sector));
    pieces.push([from, to]);
    from = to;
  }
  return pieces;
}

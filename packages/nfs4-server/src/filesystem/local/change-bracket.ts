/** A directory's change attribute before and after a change of its entries. */
import type { Statx } from "@nfs4/native";
import type { ChangeInfo } from "../types.ts";
import { ATTRIBUTES_MASK } from "./attributes.ts";
import type { Place } from "./node-keys.ts";
import type { Volume } from "./volume.ts";

export class ChangeBracket {
  readonly #volume: Volume;
  readonly #place: Place;
  readonly #mark: number | null;
  readonly #statx: Statx | number;
  readonly #before: bigint;

  private constructor(volume: Volume, place: Place, mark: number | null, statx: Statx | number) {
    this.#volume = volume;
    this.#place = place;
    this.#mark = mark;
    this.#statx = statx;
    this.#before = this.#report(statx);
  }

  static async open(volume: Volume, place: Place): Promise<ChangeBracket> {
    const mark = volume.watches?.mark(place.fd, place.node) ?? null;
    return new ChangeBracket(volume, place, mark, await volume.metadata.statx(place.fd, null, 0, ATTRIBUTES_MASK));
  }

  /** @param events How many changes of entries were ours; 0 if nothing came of it. */
  async close(events: number): Promise<ChangeInfo> {
    const { node, fd } = this.#place;
    if (events > 0) this.#volume.changed(node);
    const statx = await this.#volume.metadata.statx(fd, null, 0, ATTRIBUTES_MASK);
    const after = this.#report(statx);
    const alone = this.#volume.watches?.since(node, this.#mark) === events && sameOwnerAndMode(this.#statx, statx);
    return { before: this.#before, after, atomic: alone };
  }

  #report(statx: Statx | number): bigint {
    const { node } = this.#place;
    if (typeof statx !== "number") return this.#volume.changes.report(node, statx);
    return node.reported < 0n ? 0n : node.reported;
  }
}

function sameOwnerAndMode(a: Statx | number, b: Statx | number): boolean {
  return typeof a !== "number" && typeof b !== "number" && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

import { PROTOCOL_DESTINATION_OPTIONS, PROTOCOL_FRAGMENT, PROTOCOL_HOP_BY_HOP, PROTOCOL_ROUTING } from "./protocol.ts";

/** What `checkOptions6` found. Values ≥ 0 are the offset (in the packet's slab) of the option that ends the packet. */
export const OPTIONS6_GOOD = -1;
/** To be dropped without a word. */
export const OPTIONS6_DISCARD = -2;

const PAD1 = 0;
/** Set beside the offset: the error is sent though the destination is a group (RFC 8200 §4.2, action 10). */
export const EVEN_TO_GROUPS = 0x4000_0000;

/** Walks the options of a hop-by-hop or destination options header (RFC 8200 §4.2) at `[at, end)`; unknown ones say themselves what to do. */
export function checkOptions6(view: DataView, at: number, end: number, known: (type: number) => boolean): number {
  let position = at;
  while (position < end) {
    const type = view.getUint8(position);
    if (type === PAD1) {
      position++;
      continue;
    }
    if (position + 2 > end) return OPTIONS6_DISCARD;
    const next = position + 2 + view.getUint8(position + 1);
    if (next > end) return OPTIONS6_DISCARD;
    if (!known(type)) {
      const action = type >>> 6;
      if (action === 1) return OPTIONS6_DISCARD;
      if (action === 2) return position | EVEN_TO_GROUPS;
      if (action === 3) return position;
    }
    position = next;
  }
  return OPTIONS6_GOOD;
}

/** PadN, router alert. The jumbo payload option is not among them: its action says to refuse it. */
export function isKnownOption(type: number): boolean {
  return type === 1 || type === 5;
}

/** Whether the next header is one of those that the walk goes through. */
export function isExtensionHeader(next: number): boolean {
  return (
    next === PROTOCOL_HOP_BY_HOP ||
    next === PROTOCOL_ROUTING ||
    next === PROTOCOL_FRAGMENT ||
    next === PROTOCOL_DESTINATION_OPTIONS
  );
}

/** Whether `[at, end)`, beginning with a header of type `next`, holds the header chain up to an upper-layer header (RFC 8200 §4.5, RFC 7112). */
export function holdsHeaderChain(view: DataView, at: number, end: number, next: number): boolean {
  let position = at;
  let type = next;
  while (isExtensionHeader(type)) {
    if (position + 8 > end) return false;
    const length = type === PROTOCOL_FRAGMENT ? 8 : (view.getUint8(position + 1) + 1) * 8;
    type = view.getUint8(position);
    position += length;
  }
  return position <= end;
}

/** Where in a header (IPv6 and the extension headers that follow it) the last "next header" field stands. */
export function lastNextHeaderAt(view: DataView, length: number): number {
  let field = 6;
  let position = 40;
  while (position < length) {
    field = position;
    position += (view.getUint8(position + 1) + 1) * 8;
  }
  return field;
}

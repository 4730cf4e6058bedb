/** Which addresses the stack and the host's side of its link get: free ones, and the same again after a restart. */
import { listAddresses, listRoutes } from "@nfs4/native";

export interface AddressPlan {
  /** Of our stack, with prefix length. */
  readonly address: string;
  /** The host's, on the same link; its prefix length is the same. */
  readonly hostAddress: string;
}

/** Where plans are chosen from: 10.78.0.0/16 in pieces of /24, a corner of 10/8 that few use. */
const FIRST = [10, 78] as const;
const PREFIX_LENGTH = 24;

interface Taken {
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

/** `start`: where to begin looking, 0 … 255. Null if every piece overlaps something that the host has. */
export function chooseAddresses(start: number): AddressPlan | null {
  const taken: Taken[] = [
    ...listAddresses(),
    ...listRoutes()
      .filter(({ prefixLength }) => prefixLength > 8)
      .map(({ destination, prefixLength }) => ({ address: destination, prefixLength })),
  ].filter(({ address }) => address.length === 4);
  return freePlan(start, taken);
}

/** The first piece from `start` on that overlaps nothing taken. */
export function freePlan(start: number, taken: readonly Taken[]): AddressPlan | null {
  for (let i = 0; i < 256; i++) {
    const third = (start + i) % 256;
    const network = Uint8Array.of(...FIRST, third, 0);
    if (taken.some((other) => overlap(network, PREFIX_LENGTH, other.address, other.prefixLength))) continue;
    const prefix = `${FIRST.join(".")}.${third}`;
    return { address: `${prefix}.2/${PREFIX_LENGTH}`, hostAddress: `${prefix}.1` };
  }
  return null;
}

function overlap(a: Uint8Array, aLength: number, b: Uint8Array, bLength: number): boolean {
  const bits = Math.min(aLength, bLength);
  const mask = bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
  return ((wordOf(a) ^ wordOf(b)) & mask) === 0;
}

function wordOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

/** The other host of the network that a stack's own address implies: .1, or .2 if the stack is .1. */
export function hostAddressBeside(address: string): string {
  const [ip = ""] = address.split("/");
  const parts = ip.split(".");
  return [...parts.slice(0, 3), parts[3] === "1" ? "2" : "1"].join(".");
}

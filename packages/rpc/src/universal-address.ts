import type { SocketAddress } from "@nfs4/bytestream";

/** A transport endpoint as rpcbind and NFSv4 write it (RFC 5665): `tcp` and `192.0.2.7.8.1`, `tcp6` and `2001:db8::7.8.1`. */
export interface UniversalAddress {
  readonly netid: string;
  readonly uaddr: string;
}

/** An uaddr of more characters than this is not looked at. */
const LONGEST = 64;

/**
 * Reads netid and uaddr of a TCP endpoint (RFC 5665 §5.2.3.3, §5.2.3.4). Null for another netid or a malformed address. The address comes in
 * canonical text: a dotted quad, or RFC 5952.
 */
export function parseUniversalAddress(netid: string, uaddr: string): SocketAddress | null {
  if (uaddr.length > LONGEST) return null;
  const match = /^(.+)\.(\d{1,3})\.(\d{1,3})$/.exec(uaddr);
  if (match === null) return null;
  const [high, low] = [Number(match[2]), Number(match[3])];
  if (high > 255 || low > 255) return null;
  const port = high * 256 + low;
  if (netid === "tcp") {
    const octets = parseIpv4(match[1]!);
    return octets === null ? null : { family: "IPv4", address: octets.join("."), port };
  }
  if (netid === "tcp6") {
    const groups = parseIpv6(match[1]!);
    return groups === null ? null : { family: "IPv6", address: formatIpv6(groups), port };
  }
  return null;
}

/** Writes a TCP endpoint; null for an address that is neither IPv4 nor IPv6. */
export function formatUniversalAddress(address: SocketAddress): UniversalAddress | null {
  const port = `${address.port >> 8}.${address.port & 255}`;
  if (address.family === "IPv4") {
    const octets = parseIpv4(address.address);
    return octets === null ? null : { netid: "tcp", uaddr: `${octets.join(".")}.${port}` };
  }
  if (address.family === "IPv6") {
    const groups = parseIpv6(address.address);
    return groups === null ? null : { netid: "tcp6", uaddr: `${formatIpv6(groups)}.${port}` };
  }
  return null;
}

function parseIpv4(text: string): number[] | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const octets = match.slice(1).map(Number);
  return octets.every((octet) => octet <= 255) ? octets : null;
}

/** Eight 16-bit groups of an address in any form of RFC 4291 §2.2, or null. */
function parseIpv6(text: string): number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 1 ? [] : parseGroups(halves[1]!, true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function parseGroups(text: string, last: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    const quad = last && i === parts.length - 1 ? parseIpv4(part) : null;
    if (quad !== null) groups.push(quad[0]! * 256 + quad[1]!, quad[2]! * 256 + quad[3]!);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`, the first of equals. */
function formatIpv6(groups: readonly number[]): string {
  let best = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) {
      best = start;
      bestLength = length;
    }
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  if (best < 0) return text(groups);
  return `${text(groups.slice(0, best))}::${text(groups.slice(best + bestLength))}`;
}

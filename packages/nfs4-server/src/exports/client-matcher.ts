/** Which client addresses an export is for. */
import { BlockList, isIP } from "node:net";

export interface ClientMatcher {
  /** `address`: textual IPv4 or IPv6, or the name of an in-memory peer. */
  matches(address: string): boolean;
  readonly description: string;
}

/** Addresses whose verdict is remembered: every filehandle of every call is asked about, and a `BlockList` takes 2 µs. */
const MAX_REMEMBERED = 1024;

export const EVERYBODY: ClientMatcher = { matches: () => true, description: "*" };

/** Throws a `RangeError` that quotes the pattern if one is no address and no prefix. */
export function clientMatcher(patterns: readonly string[]): ClientMatcher {
  if (patterns.includes("*")) return EVERYBODY;
  const list = new BlockList();
  for (const pattern of patterns) {
    const [address = "", prefix, ...more] = pattern.split("/");
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
    if (
      family === 0 ||
      more.length > 0 ||
      !Number.isInteger(bits) ||
      bits < 0 ||
      bits > (family === 4 ? 32 : 128) ||
      prefix === ""
    ) {
      throw new RangeError(`"${pattern}" is neither an IP address nor a prefix such as 10.0.0.0/8`);
    }
    list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
  }
  const verdicts = new Map<string, boolean>();
  return {
    matches(address) {
      let verdict = verdicts.get(address);
      if (verdict === undefined) {
        const family = isIP(address);
        verdict = family !== 0 && list.check(address, family === 4 ? "ipv4" : "ipv6");
        if (verdicts.size >= MAX_REMEMBERED) verdicts.clear();
        verdicts.set(address, verdict);
      }
      return verdict;
    },
    description: patterns.join(", "),
  };
}

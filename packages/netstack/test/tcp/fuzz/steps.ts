/** What a fuzzer's peer and user do: scripts that fast-check draws, and shrinks when one of them breaks something. */
import fc from "fast-check";

/** States that a script begins in (RFC 9293 §3.3.2; "half-open" is one that the SYN cache knows). */
export const STARTS = [
  "LISTEN",
  "half-open",
  "SYN-SENT",
  "SYN-RECEIVED",
  "Fast Open",
  "ESTABLISHED",
  "active ESTABLISHED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
  "TIME-WAIT",
] as const;
export type Start = (typeof STARTS)[number];

/** What a sequence number counts from: where the receiver is, where its window ends, what it has not acknowledged, or the very first. */
export type SeqBase = "next" | "edge" | "acknowledged" | "first";
export type AckBase = "una" | "next" | "first";

export interface Forged {
  readonly seq: readonly [SeqBase, number];
  readonly ack: readonly [AckBase, number];
  readonly flags: string;
  readonly window: number;
  readonly payload: number;
  readonly urgent: number;
  /** Distances from SND.UNA. */
  readonly sack: readonly (readonly [number, number])[];
  /** TSval beside the last one, and TSecr beside what was last heard; undefined: none. */
  readonly timestamps: readonly [number, number] | undefined;
  /** Instead of all other options. */
  readonly rawOptions: readonly number[] | undefined;
  readonly badChecksum: boolean;
  readonly trafficClass: number;
  readonly dataOffset: number | undefined;
}

export type Step =
  | { readonly say: readonly Forged[] }
  /** One of the last segments that the peer sent, once more. */
  | { readonly again: number }
  | { readonly bytes: Uint8Array }
  | { readonly pass: number }
  | { readonly write: number }
  | { readonly icmp: "unreachable" | "too-big" | "time-exceeded"; readonly mtu: number }
  | { readonly act: "shutdown" | "abort" | "read" | "read all" | "acknowledge" | "open" };

const distance = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 50 }) },
  { weight: 4, arbitrary: fc.integer({ min: -3000, max: 3000 }) },
  { weight: 2, arbitrary: fc.integer({ min: -70_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) },
);

const flags = fc.oneof(
  { weight: 8, arbitrary: fc.constant("A") },
  { weight: 2, arbitrary: fc.constantFrom("FA", "S", "SA", "R", "RA", "", "AE", "AC", "SEC", "SAE") },
  { weight: 1, arbitrary: fc.subarray([..."FSRPAUEC"]).map((letters) => letters.join("")) },
);

/** Kinds that mean something, with lengths that may be wrong, and bytes of no meaning. */
const option = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(2, 3, 4, 5, 8, 19, 28, 29, 34, 69, 254),
      fc.integer({ min: -2, max: 2 }),
      fc.uint8Array({ minLength: 0, maxLength: 18 }),
    )
    .map(([kind, wrong, value]) => [kind, Math.max(0, value.length + 2 + wrong) & 0xff, ...value]),
  fc.constant([1]),
  fc.constant([0]),
);
const rawOptions = fc.array(option, { minLength: 1, maxLength: 6 }).map((all) => all.flat().slice(0, 40));

const forged: fc.Arbitrary<Forged> = fc.record({
  seq: fc.tuple(fc.constantFrom<SeqBase[]>("next", "next", "next", "edge", "acknowledged", "first"), distance),
  ack: fc.tuple(fc.constantFrom<AckBase[]>("una", "next", "next", "next", "first"), distance),
  flags,
  window: fc.constantFrom(0, 1, 100, 5000, 65_535),
  payload: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 3000 })),
  urgent: fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 65_535 }) },
  ),
  sack: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.tuple(distance, fc.integer({ min: -5, max: 3000 })).map(([at, length]) => [at, at + length] as const),
        { minLength: 1, maxLength: 4 },
      ),
    },
  ),
  timestamps: fc.option(fc.tuple(fc.integer({ min: -2, max: 100 }), fc.integer({ min: -3, max: 3 })), {
    nil: undefined,
    freq: 6,
  }),
  rawOptions: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: rawOptions }),
  badChecksum: fc.constantFrom(...Array.from({ length: 15 }, () => false), true),
  trafficClass: fc.constantFrom(0, 0, 0, 1, 2, 3, 0xb8),
  dataOffset: fc.constantFrom(...Array.from({ length: 15 }, () => undefined), 0, 4, 15),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ say: fc.array(forged, { minLength: 1, maxLength: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ again: fc.nat({ max: 7 }) }) },
  { weight: 1, arbitrary: fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 60 }) }) },
  { weight: 4, arbitrary: fc.record({ pass: fc.constantFrom(0, 1000, 50_000, 500_000, 3e6, 70e6) }) },
  { weight: 3, arbitrary: fc.record({ write: fc.constantFrom(1, 10, 30, 4000, 20_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      icmp: fc.constantFrom("unreachable" as const, "too-big" as const, "time-exceeded" as const),
      mtu: fc.constantFrom(0, 68, 296, 600, 1280, 1400, 9000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constantFrom(
        "shutdown" as const,
        "read" as const,
        "read all" as const,
        "acknowledge" as const,
        "acknowledge" as const,
        "open" as const,
        "abort" as const,
      ),
    }),
  },
);

export interface Script {
  readonly family: 4 | 6;
  readonly start: Start;
  /** Draws the sysctls and the options that are agreed on. */
  readonly seed: number;
  readonly steps: readonly Step[];
}

export function scripts(starts: readonly Start[] = STARTS, maxLength = 40): fc.Arbitrary<Script> {
  return fc.record({
    family: fc.constantFrom(4 as const, 6 as const),
    start: fc.constantFrom(...starts),
    seed: fc.nat({ max: 0xffff }),
    steps: fc.array(step, { maxLength }),
  });
}

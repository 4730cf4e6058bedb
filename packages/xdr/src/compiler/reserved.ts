/** Words that cannot name a type or a constant in a module of TypeScript. */
const TYPESCRIPT: ReadonlySet<string> = new Set(
  (
    "any arguments await bigint boolean break case catch class const continue debugger default delete do else enum eval export " +
    "extends false finally for function if implements import in instanceof interface let never new null number object package " +
    "private protected public return static string super switch symbol this throw true try typeof undefined unknown var void " +
    "while with yield"
  ).split(" "),
);

/** What generated code means something else by. */
const GENERATED: ReadonlySet<string> = new Set(
  "Array Exclude Record Uint8Array XdrCodec XdrProcedure XdrReader XdrSchema XdrWriter Uint64Pair UnlistedValue codec_void Infinity NaN".split(
    " ",
  ),
);

/** Why a source may not declare `name`, or null. */
export function reservedReason(name: string): string | null {
  if (name === "TRUE" || name === "FALSE") return "is a value of bool";
  if (TYPESCRIPT.has(name)) return "is reserved in TypeScript";
  if (GENERATED.has(name) || /^xdr_schema(_\d+)?$/.test(name)) return "generated code uses itself";
  if (/^(encode|decode|codec)_/.test(name)) return "starts like a generated function";
  return null;
}

/** Attributes as values: of one node, and of a directory's entries. */
import { bitmapOf, decodeFattr4, type Fattr4Values, type fattr4 } from "@nfs4/protocol";
import { text } from "./bytes.ts";
import type { Compound } from "./compound.ts";

export function valuesOf(attributes: fattr4): Fattr4Values {
  const decoded = decodeFattr4(attributes);
  if (!decoded.ok) throw new Error("attributes that cannot be decoded");
  return decoded.values;
}

/** What the current filehandle of a COMPOUND has of these; what the server does not have is not there. */
export async function attributes(compound: Compound, ...numbers: readonly number[]): Promise<Fattr4Values> {
  return valuesOf((await compound.getattr(...numbers).send()).ok().get("GETATTR").obj_attributes);
}

export interface Entry {
  readonly name: string;
  readonly attributes: Fattr4Values;
}

/** All of a directory that fits into one reply. */
export async function entries(compound: Compound, ...numbers: readonly number[]): Promise<Entry[]> {
  const { reply } = (await compound.readdir({ mask: bitmapOf(...numbers) }).send()).ok().get("READDIR");
  return reply.entries.map(({ name, attrs }) => ({ name: text(name), attributes: valuesOf(attrs) }));
}

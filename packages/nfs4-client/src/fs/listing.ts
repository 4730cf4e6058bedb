import {
  type Bitmap,
  bitmapOf,
  decodeFattr4,
  decodeName,
  FATTR4_RDATTR_ERROR,
  FATTR4_TYPE,
  type Fattr4Values,
  union,
} from "@nfs4/protocol";
import type { RunOptions } from "../client.ts";
import type { Mount } from "../mount.ts";
import { Compound, type Step } from "../protocol/compound.ts";

const TYPE = bitmapOf(FATTR4_TYPE, FATTR4_RDATTR_ERROR);
/** Bytes of an answer, beside what a session allows. */
const PAGE = 256 * 1024;
const NO_VERIFIER = new Uint8Array(8);

export interface Entry {
  readonly name: string;
  /** As far as the server tells them. */
  readonly attributes: Fattr4Values;
}

/** Adds what reads the first page of the current directory. */
export function firstPage(mount: Mount, compound: Compound, mask: Bitmap = TYPE): PageSteps {
  const handle = compound.getFh();
  return { handle, page: addReadDir(mount, compound, mask, 0n, NO_VERIFIER) };
}

export interface PageSteps {
  readonly handle: Step<"GETFH">;
  readonly page: Step<"READDIR">;
}

/** The entries of a directory, a page at a time, of which the first one has been read. */
export async function* pagesFrom(
  mount: Mount,
  { handle, page }: PageSteps,
  options: RunOptions,
  mask: Bitmap = TYPE,
): AsyncGenerator<Entry[], void, undefined> {
  const directory = handle.body.object;
  let step = page;
  for (;;) {
    const { cookieverf, reply } = step.body;
    yield reply.entries.map(({ name, attrs }) => {
      const decoded = decodeFattr4(attrs);
      return { name: decodeName(name), attributes: decoded.ok ? decoded.values : {} };
    });
    const last = reply.entries.at(-1);
    if (reply.eof || last === undefined) return;
    const compound = new Compound("readdir").putFh(directory);
    step = addReadDir(mount, compound, mask, last.cookie, cookieverf);
    await mount.client.run(compound, options);
  }
}

function addReadDir(
  mount: Mount,
  compound: Compound,
  mask: Bitmap,
  cookie: bigint,
  cookieverf: Uint8Array,
): Step<"READDIR"> {
  const maxcount = Math.min(PAGE, mount.traits.maxRead);
  return compound.op("READDIR", {
    cookie,
    cookieverf,
    dircount: maxcount,
    maxcount,
    attr_request: [...union(mask, TYPE)],
  });
}

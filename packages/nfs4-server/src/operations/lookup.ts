/** LOOKUP (RFC 8881 §18.13). */
import type { LOOKUP4args } from "@nfs4/protocol";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { nameOf } from "../compound/names.ts";
import { setCurrent } from "../walk/set-current.ts";
import { child } from "../walk/walk.ts";

export const lookup: Handler<LOOKUP4args, never> = (context, { objname }) => {
  const directory = needCurrent(context);
  if (typeof directory === "number") return directory;
  const name = nameOf(objname, directory.export);
  return typeof name === "number" ? name : setCurrent(context, child(context, directory, name));
};

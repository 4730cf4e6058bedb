/** LOOKUPP (RFC 8881 §18.14): the directory above. */
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { setCurrent } from "../walk/set-current.ts";
import { above } from "../walk/walk.ts";

export const lookupp: Handler<unknown, never> = (context) => {
  const directory = needCurrent(context);
  return typeof directory === "number" ? directory : setCurrent(context, above(context, directory));
};

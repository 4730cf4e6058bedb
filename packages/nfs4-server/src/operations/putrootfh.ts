/** PUTROOTFH (RFC 8881 §18.21) and PUTPUBFH (§18.20), which means the same here: the top of the name space. */
import type { Handler } from "../compound/handler.ts";
import { setCurrent } from "../walk/set-current.ts";
import { rootOf } from "../walk/walk.ts";

export const putrootfh: Handler<unknown, never> = (context) => setCurrent(context, rootOf(context));

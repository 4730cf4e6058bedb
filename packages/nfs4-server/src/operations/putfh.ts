/** PUTFH (RFC 8881 §18.19): the current filehandle from the client's bytes. */
import type { PUTFH4args } from "@nfs4/protocol";
import type { Handler } from "../compound/handler.ts";
import { setCurrent } from "../walk/set-current.ts";
import { fromHandle } from "../walk/walk.ts";

export const putfh: Handler<PUTFH4args, never> = (context, { object }) =>
  setCurrent(context, fromHandle(context, object));

/** SECINFO (RFC 8881 §18.29) and SECINFO_NO_NAME (§18.45): which flavors an object takes. Since 4.1 they use up the current filehandle. */
import {
  AUTH_NONE,
  AUTH_SYS,
  NFS4_OK,
  NFS4ERR_NOFILEHANDLE,
  type SECINFO_NO_NAME4args,
  SECINFO_STYLE4_PARENT,
  type SECINFO4args,
  type SECINFO4res,
} from "@nfs4/protocol";
import { type CompoundContext, needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { nameOf } from "../compound/names.ts";
import { whenReady } from "../filesystem/chain.ts";
import { above, child } from "../walk/walk.ts";

function answer(context: CompoundContext): SECINFO4res {
  if (context.minorVersion > 0) {
    context.current = null;
    context.currentStateid = null;
  }
  return { status: NFS4_OK, resok4: [{ flavor: AUTH_SYS }, { flavor: AUTH_NONE }] };
}

export const secinfo: Handler<SECINFO4args, SECINFO4res> = (context, { name }) => {
  const directory = needCurrent(context);
  if (typeof directory === "number") return directory;
  const wanted = nameOf(name, directory.export);
  if (typeof wanted === "number") return wanted;
  return whenReady(child(context, directory, wanted), (node) => (typeof node === "number" ? node : answer(context)));
};

export const secinfoNoName: Handler<SECINFO_NO_NAME4args, SECINFO4res> = (context, style) => {
  const { current } = context;
  if (!current) return NFS4ERR_NOFILEHANDLE;
  if (style !== SECINFO_STYLE4_PARENT) return answer(context);
  return whenReady(above(context, current), (node) => (typeof node === "number" ? node : answer(context)));
};

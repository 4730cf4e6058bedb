/** GETATTR (RFC 8881 §18.7). */
import { encodeFattr4, type GETATTR4args, NFS4_OK, NFS4ERR_INVAL } from "@nfs4/protocol";
import { attributesOf, requestedAttributes } from "../attributes/collect.ts";
import { asksForWriteOnly } from "../attributes/supported.ts";
import { needCurrent } from "../compound/context.ts";
import type { Handler } from "../compound/handler.ts";
import { whenReady } from "../filesystem/chain.ts";

export const getattr: Handler<GETATTR4args, never> = (context, { attr_request }) => {
  const current = needCurrent(context);
  if (typeof current === "number") return current;
  if (asksForWriteOnly(attr_request, context.minorVersion)) return NFS4ERR_INVAL;
  const mask = requestedAttributes(context, attr_request);
  return whenReady(attributesOf(context, current, mask), (values) => {
    if (typeof values === "number") return values;
    return (writer) => {
      writer.uint32(NFS4_OK);
      encodeFattr4(writer, mask, values);
      return NFS4_OK;
    };
  });
};
